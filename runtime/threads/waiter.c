/* Waiting in three phases: spin, yield, sleep.
 *  - Spin for a few microseconds, as the number usually changes within them.
 *  - Yield the core between looks at the number. Another thread of the team may need it, if the
 *    system has given one of the team's cores to another process.
 *  - Sleep on a futex. This comes last, since waking an idle core takes long on virtual machines. */
#include "runtime/threads/waiter.h"
#include "ir/base/clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Reading the number takes about 20 ns. A yield costs one or two microseconds if a system call
 * leaves the virtual machine. */
enum { SPIN_LOOKS = 200 };
#define YIELD_NANOSECONDS 200000
#define LONG_YIELD_NANOSECONDS 50000

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

unsigned waiter_number(const Waiter *waiter) {
    return atomic_load_explicit(&waiter->number, memory_order_acquire);
}

/* Yields until the number changes. It ends early if a single yield took long, as another process
 * then wants the core. A thread that wakes from sleep gets it back sooner than one that yields. */
static bool yield_for_change(const Waiter *waiter, unsigned seen) {
    int64_t start = nanoseconds_now(), before = start, after = start;
    while (after - start < YIELD_NANOSECONDS && after - before < LONG_YIELD_NANOSECONDS) {
        if (waiter_number(waiter) != seen) return true;
        before = after;
        sched_yield();
        after = nanoseconds_now();
    }
    return waiter_number(waiter) != seen;
}

bool waiter_spin(const Waiter *waiter, unsigned seen) {
    for (int i = 0; i < SPIN_LOOKS; i++) {
        if (waiter_number(waiter) != seen) return true;
        pause_briefly();
    }
    return false;
}

void waiter_set(Waiter *waiter, unsigned number) {
    atomic_store(&waiter->number, number);
    if (atomic_load(&waiter->sleepers)) {
        atomic_uint *word = &waiter->number;
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}

void waiter_wait(Waiter *waiter, unsigned seen) {
    if (yield_for_change(waiter, seen)) return;
    /* This comes before the number is read again, as waiter_set writes the number and then reads
     * sleepers. */
    atomic_fetch_add(&waiter->sleepers, 1);
    while (atomic_load(&waiter->number) == seen) {
        atomic_uint *word = &waiter->number;
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
    atomic_fetch_sub(&waiter->sleepers, 1);
}
