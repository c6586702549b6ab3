/* A number, and threads that wait until it changes. */
#ifndef MLC_RUNTIME_THREADS_WAITER_H
#define MLC_RUNTIME_THREADS_WAITER_H

#include <stdatomic.h>
#include <stdbool.h>

enum { CACHE_LINE = 64 };

typedef struct {
    _Alignas(CACHE_LINE) atomic_uint number;
    atomic_uint sleepers;
} Waiter;

/* A thread that reads a number sees all writes before the waiter_set of that number. */
unsigned waiter_number(const Waiter *waiter);
/* Sets the number and wakes all threads that wait. Called by one thread at a time. */
void waiter_set(Waiter *waiter, unsigned number);
/* Spins for a few microseconds; true: the number differs from `seen`. */
bool waiter_spin(const Waiter *waiter, unsigned seen);
/* Returns when the number differs from `seen`; first yields, then sleeps. */
void waiter_wait(Waiter *waiter, unsigned seen);

#endif
