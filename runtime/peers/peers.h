/* The processes of a training, as one of them sees the others: exchanges with all of them at once,
 * a watch over those that do not answer, and comparisons. Internal errors of the system end all
 * processes; see transport.h. */
#ifndef MLC_RUNTIME_PEERS_PEERS_H
#define MLC_RUNTIME_PEERS_PEERS_H

#include "ir/base/diag.h"
#include "runtime/peers/transport.h"

#include <signal.h>

typedef struct Peers Peers;
enum { PEERS_MAX = 1024 };

typedef struct {
    double patience; /* seconds without an answer, after which a process counts as lost */
    /* the signal that this process got: it asks all to stop. NULL: none ever comes */
    const volatile sig_atomic_t *signal;
} PeerOptions;

/* Takes the transport and learns where the other processes run. NULL after reporting that some do
 * not answer. */
Peers *peers_open(Transport *transport, const PeerOptions *options, Diagnostics *diag);
/* Before peers_close: waits until all processes are at the end, unless one is lost or this one has
 * failed. Rank 0 may have to write files, and so takes `seconds` longer than the others wait for
 * each other. false: a process is lost now; one of those that are left has reported it. */
bool peers_part(Peers *peers, double seconds);
/* status: the exit status of this process. If it has failed alone (peers_fail), all others end with
 * the same status. `peers` may be NULL. */
void peers_close(Peers *peers, Status status);

int peers_rank(const Peers *peers);
int peers_size(const Peers *peers);
int peers_neighbours(const Peers *peers); /* the processes on this machine, with this one */

/* -- exchanges: every process sends to and gets from every other one -- */

/* Room for `bytes` that the next exchange sends to `rank`. */
void *peers_out(Peers *peers, int rank, size_t bytes);
/* Room into which the next exchange puts `bytes` from `rank`. */
void *peers_in(Peers *peers, int rank, size_t bytes);
/* After peers_out: the next exchange also sends a body, a multiple of TRANSPORT_UNIT bytes. There
 * are PARCEL_BODIES at most. A large body is a message of its own and is not copied, so it must
 * stay unchanged until then. */
void peers_send(Peers *peers, int rank, const void *body, size_t bytes);
/* After peers_in: where the next exchange puts a body from `rank`; NULL: into memory of `peers`.
 * The calls have the order in which `rank` sends its bodies. The room that peers_in returned may
 * move: peers_content gives it again. */
void peers_receive(Peers *peers, int rank, void *body, size_t bytes);
/* What the last exchange brought from `rank`: for peers_in, and body `number`. */
const void *peers_content(const Peers *peers, int rank);
const void *peers_body(const Peers *peers, int rank, int number);
/* Sends and receives. busy: the seconds that this process has computed since the last exchange;
 * others may need a multiple of that. where: completes the message "has not answered for 60 s".
 * false: a process is lost. Then nothing can be exchanged any more, and one of the processes that
 * are left has reported it. */
bool peers_exchange(Peers *peers, double busy, const char *where);
/* What this process has sent to others so far. */
typedef struct {
    int64_t messages, bytes;
} PeerTraffic;
PeerTraffic peers_sent(const Peers *peers);
/* What an exchange sends to a process: a content, and bodies of equal size. */
PeerTraffic peers_traffic(size_t content, size_t body, int bodies);
/* Whether a process was lost. */
bool peers_lost(const Peers *peers);
/* The exit status of all processes after one was lost or peers_agree has failed: that with which
 * the failed one ends, if it is known, or else STATUS_RANK. */
Status peers_status(const Peers *peers);

/* Asks all processes to stop, with the next exchange. */
void peers_ask_stop(Peers *peers);
/* Whether a process has asked to stop; after an exchange, all processes know the same. */
bool peers_stopped(const Peers *peers);
/* Asks all processes to save what they have, with the next exchange. */
void peers_ask_save(Peers *peers);
/* Whether a process has asked for it since the last call; after an exchange, all processes know the
 * same. */
bool peers_take_save(Peers *peers);
/* The signal that one of them got; 0: none. */
int peers_signal(const Peers *peers);
/* This process has failed alone: peers_close then ends the others. */
void peers_fail(Peers *peers);

/* Sets the status that peers_status returns. */
void peers_announce(Peers *peers, Status status);

/* -- comparisons -- */

enum { PEER_FACTS = 8, PEER_FACT = 80, PEER_TEXT = 3072 };
/* What must be the same in all processes. */
typedef struct {
    struct {
        char what[PEER_FACT]; /* "the model", in "rank 2 differs in the model" */
        char value[PEER_FACT];
    } facts[PEER_FACTS];
    uint32_t count;
    Status status;          /* of this process: STATUS_OK, or it cannot begin */
    char errors[PEER_TEXT]; /* what it has reported */
} PeerFacts;
/* Adds a fact. */
void peers_fact(PeerFacts *facts, const char *what, const char *value);
/* Compares the facts of all processes. false if one cannot begin or differs from rank 0; rank 0 has
 * then reported it. An error that several processes have is reported once. */
bool peers_agree(Peers *peers, const PeerFacts *facts, Diagnostics *diag);

#endif
