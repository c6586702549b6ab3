/* A team of threads. */
#ifndef MLC_RUNTIME_THREADS_THREADS_H
#define MLC_RUNTIME_THREADS_THREADS_H

typedef struct Threads Threads;
/* count - 1 worker threads; the caller is thread 0. Waiting spins for a few microseconds, then yields, then sleeps (futex). */
Threads *threads_new(int count);
void threads_free(Threads *threads);
int threads_count(const Threads *threads);
/* Runs work(context, thread) on all threads and waits for all. How they share the work of a step: runtime/threads/work.h. */
void threads_run(Threads *threads, void (*work)(void *context, int thread), void *context);
int threads_online(void); /* cores this process may use */

#endif
