/* A team of threads. */
#ifndef MLC_RUNTIME_THREADS_THREADS_H
#define MLC_RUNTIME_THREADS_THREADS_H

typedef struct Threads Threads;

/* Starts count - 1 worker threads; the caller is thread 0. Where the system refuses threads there
 * are fewer: results do not depend on their number. */
Threads *threads_new(int count);
void threads_free(Threads *threads);
int threads_count(const Threads *threads);
/* Calls work(context, thread) once on every thread and returns when all calls have. A step's
 * kernels are divided in another way: work.h. */
void threads_run(Threads *threads, void (*work)(void *context, int thread), void *context);
int threads_online(void); /* the cores that this process may use */

#endif
