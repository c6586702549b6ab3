/* A number that threads wait for to change. Private to runtime/. */
#ifndef MLC_RUNTIME_THREADS_WAITER_H
#define MLC_RUNTIME_THREADS_WAITER_H

#include <stdatomic.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

typedef struct {
    _Alignas(CACHE_LINE) atomic_uint number;
    atomic_uint sleepers;
} Gate;

/* What was written before gate_set is seen by whoever sees the number. */
unsigned gate_number(const Gate *gate);
/* By one thread at a time. Wakes all that wait. */
void gate_set(Gate *gate, unsigned number);
/* Until the number is another one than `seen`. long_waits is the thread's own and starts at zero. */
void gate_wait(Gate *gate, unsigned seen, uint32_t *long_waits);

#endif
