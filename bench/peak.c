/* The machine's f32 fused-multiply-add peak: what no kernel can exceed.
 *   cc -O3 -march=native -ffp-contract=fast -pthread bench/peak.c -o peak && ./peak THREADS
 * prints GFLOP/s, one multiply-add counted as two operations: the best of several short rounds.
 * Every thread keeps twelve independent vector accumulators busy, which covers latency times
 * throughput of current FMA units; the vector is the widest that the target has (-march), since the
 * compiler splits the type where it must. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined __AVX512F__
enum { LANES = 16 };
#elif defined __AVX__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { CHAINS = 12, REPEATS = 4000000, ROUNDS = 5, MAX_THREADS = 256 };
typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

static void *burn(void *result) {
    Vector chain[CHAINS], factor, addend;
    for (int lane = 0; lane < LANES; lane++) factor[lane] = 0.999f, addend[lane] = 1e-7f;
    for (int i = 0; i < CHAINS; i++) chain[i] = addend * (float)i;
    for (int n = 0; n < REPEATS; n++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * factor + addend;
    Vector sum = chain[0];
    for (int i = 1; i < CHAINS; i++) sum += chain[i];
    *(float *)result = sum[0];
    return NULL;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double round_seconds(int threads) {
    pthread_t thread[MAX_THREADS];
    static float results[MAX_THREADS];
    double start = seconds();
    for (int i = 1; i < threads; i++) pthread_create(&thread[i], NULL, burn, &results[i]);
    burn(&results[0]);
    for (int i = 1; i < threads; i++) pthread_join(thread[i], NULL);
    return seconds() - start;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > MAX_THREADS)
        return fprintf(stderr, "usage: peak THREADS (1..%d)\n", MAX_THREADS), 2;
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double s = round_seconds(threads);
        if (s < best) best = s;
    }
    printf("%.1f\n", 2.0 * LANES * CHAINS * REPEATS * threads / best * 1e-9);
}
