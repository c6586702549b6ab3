/* Measures how long it takes until one core sees what another has written: the least cost of
 * handing a value from one thread to another.
 *
 *     cc -O2 -pthread bench/handover.c -o handover && ./handover
 *
 * It prints nanoseconds one way, the best of several short rounds between the first two cores that
 * this process may use; 0 if there is only one. Cores that share a cache take 20 to 60. Those of a
 * virtual machine may lie far apart, and may move while it runs. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { EXCHANGES = 20000, ROUNDS = 10 };
static alignas(64) atomic_int ball;
static int cores[2];

static void stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void wait_for(int number) {
    while (atomic_load_explicit(&ball, memory_order_acquire) != number) continue;
}

static void *give_back(void *unused) {
    stay_on(cores[1]);
    for (int i = 0; i < EXCHANGES * ROUNDS; i++) {
        wait_for(2 * i + 1);
        atomic_store_explicit(&ball, 2 * i + 2, memory_order_release);
    }
    return unused;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double round_seconds(int first) {
    double start = seconds();
    for (int i = first; i < first + EXCHANGES; i++) {
        atomic_store_explicit(&ball, 2 * i + 1, memory_order_release);
        wait_for(2 * i + 2);
    }
    return seconds() - start;
}

static int find_cores(void) {
    cpu_set_t all;
    int found = 0;
    sched_getaffinity(0, sizeof all, &all);
    for (int core = 0; core < CPU_SETSIZE && found < 2; core++)
        if (CPU_ISSET(core, &all)) cores[found++] = core;
    return found;
}

int main(void) {
    if (find_cores() < 2) return puts("0"), 0;
    double best = 1e9;
    pthread_t other;
    if (pthread_create(&other, NULL, give_back, NULL)) return perror("handover"), 1;
    stay_on(cores[0]);
    for (int round = 0; round < ROUNDS; round++) {
        double s = round_seconds(round * EXCHANGES);
        if (s < best) best = s;
    }
    pthread_join(other, NULL);
    printf("%.0f\n", best / (2 * EXCHANGES) * 1e9);
}
