/* What one process sends to another in an exchange:
 *
 *     message: a header, the content, small bodies; each filled up to a multiple of TRANSPORT_UNIT
 *     then a message for each large body, which lies in memory of the caller
 *
 * Both processes know all sizes before. Private to the files of this room: see peers.h. */
#ifndef MLC_RUNTIME_PEERS_PARCEL_H
#define MLC_RUNTIME_PEERS_PARCEL_H

#include "runtime/peers/transport.h"

#include <stdint.h>

#define PARCEL_MAGIC 0x6d6c632d72616e6bu
typedef struct {
    uint64_t magic, number; /* number: of the exchange */
    uint64_t bytes;         /* of content and small bodies */
    int32_t stop, signal, save;
    char unused[TRANSPORT_UNIT - 3 * sizeof(uint64_t) - 3 * sizeof(int32_t)];
} ParcelHeader;

typedef struct {
    char *data; /* the bytes that are sent, or the place for received ones; NULL: in the parcel */
    size_t bytes, at;
    bool apart;   /* it is a message of its own; else it lies in the parcel, from `at` on */
    char *memory; /* [room]: takes a received body that has no place */
    size_t room;
} ParcelBody;

enum { PARCEL_BODIES = 64 };
typedef struct {
    char *memory;
    size_t room, bytes; /* bytes: of content and small bodies */
    ParcelBody bodies[PARCEL_BODIES];
    int count;
} Parcel;

/* Empties a parcel; returns the room for its content. */
void *parcel_open(Parcel *parcel, size_t bytes);
/* Adds a body, as peers_send and peers_receive. */
void parcel_send(Parcel *parcel, const void *data, size_t bytes);
void parcel_receive(Parcel *parcel, void *data, size_t bytes);
/* After the parcel has come: copies small bodies to their places. */
void parcel_unpack(const Parcel *parcel);
const void *parcel_content(const Parcel *parcel);
const void *parcel_body(const Parcel *parcel, int number);
void parcel_free(Parcel *parcel);

/* The bytes of the first message, with its header. bytes: as in Parcel. */
size_t parcel_message_bytes(size_t bytes);
/* The bytes of the first message for a content and `bodies` bodies of `body` bytes each. *apart:
 * the bytes of all bodies that are messages of their own. */
size_t parcel_predict(size_t content, size_t body, int bodies, size_t *apart);

#endif
