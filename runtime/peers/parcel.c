/* Parcels: see parcel.h. */
#include "runtime/peers/parcel.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* From this size on, a body is a message of its own: copying it would take longer than one more
 * message. */
enum { APART_BYTES = 1 << 14 };

static size_t whole_units(size_t bytes) { return (size_t)round_up((int64_t)bytes, TRANSPORT_UNIT); }

size_t parcel_message_bytes(size_t bytes) { return sizeof(ParcelHeader) + whole_units(bytes); }

/* Makes room for `bytes` bytes behind the header, and keeps the content. */
static void grow(Parcel *parcel, size_t bytes) {
    size_t room = parcel_message_bytes(bytes);
    parcel->bytes = bytes;
    if (room <= parcel->room) return;
    parcel->memory = memory_grow(parcel->memory, room, 1, "messages to other processes");
    parcel->room = room;
}

void *parcel_open(Parcel *parcel, size_t bytes) {
    parcel->count = 0;
    grow(parcel, bytes);
    return parcel->memory + sizeof(ParcelHeader);
}

/* -- bodies -- */

static ParcelBody *add_body(Parcel *parcel, size_t bytes) {
    assert(parcel->count < PARCEL_BODIES && bytes % TRANSPORT_UNIT == 0);
    ParcelBody *body = &parcel->bodies[parcel->count++];
    body->bytes = bytes;
    body->apart = bytes >= APART_BYTES;
    if (body->apart) return body;
    size_t before = whole_units(parcel->bytes);
    body->at = sizeof(ParcelHeader) + before;
    grow(parcel, before + bytes);
    return body;
}

void parcel_send(Parcel *parcel, const void *data, size_t bytes) {
    ParcelBody *body = add_body(parcel, bytes);
    body->data = (char *)data;
    if (!body->apart) memcpy(parcel->memory + body->at, data, bytes);
}

void parcel_receive(Parcel *parcel, void *data, size_t bytes) {
    ParcelBody *body = add_body(parcel, bytes);
    body->data = data;
    if (!body->apart || data) return;
    if (bytes > body->room) {
        body->memory = memory_grow(body->memory, bytes, 1, "messages from other processes");
        body->room = bytes;
    }
    body->data = body->memory;
}

void parcel_unpack(const Parcel *parcel) {
    for (int i = 0; i < parcel->count; i++) {
        const ParcelBody *body = &parcel->bodies[i];
        if (!body->apart && body->data) memcpy(body->data, parcel->memory + body->at, body->bytes);
    }
}

const void *parcel_content(const Parcel *parcel) { return parcel->memory + sizeof(ParcelHeader); }

const void *parcel_body(const Parcel *parcel, int number) {
    const ParcelBody *body = &parcel->bodies[number];
    return body->data ? body->data : parcel->memory + body->at;
}

void parcel_free(Parcel *parcel) {
    for (int i = 0; i < PARCEL_BODIES; i++) free(parcel->bodies[i].memory);
    free(parcel->memory);
}

size_t parcel_predict(size_t content, size_t body, int bodies, size_t *apart) {
    size_t all = (size_t)bodies * body;
    *apart = body >= APART_BYTES ? all : 0;
    return parcel_message_bytes(whole_units(content) + all - *apart);
}
