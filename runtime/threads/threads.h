/* A team of threads. */
#ifndef MLC_RUNTIME_THREADS_THREADS_H
#define MLC_RUNTIME_THREADS_THREADS_H

typedef struct Threads Threads;

/* Starts count - 1 worker threads; the caller is thread 0. The team is smaller if the system
 * refuses threads; results do not depend on its size. */
Threads *threads_new(int count);
void threads_free(Threads *threads);
int threads_count(const Threads *threads);
/* Calls work(context, thread) once on every thread and returns when all calls have returned. The
 * kernels of a step are divided differently: see work.h. */
void threads_run(Threads *threads, void (*work)(void *context, int thread), void *context);
int threads_online(void); /* the cores that this process may use */

#endif
