/* A team of threads that shares out work: runtime/threads/work.h says how. */
#include "runtime/threads/waiter.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"
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

/* A thread offers its core to others after that long. Where nobody wants it, it is back at once. The system would take the core
 * a little later, in the middle of a chunk, for which all other threads would have to wait. */
#define OFFER_NANOSECONDS 1000000

typedef struct {
    _Alignas(CACHE_LINE) _Atomic uint64_t share; /* see share_of */
    _Alignas(CACHE_LINE) Threads *threads;
    int index;
    uint32_t long_waits;
    int64_t offered; /* when it last offered its core */
    pthread_t handle;
} Worker;

typedef enum { IDLE, WORKING, ENDING } State;
enum { STATE_BITS = 2 };

struct Threads {
    Gate gate; /* low bits of the stage's number, and the state: what threads without a chunk wait for */
    _Alignas(CACHE_LINE)
        atomic_uint left; /* chunks of the stage that are not finished, and one until all have been told of it */
    _Alignas(CACHE_LINE) uint64_t number;
    const Work *work;
    uint32_t stage; /* of the work */
    atomic_bool no_stealing;
    atomic_int count;
    Worker *workers;
    Work each; /* threads_run: a chunk a thread */
};

/* -- shares: which of its chunks of a stage a thread has left: [front, back) -- */

enum { POSITION_BITS = 12 };
static_assert(WORK_MOST_OWNED < 1 << POSITION_BITS, "positions fit into their bits");
#define FRONT_ONE ((uint64_t)1 << POSITION_BITS)

static uint64_t share_of(uint64_t number, uint32_t chunks) { return number << (2 * POSITION_BITS) | chunks; }
static uint64_t share_number(uint64_t share) { return share >> (2 * POSITION_BITS); }
static uint32_t share_front(uint64_t share) { return (uint32_t)(share >> POSITION_BITS) & (FRONT_ONE - 1); }
static uint32_t share_back(uint64_t share) { return (uint32_t)share & (FRONT_ONE - 1); }

typedef struct {
    int owner;
    uint32_t position; /* among the owner's */
} Taken;

/* The owner takes from the front. `number` becomes that of the stage. */
static bool take_own(Threads *threads, int self, uint64_t *number, Taken *taken) {
    _Atomic uint64_t *share = &threads->workers[self].share;
    uint64_t found = atomic_load_explicit(share, memory_order_acquire);
    bool done = false;
    while (!done && share_front(found) < share_back(found))
        done =
            atomic_compare_exchange_weak_explicit(share, &found, found + FRONT_ONE, memory_order_acq_rel, memory_order_acquire);
    *number = share_number(found);
    *taken = (Taken){self, share_front(found)};
    return done;
}

/* Others take from the back, of this stage only. */
static bool take_other(Threads *threads, int owner, uint64_t number, Taken *taken) {
    _Atomic uint64_t *share = &threads->workers[owner].share;
    uint64_t found = atomic_load_explicit(share, memory_order_acquire);
    bool done = false;
    while (!done && share_number(found) == number && share_front(found) < share_back(found))
        done = atomic_compare_exchange_weak_explicit(share, &found, found - 1, memory_order_acq_rel, memory_order_acquire);
    *taken = (Taken){owner, share_back(found) - 1};
    return done;
}

static bool take(Threads *threads, int self, Taken *taken) {
    uint64_t number;
    if (take_own(threads, self, &number, taken)) return true;
    int count = atomic_load_explicit(&threads->no_stealing, memory_order_relaxed) ? 1 : threads_count(threads);
    for (int i = 1; i < count; i++)
        if (take_other(threads, (self + i) % count, number, taken)) return true;
    return false;
}

/* -- stages -- */

static const uint32_t *owned(const Threads *threads, int owner) {
    return &threads->work->owned[(size_t)threads->stage * (size_t)threads_count(threads) + (size_t)owner];
}

static void run_chunk(const Threads *threads, int self, uint32_t chunk) {
    const Work *work = threads->work;
    for (uint32_t i = work->chunks[chunk]; i < work->chunks[chunk + 1]; i++) work->run(work->context, self, &work->pieces[i]);
}

static uint32_t stage_chunks(const Threads *threads) { return *owned(threads, threads_count(threads)) - *owned(threads, 0); }

/* Shares come before the number that tells of them, and what they stand for before the shares. */
static void tell(Threads *threads, State state) {
    threads->number++;
    for (int i = 0; i < threads_count(threads); i++) {
        uint32_t chunks = state == WORKING ? owned(threads, i)[1] - owned(threads, i)[0] : 0;
        atomic_store_explicit(&threads->workers[i].share, share_of(threads->number, chunks), memory_order_release);
    }
    gate_set(&threads->gate, (unsigned)(threads->number << STATE_BITS) | state);
}

static bool next_stage(Threads *threads) {
    const Work *work = threads->work;
    if (++threads->stage < work->stages) return true;
    threads->stage = 0;
    return work->again && work->again(work->context);
}

/* One thing of the stage less is left; whether that was the last. */
static bool finish_one(Threads *threads) { return atomic_fetch_sub_explicit(&threads->left, 1, memory_order_acq_rel) == 1; }

/* Others may have done all chunks before all have been told: telling is one thing more to finish. */
static bool stage_ends_at_once(Threads *threads) {
    atomic_store_explicit(&threads->left, stage_chunks(threads) + 1, memory_order_relaxed);
    tell(threads, WORKING);
    return finish_one(threads);
}

/* From the stage at hand on: what is a single chunk is done here, then a stage with more chunks is opened. `more` false: the end. */
static void go_on(Threads *threads, int self, bool more) {
    for (; more; more = next_stage(threads)) {
        uint32_t chunks = stage_chunks(threads);
        if (chunks == 1) run_chunk(threads, self, *owned(threads, 0));
        if (chunks > 1 && !stage_ends_at_once(threads)) return;
    }
    tell(threads, IDLE);
}

static void finish_chunk(Threads *threads, int self, Taken taken) {
    run_chunk(threads, self, *owned(threads, taken.owner) + taken.position);
    if (finish_one(threads)) go_on(threads, self, next_stage(threads));
}

static void offer_core(Worker *worker) {
    int64_t now = nanoseconds_now();
    if (now - worker->offered < OFFER_NANOSECONDS) return;
    sched_yield();
    worker->offered = nanoseconds_now();
}

/* Takes part in whatever there is to do, until the gate shows the state. */
static void take_part(Worker *worker, State until) {
    Threads *threads = worker->threads;
    Taken taken;
    for (;;) {
        unsigned seen = gate_number(&threads->gate); /* before looking for chunks: none that come later are missed */
        if ((seen & (((unsigned)1 << STATE_BITS) - 1)) == until) return;
        for (offer_core(worker); take(threads, worker->index, &taken); offer_core(worker))
            finish_chunk(threads, worker->index, taken);
        gate_wait(&threads->gate, seen, &worker->long_waits);
    }
}

static void *worker_main(void *worker) {
    take_part(worker, ENDING);
    return NULL;
}

void threads_work(Threads *threads, const Work *work) {
    threads->work = work;
    threads->stage = 0;
    atomic_store_explicit(&threads->no_stealing, work->no_stealing, memory_order_relaxed);
    go_on(threads, 0, true);
    take_part(&threads->workers[0], IDLE);
}

/* -- a chunk a thread -- */

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
    return (Work){.pieces = pieces, .chunks = numbers, .owned = numbers, .stages = 1, .no_stealing = true, .run = run_each};
}

/* -- starting and ending -- */

enum { STACK_BYTES = 4 * PROGRAM_STACK };

/* The main thread's stack grows up to a limit that may be raised, and applies as it grows. */
static void allow_stack(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur >= STACK_BYTES) return;
    limit.rlim_cur = limit.rlim_max < STACK_BYTES ? limit.rlim_max : STACK_BYTES;
    setrlimit(RLIMIT_STACK, &limit);
}

static bool start_worker(Worker *worker) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    bool started = !pthread_create(&worker->handle, &attributes, worker_main, worker);
    pthread_attr_destroy(&attributes);
    return started;
}

/* Where the system refuses threads there are fewer: results do not depend on their number. */
static void start_workers(Threads *threads, int count) {
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a thread that cannot read a mapped file hears so itself; blocked, it would end the process */
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* other signals are for the main thread */
    int started = 1;
    while (started < count && start_worker(&threads->workers[started])) started++;
    atomic_store_explicit(&threads->count, started, memory_order_relaxed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

Threads *threads_new(int count) {
    Threads *threads = memory_new(sizeof *threads, "the threads");
    Worker *workers = memory_new((size_t)count * sizeof *workers, "the threads");
    threads->workers = workers;
    atomic_init(&threads->count, count);
    for (int i = 0; i < count; i++) workers[i] = (Worker){.threads = threads, .index = i};
    allow_stack();
    start_workers(threads, count);
    threads->each = each_new(threads_count(threads));
    return threads;
}

void threads_free(Threads *threads) {
    if (!threads) return;
    tell(threads, ENDING);
    for (int i = 1; i < threads_count(threads); i++) pthread_join(threads->workers[i].handle, NULL);
    work_free(&threads->each);
    free(threads->workers);
    free(threads);
}

int threads_count(const Threads *threads) { return atomic_load_explicit(&threads->count, memory_order_relaxed); }

int threads_online(void) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : (int)sysconf(_SC_NPROCESSORS_ONLN);
}
