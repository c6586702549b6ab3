/* Waiting. A thread that waits spins for a moment, because what it waits for usually comes within it; then it gives its core
 * away between looks, because where a core has been taken from us another thread of ours may need this one; at last it sleeps
 * on a futex. Sleeping early would be slow: waking an idle core takes long on virtual machines. But two threads that yield to
 * each other stay on one core for ever, while waking up looks for an idle one: so some waits sleep. */
#include "runtime/threads/waiter.h"
#include "ir/base/clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A look takes some 20 ns. Short kernels end within the spinning, and a yield costs a microsecond or two where a system call leaves the
 * virtual machine. */
enum { SPIN_LOOKS = 200, SLEEP_EVERY = 512 };
#define YIELD_NANOSECONDS 200000
#define LONG_YIELD_NANOSECONDS 50000

static void futex_wait(atomic_uint *word, unsigned seen) { syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0); }
static void futex_wake_all(atomic_uint *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0); }

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

unsigned gate_number(const Gate *gate) { return atomic_load_explicit(&gate->number, memory_order_acquire); }

static bool spin_for_change(const Gate *gate, unsigned seen) {
    for (int i = 0; i < SPIN_LOOKS; i++) {
        if (gate_number(gate) != seen) return true;
        pause_briefly();
    }
    return false;
}

/* Gives up early when a yield took long without success: then the core is wanted by another process, and a thread that wakes
 * from sleep gets it back sooner than one that yields. */
static bool yield_for_change(const Gate *gate, unsigned seen) {
    int64_t start = nanoseconds_now(), before = start, after = start;
    while (after - start < YIELD_NANOSECONDS && after - before < LONG_YIELD_NANOSECONDS) {
        if (gate_number(gate) != seen) return true;
        before = after;
        sched_yield();
        after = nanoseconds_now();
    }
    return gate_number(gate) != seen;
}

static void sleep_for_change(Gate *gate, unsigned seen) {
    atomic_fetch_add(&gate->sleepers, 1); /* before looking again: gate_set looks in the opposite order */
    while (atomic_load(&gate->number) == seen) futex_wait(&gate->number, seen);
    atomic_fetch_sub(&gate->sleepers, 1);
}

void gate_set(Gate *gate, unsigned number) {
    atomic_store(&gate->number, number);
    if (atomic_load(&gate->sleepers)) futex_wake_all(&gate->number);
}

void gate_wait(Gate *gate, unsigned seen, uint32_t *long_waits) {
    if (spin_for_change(gate, seen)) return;
    if (++*long_waits % SLEEP_EVERY && yield_for_change(gate, seen)) return;
    sleep_for_change(gate, seen);
}
