/* How bytes go from one process of a training to another. A transport moves messages and computes
 * nothing: the order of additions never depends on it. The plugins for MPI see only this header. */
#ifndef MLC_RUNTIME_PEERS_TRANSPORT_H
#define MLC_RUNTIME_PEERS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int rank;   /* the other process */
    bool sends; /* to it; else the message comes from it */
    void *data;
    size_t bytes; /* a multiple of TRANSPORT_UNIT: to send, or the room for what comes */
    bool done;
    /* the other process has ended, or cannot be reached; the message will never be done */
    bool broken;
    int status; /* if it is broken: the exit status that the other process has announced; or 0 */
} Message;
enum { TRANSPORT_UNIT = 64 };

/* The processes have the ranks 0 to size - 1. */
typedef struct Transport Transport;
struct Transport {
    int rank, size;
    int neighbours; /* the processes on the machine of this one, with itself */
    /* Begins to move messages. Those from one process to another arrive in the order in which both
     * of them list them. A message may be shorter than the room for it. */
    void (*begin)(Transport *transport, Message *messages, int count);
    /* Waits for at most that long, and returns whether all messages are done or broken. */
    bool (*wait)(Transport *transport, double seconds);
    /* Tells the others that this process will end with that status, if the transport can. */
    void (*announce)(Transport *transport, int status);
    /* Likewise, and ends them if the transport can; then also this process. */
    void (*abort)(Transport *transport, int status);
    void (*close)(Transport *transport); /* every process calls it at the end */
};

/* Plugins export this function. `reason` gets the error of a NULL. If the processes have not found
 * each other, or have not parted, after `patience` seconds, it says so and ends this one. */
#define TRANSPORT_MPI "mlc_transport_mpi"
enum { TRANSPORT_REASON = 256 };
typedef Transport *TransportMaker(double patience, char reason[TRANSPORT_REASON]);

#endif
