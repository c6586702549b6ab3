/* Worker threads and their barrier. A thread that waits spins for a moment, because the others usually arrive within it; then
 * it gives its core away between looks, because where a core has been taken from us another thread of ours may need this one;
 * at last it sleeps on a futex. Sleeping early would be slow: waking an idle core takes long on virtual machines. But two
 * threads that yield to each other stay on one core for ever, while waking up looks for an idle one: so some waits sleep. */
#include "runtime/runtime.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CACHE_LINE = 64, SPIN_LOOKS = 40, SLEEP_EVERY = 32 };
#define YIELD_NANOSECONDS 200000
#define LONG_YIELD_NANOSECONDS 50000

typedef struct {
    _Alignas(CACHE_LINE) Threads *threads;
    int index;
    uint32_t long_waits; /* spinning was not enough */
    pthread_t handle;
} Worker;

struct Threads {
    _Alignas(CACHE_LINE) atomic_uint arrived;    /* at the current barrier */
    _Alignas(CACHE_LINE) atomic_uint generation; /* of the barrier: the word to wait for */
    atomic_uint sleepers;
    _Alignas(CACHE_LINE) void (*work)(void *context, int thread); /* NULL: end */
    void *context;
    atomic_int count;
    Worker *workers;
};

static void futex_wait(atomic_uint *word, unsigned seen) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}
static void futex_wake_all(atomic_uint *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool changed(Threads *threads, unsigned seen) {
    return atomic_load_explicit(&threads->generation, memory_order_acquire) != seen;
}

static bool spin_for_change(Threads *threads, unsigned seen) {
    for (int i = 0; i < SPIN_LOOKS; i++) {
        if (changed(threads, seen)) return true;
        pause_briefly();
    }
    return false;
}

/* Gives up early when a yield took long without success: then the core is wanted by another process, and a thread that wakes
 * from sleep gets it back sooner than one that yields. */
static bool yield_for_change(Threads *threads, unsigned seen) {
    int64_t start = nanoseconds(), before = start, after = start;
    while (after - start < YIELD_NANOSECONDS && after - before < LONG_YIELD_NANOSECONDS) {
        if (changed(threads, seen)) return true;
        before = after;
        sched_yield();
        after = nanoseconds();
    }
    return changed(threads, seen);
}

static void sleep_for_change(Threads *threads, unsigned seen) {
    atomic_fetch_add(&threads->sleepers, 1); /* before looking again: the last to arrive looks in the opposite order */
    while (atomic_load(&threads->generation) == seen) futex_wait(&threads->generation, seen);
    atomic_fetch_sub(&threads->sleepers, 1);
}

static void wait_for_change(Threads *threads, Worker *worker, unsigned seen) {
    if (spin_for_change(threads, seen)) return;
    if (++worker->long_waits % SLEEP_EVERY && yield_for_change(threads, seen)) return;
    sleep_for_change(threads, seen);
}

void threads_barrier(void *context, int thread) {
    Threads *threads = context;
    int count = threads_count(threads);
    if (count == 1) return;
    /* stays as it is until this thread has arrived too */
    unsigned generation = atomic_load_explicit(&threads->generation, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&threads->arrived, 1, memory_order_acq_rel) + 1 < (unsigned)count) {
        wait_for_change(threads, &threads->workers[thread], generation);
        return;
    }
    atomic_store_explicit(&threads->arrived, 0, memory_order_relaxed);
    atomic_store(&threads->generation, generation + 1);
    if (atomic_load(&threads->sleepers)) futex_wake_all(&threads->generation);
}

static void *worker_main(void *argument) {
    Worker *worker = argument;
    Threads *threads = worker->threads;
    for (;;) {
        threads_barrier(threads, worker->index);
        if (!threads->work) return NULL;
        threads->work(threads->context, worker->index);
        threads_barrier(threads, worker->index);
    }
}

void threads_run(Threads *threads, void (*work)(void *context, int thread), void *context) {
    threads->work = work;
    threads->context = context;
    threads_barrier(threads, 0);
    work(context, 0);
    threads_barrier(threads, 0);
}

/* Where the system refuses threads there are fewer: results do not depend on their number. */
static void start_workers(Threads *threads, int count) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    int started = 1;
    while (started < count && !pthread_create(&threads->workers[started].handle, NULL, worker_main, &threads->workers[started]))
        started++;
    atomic_store_explicit(&threads->count, started, memory_order_relaxed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

Threads *threads_new(int count) {
    Threads *threads = aligned_alloc(CACHE_LINE, sizeof *threads);
    Worker *workers = aligned_alloc(CACHE_LINE, (size_t)count * sizeof *workers);
    if (!threads || !workers) abort();
    memset(threads, 0, sizeof *threads);
    threads->workers = workers;
    atomic_init(&threads->count, count);
    for (int i = 0; i < count; i++) workers[i] = (Worker){.threads = threads, .index = i};
    start_workers(threads, count);
    return threads;
}

void threads_free(Threads *threads) {
    if (!threads) return;
    threads->work = NULL;
    threads_barrier(threads, 0);
    for (int i = 1; i < threads_count(threads); i++) pthread_join(threads->workers[i].handle, NULL);
    free(threads->workers);
    free(threads);
}

int threads_count(const Threads *threads) {
    return atomic_load_explicit(&threads->count, memory_order_relaxed);
}

int threads_online(void) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : (int)sysconf(_SC_NPROCESSORS_ONLN);
}
