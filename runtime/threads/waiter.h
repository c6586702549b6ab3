/* A number, and threads that wait until it changes. */
#ifndef MLC_RUNTIME_THREADS_WAITER_H
#define MLC_RUNTIME_THREADS_WAITER_H

#include <stdatomic.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

typedef struct {
    _Alignas(CACHE_LINE) atomic_uint number;
    atomic_uint sleepers;
} Waiter;

/* A thread that reads a number sees all writes before the waiter_set of that number. */
unsigned waiter_number(const Waiter *waiter);
/* Sets the number and wakes all threads that wait. Called by one thread at a time. */
void waiter_set(Waiter *waiter, unsigned number);
/* Returns when the number differs from `seen`. long_waits: a counter of the calling thread, 0 at
 * first. */
void waiter_wait(Waiter *waiter, unsigned seen, uint32_t *long_waits);

#endif
