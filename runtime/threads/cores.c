/* A team is slow while two of its threads share a core and another core is idle. Since Linux 6.12
 * the system may leave them there for minutes. It regards a thread that ran within the last half
 * millisecond as hot, and does not move hot threads. A thread that wakes up after a short sleep may
 * still be in its core's queue, so no other core is looked for. */
#include "runtime/threads/cores.h"

int core_now(void) { return sched_getcpu(); }

void core_leave(const cpu_set_t *taken) {
    cpu_set_t allowed, others;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    /* others = allowed without taken */
    CPU_AND(&others, &allowed, taken);
    CPU_XOR(&others, &allowed, &others);
    if (!CPU_COUNT(&others) || sched_setaffinity(0, sizeof others, &others)) return;
    sched_setaffinity(0, sizeof allowed, &allowed);
}
