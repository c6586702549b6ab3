/* A team of threads that does Work (work.h has the rules): threads_work opens the first stage, and
 * every thread is in work_until, where the one that finishes a stage opens the next. */
#include "runtime/threads/waiter.h"
#include "ir/base/boundary.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/threads/cores.h"
#include "runtime/threads/threads.h"
#include "runtime/threads/work.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* After this time a thread offers its core to other processes, between two chunks. If no process
 * needs the core, the thread continues at once. Otherwise the system would take the core later, in
 * the middle of a chunk that all other threads wait for. */
#define OFFER_NANOSECONDS 1000000
/* A thread looks for another core once in this time. A move costs about 30 microseconds. */
#define MOVE_NANOSECONDS 5000000

typedef struct {
    /* the remaining chunks of the thread in the stage: see queue_of */
    _Alignas(CACHE_LINE) _Atomic uint64_t queue;
    _Alignas(CACHE_LINE) Threads *threads;
    int index;
    atomic_int core; /* that it ran on when it last looked for chunks */
    int64_t offered; /* when it last offered its core */
    int64_t moved;   /* when it last left a core to another thread of the team */
    pthread_t handle;
} Worker;

typedef enum { IDLE, WORKING, ENDING } TeamState;
enum { STATE_BITS = 2 };

struct Threads {
    /* the low bits of the stage's number, and the team's state: threads without a chunk wait for a
     * change */
    Waiter waiter;
    /* unfinished chunks of the stage, plus one until it has been announced to all */
    _Alignas(CACHE_LINE) atomic_uint left;
    _Alignas(CACHE_LINE) uint64_t number; /* of the stage; never used again */
    const Work *work;
    uint32_t stage; /* of the work */
    atomic_bool no_stealing;
    atomic_int count;
    Worker *workers;
    Work each; /* for threads_run: one chunk for each thread */
};

/* -- queues: chunks [front, back) of those that a thread owns in the stage, and the stage's number,
 * in one word -- */

enum { POSITION_BITS = 12 };
static_assert(WORK_MAX_OWNED < 1 << POSITION_BITS, "positions fit into their bits");
#define FRONT_ONE ((uint64_t)1 << POSITION_BITS)

static uint64_t queue_number(uint64_t queue) { return queue >> (2 * POSITION_BITS); }
static uint32_t queue_front(uint64_t queue) {
    return (uint32_t)(queue >> POSITION_BITS) & (FRONT_ONE - 1);
}
static uint32_t queue_back(uint64_t queue) { return (uint32_t)queue & (FRONT_ONE - 1); }

typedef struct {
    int owner;
    uint32_t position; /* among the owner's chunks */
} Taken;

/* The owner takes a chunk from the front. *number: set to the stage's number. */
static bool take_own(Threads *threads, int self, uint64_t *number, Taken *taken) {
    _Atomic uint64_t *queue = &threads->workers[self].queue;
    uint64_t found = atomic_load_explicit(queue, memory_order_acquire);
    bool done = false;
    while (!done && queue_front(found) < queue_back(found))
        done = atomic_compare_exchange_weak_explicit(queue, &found, found + FRONT_ONE,
                                                     memory_order_acq_rel, memory_order_acquire);
    *number = queue_number(found);
    *taken = (Taken){self, queue_front(found)};
    return done;
}

/* Other threads steal a chunk from the back, and only if the queue still belongs to stage
 * `number`. */
static bool steal(Threads *threads, int owner, uint64_t number, Taken *taken) {
    _Atomic uint64_t *queue = &threads->workers[owner].queue;
    uint64_t found = atomic_load_explicit(queue, memory_order_acquire);
    bool done = false;
    while (!done && queue_number(found) == number && queue_front(found) < queue_back(found))
        done = atomic_compare_exchange_weak_explicit(queue, &found, found - 1, memory_order_acq_rel,
                                                     memory_order_acquire);
    *taken = (Taken){owner, queue_back(found) - 1};
    return done;
}

/* A chunk of the thread's own, or else one of another thread. */
static bool take(Threads *threads, int self, Taken *taken) {
    uint64_t number;
    if (take_own(threads, self, &number, taken)) return true;
    int count = atomic_load_explicit(&threads->no_stealing, memory_order_relaxed)
                    ? 1
                    : threads_count(threads);
    for (int i = 1; i < count; i++)
        if (steal(threads, (self + i) % count, number, taken)) return true;
    return false;
}

/* -- stages -- */

/* The chunks that a thread owns in the stage: owned[0] .. owned[1] - 1. */
static const uint32_t *owned(const Threads *threads, int owner) {
    return &threads->work
                ->owned[(size_t)threads->stage * (size_t)threads_count(threads) + (size_t)owner];
}

static void run_chunk(const Threads *threads, int self, uint32_t chunk) {
    const Work *work = threads->work;
    for (uint32_t i = work->chunks[chunk]; i < work->chunks[chunk + 1]; i++)
        work->run(work->context, self, &work->pieces[i]);
}

/* Fills all queues, then sets the waiter's number: a thread that sees the number sees the queues
 * and the work. */
static void announce(Threads *threads, TeamState state) {
    threads->number++;
    for (int i = 0; i < threads_count(threads); i++) {
        uint32_t chunks = state == WORKING ? owned(threads, i)[1] - owned(threads, i)[0] : 0;
        atomic_store_explicit(&threads->workers[i].queue,
                              (threads->number << (2 * POSITION_BITS) | chunks),
                              memory_order_release);
    }
    waiter_set(&threads->waiter, (unsigned)(threads->number << STATE_BITS) | state);
}

/* Advances to the next stage of the work, or of its repetition; false: the work is done. */
static bool next_stage(Threads *threads) {
    const Work *work = threads->work;
    if (++threads->stage < work->stages) return true;
    threads->stage = 0;
    return work->again && work->again(work->context);
}

/* Finishes a chunk, or the announcement, of the stage; true: it was the last. */
static bool finish_one(Threads *threads) {
    return atomic_fetch_sub_explicit(&threads->left, 1, memory_order_acq_rel) == 1;
}

/* Does the stages of a single chunk, from the current stage on, and announces the next stage with
 * more chunks. `more` false: there is no stage left. */
static void open_stages(Threads *threads, int self, bool more) {
    for (; more; more = next_stage(threads)) {
        uint32_t chunks = *owned(threads, threads_count(threads)) - *owned(threads, 0);
        if (chunks == 1) run_chunk(threads, self, *owned(threads, 0));
        if (chunks <= 1) continue;
        /* The announcement counts as one more thing to finish, as others may finish all chunks
         * before it has reached all threads. */
        atomic_store_explicit(&threads->left, chunks + 1, memory_order_relaxed);
        announce(threads, WORKING);
        if (!finish_one(threads)) return;
    }
    announce(threads, IDLE);
}

/* Yields the core if the last offer is OFFER_NANOSECONDS ago. */
static void offer_core(Worker *worker) {
    int64_t now = nanoseconds_now();
    if (now - worker->offered < OFFER_NANOSECONDS) return;
    sched_yield();
    worker->offered = nanoseconds_now();
}

static void note_core(Worker *worker) {
    int core = core_now();
    if (core == atomic_load_explicit(&worker->core, memory_order_relaxed)) return;
    atomic_store_explicit(&worker->core, core, memory_order_relaxed);
}

/* Moves the thread to another core if a thread of a lower index is on its core. Thread 0 belongs to
 * the caller and is never moved. */
static void leave_shared_core(Worker *worker) {
    cpu_set_t taken;
    bool shared = false;
    CPU_ZERO(&taken);
    for (int i = 0; i < threads_count(worker->threads); i++) {
        int core = atomic_load_explicit(&worker->threads->workers[i].core, memory_order_relaxed);
        if (core < 0 || core >= CPU_SETSIZE) return;
        CPU_SET((size_t)core, &taken);
        shared |= i < worker->index && core == core_now();
    }
    int64_t now = nanoseconds_now();
    if (!shared || now - worker->moved < MOVE_NANOSECONDS) return;
    core_leave(&taken);
    worker->moved = now;
}

/* What every thread does: take chunks while there are any and wait for more, until the team is in
 * state `until`. */
static void work_until(Worker *worker, TeamState until) {
    Threads *threads = worker->threads;
    int self = worker->index;
    Taken taken;
    for (;;) {
        /* read before looking for chunks, so that later ones are not missed */
        unsigned seen = waiter_number(&threads->waiter);
        note_core(worker);
        if ((seen & (((unsigned)1 << STATE_BITS) - 1)) == until) return;
        for (offer_core(worker); take(threads, self, &taken); offer_core(worker)) {
            run_chunk(threads, self, *owned(threads, taken.owner) + taken.position);
            if (finish_one(threads)) open_stages(threads, self, next_stage(threads));
        }
        if (waiter_spin(&threads->waiter, seen)) continue;
        leave_shared_core(worker);
        waiter_wait(&threads->waiter, seen);
    }
}

static void *worker_main(void *worker) {
    work_until(worker, ENDING);
    return NULL;
}

void threads_work(Threads *threads, const Work *work) {
    threads->work = work;
    threads->stage = 0;
    atomic_store_explicit(&threads->no_stealing, work->no_stealing, memory_order_relaxed);
    open_stages(threads, 0, true);
    work_until(&threads->workers[0], IDLE);
}

/* -- threads_run: work with one chunk for each thread -- */

typedef struct {
    void (*work)(void *context, int thread);
    void *context;
} Each;

static void run_each(void *context, int thread, const Piece *piece) {
    const Each *each = context;
    (void)thread;
    each->work(each->context, (int)piece->first);
}

void threads_run(Threads *threads, void (*work)(void *context, int thread), void *context) {
    Each each = {work, context};
    Work work_each = threads->each;
    work_each.context = &each;
    threads_work(threads, &work_each);
}

static Work each_new(int count) {
    Piece *pieces = memory_array((size_t)count, sizeof *pieces, "the threads");
    uint32_t *numbers = memory_array((size_t)count + 1, sizeof *numbers, "the threads");
    for (int i = 0; i < count; i++) {
        pieces[i].first = i;
        numbers[i + 1] = (uint32_t)i + 1;
    }
    return (Work){.pieces = pieces,
                  .chunks = numbers,
                  .owned = numbers,
                  .stages = 1,
                  .no_stealing = true,
                  .run = run_each};
}

/* -- starting and ending -- */

enum { STACK_BYTES = 4 * PROGRAM_STACK };

/* Raises the limit up to which the main thread's stack grows. Inside of another program the limit
 * is not ours. */
static void allow_stack(void) {
    struct rlimit limit;
    if (boundary_active()) return;
    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur >= STACK_BYTES) return;
    limit.rlim_cur = limit.rlim_max < STACK_BYTES ? limit.rlim_max : STACK_BYTES;
    setrlimit(RLIMIT_STACK, &limit);
}

static void start_workers(Threads *threads, int count) {
    sigset_t all, before;
    sigfillset(&all);
    /* SIGBUS is raised in a thread that reads a mapped file which has become shorter. If it were
     * blocked, it would end the process without a message. */
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the main thread handles all other signals */
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int started = 1;
    for (; started < count; started++) {
        Worker *worker = &threads->workers[started];
        if (pthread_create(&worker->handle, &attributes, worker_main, worker)) break;
    }
    pthread_attr_destroy(&attributes);
    atomic_store_explicit(&threads->count, started, memory_order_relaxed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void release(void *threads, size_t size) {
    (void)size;
    threads_free(threads);
}

Threads *threads_new(int count) {
    Threads *threads = memory_new(sizeof *threads, "the threads");
    Worker *workers = memory_new((size_t)count * sizeof *workers, "the threads");
    threads->workers = workers;
    atomic_init(&threads->count, count);
    for (int i = 0; i < count; i++)
        workers[i] = (Worker){.threads = threads, .index = i, .core = -1};
    allow_stack();
    start_workers(threads, count);
    boundary_hold(threads, 0, release);
    threads->each = each_new(threads_count(threads));
    return threads;
}

void threads_free(Threads *threads) {
    if (!threads) return;
    boundary_drop(threads, release);
    announce(threads, ENDING);
    for (int i = 1; i < threads_count(threads); i++) pthread_join(threads->workers[i].handle, NULL);
    work_free(&threads->each);
    free(threads->workers);
    free(threads);
}

int threads_count(const Threads *threads) {
    return atomic_load_explicit(&threads->count, memory_order_relaxed);
}

int threads_online(void) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores)
                                                           : (int)sysconf(_SC_NPROCESSORS_ONLN);
}
