/* The cores that the threads of a team run on. */
#ifndef MLC_RUNTIME_THREADS_CORES_H
#define MLC_RUNTIME_THREADS_CORES_H

#include <sched.h>

/* The number of the core that the calling thread runs on; -1 if the system does not tell. The
 * answer may be out of date at once. */
int core_now(void);
/* Moves the calling thread to a core that it may use and that is not among `taken`. The set of
 * cores that the system allows it stays the same. If there is no such core, or the system refuses,
 * nothing happens. */
void core_leave(const cpu_set_t *taken);

#endif
