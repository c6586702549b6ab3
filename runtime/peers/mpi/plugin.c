/* A transport over MPI: a plugin, because every MPI library has a binary interface of its own. It
 * only moves bytes. Reductions of MPI are not used: none of them promises an order. */
#include "runtime/peers/transport.h"

#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    Transport table;
    double patience;
    double alert; /* the seconds of a wait before it pauses */
    MPI_Comm world;
    MPI_Datatype unit; /* TRANSPORT_UNIT bytes, so that counts stay small */
    Message *messages;
    MPI_Request *requests;
    MPI_Status *statuses;
    int *finished;   /* indices of requests */
    int count, room; /* room: for so many requests */
} MpiTransport;

static void no_memory(void) {
    fputs("mlc: error: no memory for messages to other processes\n", stderr);
    MPI_Abort(MPI_COMM_WORLD, 5);
}

static void make_room(MpiTransport *mpi, int count) {
    if (count <= mpi->room) return;
    free(mpi->requests);
    free(mpi->statuses);
    free(mpi->finished);
    mpi->requests = calloc((size_t)count, sizeof *mpi->requests);
    mpi->statuses = calloc((size_t)count, sizeof *mpi->statuses);
    mpi->finished = calloc((size_t)count, sizeof *mpi->finished);
    mpi->room = count;
    if (!mpi->requests || !mpi->statuses || !mpi->finished) no_memory();
}

/* Receives first: what is awaited need not be stored by MPI. */
static void begin(Transport *transport, Message *messages, int count) {
    MpiTransport *mpi = (MpiTransport *)transport;
    make_room(mpi, count);
    mpi->messages = messages;
    mpi->count = count;
    for (int sends = 0; sends <= 1; sends++)
        for (int i = 0; i < count; i++) {
            Message *message = &messages[i];
            int units = (int)(message->bytes / TRANSPORT_UNIT), failed;
            if (message->sends != (sends == 1)) continue;
            failed = sends ? MPI_Isend(message->data, units, mpi->unit, message->rank, 0,
                                       mpi->world, &mpi->requests[i])
                           : MPI_Irecv(message->data, units, mpi->unit, message->rank, 0,
                                       mpi->world, &mpi->requests[i]);
            message->broken = failed != MPI_SUCCESS;
        }
}

static void finish(MpiTransport *mpi, int index, const MPI_Status *status, int failed) {
    Message *message = &mpi->messages[index];
    int units;
    message->broken = failed != MPI_SUCCESS;
    message->done = !message->broken;
    if (message->sends || message->broken) return;
    MPI_Get_count(status, mpi->unit, &units);
    message->bytes = (size_t)units * TRANSPORT_UNIT;
}

static int all_ended(const MpiTransport *mpi) {
    for (int i = 0; i < mpi->count; i++)
        if (!mpi->messages[i].done && !mpi->messages[i].broken) return 0;
    return 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Offers the core to others: first for no time, later for 50 us. Open MPI moves the pieces of a large
 * message only while it is called, so pauses are for long waits, or for more processes than cores. */
#define ALERT_SECONDS 0.02
#define CROWDED_SECONDS 0.001
static void give_way(const MpiTransport *mpi, double waited) {
    const struct timespec pause = {0, 50000};
    if (waited < mpi->alert)
        sched_yield();
    else
        nanosleep(&pause, NULL);
}

static bool wait_for(Transport *transport, double seconds) {
    MpiTransport *mpi = (MpiTransport *)transport;
    double first = now();
    while (!all_ended(mpi)) {
        int count,
            result = MPI_Testsome(mpi->count, mpi->requests, &count, mpi->finished, mpi->statuses);
        for (int i = 0; count != MPI_UNDEFINED && i < count; i++)
            finish(mpi, mpi->finished[i], &mpi->statuses[i],
                   result == MPI_ERR_IN_STATUS ? mpi->statuses[i].MPI_ERROR : result);
        if (all_ended(mpi)) break;
        if (now() - first > seconds) return false;
        give_way(mpi, now() - first);
    }
    return true;
}

/* Messages of the training are all that others wait for. */
static void announce(Transport *transport, int status) { (void)transport, (void)status; }

/* To end another communicator than this one, MPICH sends messages, and waits for ever for those that
 * a stopped process does not take. */
static void end_all(Transport *transport, int status) {
    const struct timespec pause = {0, 200000000}; /* the launcher passes on what was printed */
    (void)transport;
    nanosleep(&pause, NULL);
    MPI_Abort(MPI_COMM_WORLD, status);
}

/* -- the beginning and the end -- */

/* MPI_Init and MPI_Finalize wait for all processes, for ever if one of them is stopped. So a thread
 * watches over them. Each of its pauses counts as one, even if a scheduler has stopped this process
 * in between. */
enum { STATUS_LOST = 8, PAUSES_A_SECOND = 4 }; /* STATUS_LOST: STATUS_RANK of ir/base/diag.h */
typedef struct {
    double patience;
    const char *where;
    pthread_t thread;
    int runs;
} Watchdog;

static void *watch(void *context) {
    const Watchdog *dog = context;
    const struct timespec pause = {0, 1000000000 / PAUSES_A_SECOND};
    for (double i = 0; i < dog->patience * (double)PAUSES_A_SECOND; i++) nanosleep(&pause, NULL);
    fprintf(
        stderr,
        "mlc: error: other processes have not answered for %.0f s %s: one has not begun, is stopped, or cannot be reached\n",
        dog->patience, dog->where);
    _exit(STATUS_LOST);
}

static void watch_begin(Watchdog *dog) {
    dog->runs = pthread_create(&dog->thread, NULL, watch, dog) == 0;
}

static void watch_end(const Watchdog *dog) {
    if (!dog->runs) return;
    pthread_cancel(dog->thread);
    pthread_join(dog->thread, NULL);
}

static void close_all(Transport *transport) {
    MpiTransport *mpi = (MpiTransport *)transport;
    Watchdog dog = {.patience = mpi->patience, .where = "at the end"};
    watch_begin(&dog);
    MPI_Type_free(&mpi->unit);
    MPI_Comm_free(&mpi->world);
    MPI_Finalize();
    watch_end(&dog);
    free(mpi->requests);
    free(mpi->statuses);
    free(mpi->finished);
    free(mpi);
}

static int neighbours(MPI_Comm world) {
    MPI_Comm machine;
    int count = 1;
    MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &count);
    MPI_Comm_free(&machine);
    return count;
}

TransportMaker mlc_transport_mpi;

Transport *mlc_transport_mpi(double patience, char reason[TRANSPORT_REASON]) {
    int level;
    Watchdog dog = {.patience = patience, .where = "at the start"};
    MpiTransport *mpi = calloc(1, sizeof *mpi);
    watch_begin(&dog);
    if (!mpi || MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
        snprintf(reason, TRANSPORT_REASON, "%s", mpi ? "MPI_Init fails" : "no memory");
        watch_end(&dog);
        free(mpi);
        return NULL;
    }
    mpi->patience = patience;
    MPI_Comm_dup(MPI_COMM_WORLD, &mpi->world);
    MPI_Comm_set_errhandler(mpi->world, MPI_ERRORS_RETURN);
    MPI_Type_contiguous(TRANSPORT_UNIT, MPI_BYTE, &mpi->unit);
    MPI_Type_commit(&mpi->unit);
    MPI_Comm_rank(mpi->world, &mpi->table.rank);
    MPI_Comm_size(mpi->world, &mpi->table.size);
    mpi->table.neighbours = neighbours(mpi->world);
    mpi->alert =
        mpi->table.neighbours > sysconf(_SC_NPROCESSORS_ONLN) ? CROWDED_SECONDS : ALERT_SECONDS;
    watch_end(&dog);
    mpi->table.begin = begin;
    mpi->table.wait = wait_for;
    mpi->table.announce = announce;
    mpi->table.abort = end_all;
    mpi->table.close = close_all;
    return &mpi->table;
}
