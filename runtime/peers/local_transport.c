/* A transport within a machine: a stream socket between every two processes.
 *
 *     message: 8 bytes with its length, then its bytes
 *     announcement: 8 bytes, FAREWELL + the exit status */
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/peers/local.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAREWELL (UINT64_MAX - 255)

/* One direction of a socket. */
typedef struct {
    Message *message; /* NULL: all are done */
    uint64_t length;
    size_t moved; /* bytes so far, with those of the length */
} WireDirection;

typedef struct {
    int socket; /* -1: to itself */
    WireDirection out, in;
} Wire;

typedef struct {
    Transport table;
    Message *end;         /* behind the last message */
    Wire *wires;          /* [size] */
    struct pollfd *polls; /* [size] */
} LocalTransport;

static bool is_open(const Message *message) {
    return message && !message->done && !message->broken;
}

/* Makes the first message of this direction, from `from` on, the one that is moved next. */
static void take_next(const LocalTransport *local, WireDirection *direction, Message *from,
                      int rank, bool sends) {
    while (from < local->end && (from->rank != rank || from->sends != sends)) from++;
    bool found = from < local->end;
    *direction =
        (WireDirection){.message = found ? from : NULL, .length = found && sends ? from->bytes : 0};
}

static void begin(Transport *transport, Message *messages, int count) {
    LocalTransport *local = (LocalTransport *)transport;
    local->end = messages + count;
    for (int rank = 0; rank < transport->size; rank++) {
        take_next(local, &local->wires[rank].out, messages, rank, true);
        take_next(local, &local->wires[rank].in, messages, rank, false);
    }
}

/* The bytes that come next: of the length, or of the message. */
static char *next_bytes(WireDirection *direction, size_t *count) {
    if (direction->moved < sizeof direction->length) {
        *count = sizeof direction->length - direction->moved;
        return (char *)&direction->length + direction->moved;
    }
    size_t done = direction->moved - sizeof direction->length;
    *count = (size_t)direction->length - done;
    return (char *)direction->message->data + done;
}

static void check_length(WireDirection *direction) {
    Message *message = direction->message;
    if (direction->moved != sizeof direction->length) return;
    if (direction->length >= FAREWELL) {
        message->broken = true;
        message->status = (int)(direction->length - FAREWELL);
    } else if (direction->length > message->bytes)
        message->broken = true; /* no process of this training sends that */
    else
        message->bytes = (size_t)direction->length;
}

/* Sends as much as the socket takes, or receives as much as it has. */
static void move(const LocalTransport *local, int socket, WireDirection *direction) {
    while (is_open(direction->message)) {
        Message *message = direction->message;
        size_t count;
        char *bytes = next_bytes(direction, &count);
        ssize_t moved = message->sends ? send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT)
                                       : recv(socket, bytes, count, MSG_DONTWAIT);
        if (moved < 0 && errno == EINTR) continue;
        if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (moved <= 0) {
            message->broken = true;
            return;
        }
        direction->moved += (size_t)moved;
        if (!message->sends) check_length(direction);
        message->done =
            !message->broken && direction->moved == sizeof direction->length + direction->length;
        if (message->done) take_next(local, direction, message + 1, message->rank, message->sends);
    }
}

/* Lists the sockets that are waited for; returns how many. */
static nfds_t list_polls(LocalTransport *local) {
    nfds_t count = 0;
    for (int rank = 0; rank < local->table.size; rank++) {
        const Wire *wire = &local->wires[rank];
        bool out = is_open(wire->out.message), in = is_open(wire->in.message);
        if (out || in)
            local->polls[count++] =
                (struct pollfd){wire->socket, (short)((out ? POLLOUT : 0) | (in ? POLLIN : 0)), 0};
    }
    return count;
}

static bool wait_for(Transport *transport, double seconds) {
    LocalTransport *local = (LocalTransport *)transport;
    double end = seconds_now() + seconds;
    for (;;) {
        for (int rank = 0; rank < transport->size; rank++) {
            Wire *wire = &local->wires[rank];
            if (is_open(wire->out.message)) move(local, wire->socket, &wire->out);
            /* an announcement may have come although nothing more can be sent */
            if (is_open(wire->in.message)) move(local, wire->socket, &wire->in);
        }
        nfds_t count = list_polls(local);
        double left = end - seconds_now();
        if (!count || left <= 0) return !count;
        poll(local->polls, count, (int)(left * 1e3) + 1);
    }
}

static void announce(Transport *transport, int status) {
    LocalTransport *local = (LocalTransport *)transport;
    uint64_t farewell = FAREWELL + (uint64_t)(status & 255);
    for (int rank = 0; rank < transport->size; rank++) {
        const Wire *wire = &local->wires[rank];
        /* in the middle of a message, the end of the stream says enough */
        bool between = !is_open(wire->out.message) || wire->out.moved == 0;
        if (wire->socket >= 0 && between)
            (void)!send(wire->socket, &farewell, sizeof farewell, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void close_all(Transport *transport) {
    LocalTransport *local = (LocalTransport *)transport;
    for (int rank = 0; rank < transport->size; rank++)
        if (local->wires[rank].socket >= 0) close(local->wires[rank].socket);
    free(local->wires);
    free(local->polls);
    free(local);
}

Transport *local_transport(int rank, int size, const int *sockets) {
    LocalTransport *local = MEMORY_NEW(LocalTransport, "the other processes");
    local->table = (Transport){.rank = rank,
                               .size = size,
                               .neighbours = size,
                               .begin = begin,
                               .wait = wait_for,
                               .announce = announce,
                               .abort = announce,
                               .close = close_all};
    local->wires = memory_array((size_t)size, sizeof *local->wires, "the other processes");
    local->polls = memory_array((size_t)size, sizeof *local->polls, "the other processes");
    for (int other = 0; other < size; other++)
        local->wires[other].socket = other == rank ? -1 : sockets[other];
    return &local->table;
}
