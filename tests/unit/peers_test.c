/* Exchanges between processes, which are threads here, over sockets, with delays before and while
 * they wait: contents, small and large bodies arrive whole, whatever the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/base/memory.h"
#include "runtime/peers/local.h"
#include "runtime/peers/peers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 4, ROUNDS = 60, BODIES = 3, LARGEST = 300000 };

/* A transport that waits for random times. */
typedef struct {
    Transport table;
    Transport *inner;
    unsigned random;
} DelayingTransport;

static void delay(DelayingTransport *self) {
    self->random = self->random * 1664525u + 1013904223u;
    if (self->random >> 31) usleep(self->random >> 8 & 2047);
}

static void delaying_begin(Transport *transport, Message *messages, int count) {
    DelayingTransport *self = (DelayingTransport *)transport;
    delay(self);
    self->inner->begin(self->inner, messages, count);
}

static bool delaying_wait(Transport *transport, double seconds) {
    DelayingTransport *self = (DelayingTransport *)transport;
    delay(self);
    return self->inner->wait(self->inner, seconds);
}

static void delaying_announce(Transport *transport, int status) {
    DelayingTransport *self = (DelayingTransport *)transport;
    self->inner->announce(self->inner, status);
}

static void delaying_close(Transport *transport) {
    DelayingTransport *self = (DelayingTransport *)transport;
    self->inner->close(self->inner);
    free(self);
}

static Transport *delaying(Transport *inner) {
    DelayingTransport *self = MEMORY_NEW(DelayingTransport, "a test");
    *self = (DelayingTransport){.table = *inner, .inner = inner, .random = (unsigned)inner->rank};
    self->table.begin = delaying_begin;
    self->table.wait = delaying_wait;
    self->table.announce = self->table.abort = delaying_announce;
    self->table.close = delaying_close;
    return &self->table;
}

/* -- what is sent -- */

static unsigned char byte_of(int round, int from, int to, int body, size_t at) {
    return (unsigned char)((size_t)(round * 31 + from * 7 + to * 5 + body * 3) + at);
}

/* The sizes of the bodies lie around the one from which they are messages of their own. */
static size_t size_of(int round, int from, int to, int body) {
    static const size_t units[] = {0, 1, 5, 255, 256, 257, LARGEST / TRANSPORT_UNIT};
    return units[(round + from + 2 * to + 3 * body) % 7] * TRANSPORT_UNIT;
}

static size_t content_of(int round, int from, int to) {
    return (size_t)(round * 13 + from + to) % 200;
}

static int bodies_of(int round, int from, int to) { return (round + from * to) % (BODIES + 1); }

static bool right(const void *bytes, size_t count, int round, int from, int to, int body) {
    for (size_t i = 0; i < count; i++)
        if (((const unsigned char *)bytes)[i] != byte_of(round, from, to, body, i)) return false;
    return true;
}

/* -- a process -- */

typedef struct {
    int rank, sockets[SIZE];
    unsigned char out[SIZE][BODIES][LARGEST], in[SIZE][LARGEST];
    int wrong;
} TestProcess;

static void post(TestProcess *process, Peers *peers, int round, int other) {
    int rank = process->rank;
    size_t bytes = content_of(round, rank, other);
    unsigned char *content = peers_out(peers, other, bytes);
    for (size_t i = 0; i < bytes; i++) content[i] = byte_of(round, rank, other, BODIES, i);
    for (int b = 0; b < bodies_of(round, rank, other); b++) {
        unsigned char *body = process->out[other][b];
        for (size_t i = 0; i < size_of(round, rank, other, b); i++)
            body[i] = byte_of(round, rank, other, b, i);
        peers_send(peers, other, body, size_of(round, rank, other, b));
    }
    peers_in(peers, other, content_of(round, other, rank));
    /* the first one to a place of its own */
    for (int b = 0; b < bodies_of(round, other, rank); b++)
        peers_receive(peers, other, b ? NULL : process->in[other], size_of(round, other, rank, b));
}

static void check(TestProcess *process, const Peers *peers, int round, int other) {
    int rank = process->rank;
    process->wrong += !right(peers_content(peers, other), content_of(round, other, rank), round,
                             other, rank, BODIES);
    for (int b = 0; b < bodies_of(round, other, rank); b++) {
        const void *body = peers_body(peers, other, b);
        process->wrong += !right(body, size_of(round, other, rank, b), round, other, rank, b);
        process->wrong += b == 0 && body != process->in[other];
    }
}

static void *run(void *context) {
    TestProcess *process = context;
    Diagnostics *diag = diag_new();
    PeerOptions options = {.patience = 60};
    Peers *peers = peers_open(delaying(local_transport(process->rank, SIZE, process->sockets)),
                              &options, diag);
    for (int round = 0; round < ROUNDS; round++) {
        for (int other = 0; other < SIZE; other++)
            if (other != process->rank) post(process, peers, round, other);
        if (process->rank == 2 && round == ROUNDS / 2) peers_ask_stop(peers);
        if (process->rank == 1 && round % 3 == 1) peers_ask_save(peers);
        process->wrong += !peers_exchange(peers, 0, "");
        process->wrong += peers_stopped(peers) != (round >= ROUNDS / 2);
        if (round % 3) process->wrong += peers_take_save(peers) != (round % 3 == 1);
        for (int other = 0; other < SIZE; other++)
            if (other != process->rank) check(process, peers, round, other);
    }
    process->wrong += !peers_part(peers, 0);
    peers_close(peers, STATUS_OK);
    diag_free(diag);
    return NULL;
}

static bool report_is_right(Diagnostics *diag) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    diag_print(diag, stream.out);
    char *text = memory_stream_end(&stream);
    bool right = strstr(text, "rank 2 (process ") && strstr(text, " has not answered for ") &&
                 strstr(text, " at the end");
    free(text);
    return right;
}

/* Rank 2 does not come to the end. It waits until all others have noticed it. */
static void *run_without_end(void *context) {
    TestProcess *process = context;
    static atomic_int noticed;
    bool comes = process->rank != 2;
    Diagnostics *diag = diag_new();
    PeerOptions options = {.patience = 0.5};
    Peers *peers =
        peers_open(local_transport(process->rank, SIZE, process->sockets), &options, diag);
    process->wrong += comes && peers_part(peers, 0);
    process->wrong += peers_lost(peers) != comes;
    process->wrong += (diag_errors(diag) != 0) != (process->rank == 0);
    process->wrong += process->rank == 0 && !report_is_right(diag);
    noticed++;
    while (noticed < SIZE) usleep(1000);
    peers_close(peers, STATUS_OK);
    diag_free(diag);
    return NULL;
}

/* The other end of sockets to which rank 2 speaks in place of ranks 1 and 3. */
static int deaf;

static void turn_away(const TestProcess *process) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    for (int rank = 1; rank < SIZE; rank += 2) {
        dup(process->sockets[rank]); /* so that the others do not see its end */
        dup2(pair[0], process->sockets[rank]);
    }
    close(pair[0]);
    deaf = pair[1];
}

/* Rank 2 answers rank 0 for the last time, and no others. These give up and end before rank 0 comes
 * to the next exchange: it finds nobody, and reports the rank that has not answered. */
static void *run_alone(void *context) {
    TestProcess *process = context;
    static atomic_int ended;
    Diagnostics *diag = diag_new();
    PeerOptions options = {.patience = process->rank == 2 ? 60 : 1};
    Peers *peers =
        peers_open(local_transport(process->rank, SIZE, process->sockets), &options, diag);
    if (process->rank == 2) turn_away(process);
    process->wrong += peers_part(peers, 0) != (process->rank == 0);
    if (process->rank == 0) {
        while (ended < SIZE - 2) usleep(1000);
        process->wrong += peers_part(peers, 0) || !report_is_right(diag);
        close(deaf);
    }
    process->wrong += (diag_errors(diag) != 0) != (process->rank == 0);
    peers_close(peers, STATUS_OK);
    ended++;
    diag_free(diag);
    return NULL;
}

/* Runs a function in a thread for each process. */
static void run_all(void *(*function)(void *)) {
    TestProcess *processes = memory_array(SIZE, sizeof *processes, "a test");
    pthread_t threads[SIZE];
    for (int a = 0; a < SIZE; a++)
        for (int b = a + 1; b < SIZE; b++) {
            int pair[2];
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            processes[a].sockets[b] = pair[0];
            processes[b].sockets[a] = pair[1];
        }
    for (int rank = 0; rank < SIZE; rank++) {
        processes[rank].rank = rank;
        assert_int_equal(pthread_create(&threads[rank], NULL, function, &processes[rank]), 0);
    }
    for (int rank = 0; rank < SIZE; rank++) {
        pthread_join(threads[rank], NULL);
        assert_int_equal(processes[rank].wrong, 0);
    }
    free(processes);
}

static void test_exchanges(void **state) {
    (void)state;
    run_all(run);
}

static void test_end(void **state) {
    (void)state;
    run_all(run_without_end);
    run_all(run_alone);
}

/* peers_traffic: a content with its header, and bodies inside or apart. */
static void test_traffic(void **state) {
    (void)state;
    static const struct {
        size_t content, body;
        int bodies;
        PeerTraffic expected;
    } rows[] = {{0, 0, 0, {1, 64}},
                {1, 0, 0, {1, 128}},
                {4, 128, 2, {1, 64 + 64 + 256}},
                {0, 16384 - 64, 1, {1, 64 + 16384 - 64}},
                {4, 16384, 2, {3, 128 + 2 * 16384}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PeerTraffic traffic = peers_traffic(rows[i].content, rows[i].body, rows[i].bodies);
        assert_int_equal(traffic.messages, rows[i].expected.messages);
        assert_int_equal(traffic.bytes, rows[i].expected.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exchanges), cmocka_unit_test(test_end),
                                       cmocka_unit_test(test_traffic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
