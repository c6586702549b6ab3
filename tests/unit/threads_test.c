/* Worker threads: everybody works, barriers hold, and a barrier orders memory (the sanitizer for threads looks on). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/runtime.h"

#include <unistd.h>

enum { THREADS = 3, ROUNDS = 2000 };

typedef struct {
    Threads *threads;
    int64_t sums[THREADS]; /* plain memory: only barriers keep it in order */
    int64_t totals[THREADS];
    int rounds;
} Work;

static void count_in(void *context, int thread) {
    ((Work *)context)->sums[thread]++;
}

static void test_everybody_works(void **state) {
    (void)state;
    Work work = {.threads = threads_new(THREADS)};
    assert_int_equal(threads_count(work.threads), THREADS);
    for (int round = 1; round <= 100; round++) {
        threads_run(work.threads, count_in, &work);
        for (int i = 0; i < THREADS; i++) assert_int_equal(work.sums[i], round);
    }
    threads_free(work.threads);
}

/* Every thread reads what all the others wrote in the round before. */
static void add_up(void *context, int thread) {
    Work *work = context;
    int count = threads_count(work->threads);
    for (int round = 0; round < work->rounds; round++) {
        work->sums[thread] = round + thread;
        threads_barrier(work->threads, thread);
        for (int i = 0; i < count; i++) work->totals[thread] += work->sums[i];
        threads_barrier(work->threads, thread);
    }
}

static void expect_totals(int count) {
    Work work = {.threads = threads_new(count), .rounds = ROUNDS};
    int64_t expected = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < count; i++) expected += round + i;
    threads_run(work.threads, add_up, &work);
    for (int i = 0; i < count; i++) assert_int_equal(work.totals[i], expected);
    threads_free(work.threads);
}

static void test_barriers_order_memory(void **state) {
    (void)state;
    for (int count = 1; count <= THREADS; count++) expect_totals(count);
}

/* Workers that have gone to sleep between two runs wake up. */
static void test_wakes_sleepers(void **state) {
    (void)state;
    Work work = {.threads = threads_new(THREADS)};
    for (int round = 1; round <= 3; round++) {
        usleep(2000);
        threads_run(work.threads, count_in, &work);
        assert_int_equal(work.sums[THREADS - 1], round);
    }
    usleep(2000);
    threads_free(work.threads);
}

static void test_online(void **state) {
    (void)state;
    assert_in_range(threads_online(), 1, 1 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_works),
        cmocka_unit_test(test_barriers_order_memory),
        cmocka_unit_test(test_wakes_sleepers),
        cmocka_unit_test(test_online),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
