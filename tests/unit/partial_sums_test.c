/* The binary tree over shares: its sum has the same bits however the shares are divided, and is
 * that of the recursive definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/train/partial_sums.h"

#include <string.h>

enum { MAX_SHARES = 40, ELEMENTS = 5 };
static float values[MAX_SHARES][ELEMENTS];

/* Numbers of very different sizes: any other order of additions would round differently. */
static void make_values(void) {
    uint32_t bits = 1;
    for (int i = 0; i < MAX_SHARES; i++)
        for (int j = 0; j < ELEMENTS; j++) {
            bits = bits * 1664525 + 1013904223;
            values[i][j] = ((float)(bits >> 8) - 8388608.0f) / (float)(1 + (bits & 1023));
        }
}

/* docs/numerics.md: pairs (2i, 2i + 1), pairs of pairs; an odd one rises. */
static void add_pairs(float sums[MAX_SHARES][ELEMENTS], int count) {
    while (count > 1) {
        for (int i = 0; i < count / 2; i++)
            for (int j = 0; j < ELEMENTS; j++) sums[i][j] = sums[2 * i][j] + sums[2 * i + 1][j];
        if (count % 2) memcpy(sums[count / 2], sums[count - 1], sizeof sums[0]);
        count = (count + 1) / 2;
    }
}

/* The shares of each of `processes`, as it sends them to an owner. Every second process has them
 * added from where they are. */
static void push_divided(PartialSums *owned, int first, int end, int processes, Threads *threads) {
    for (int p = 0; p < processes; p++) {
        PartialSums own = partial_sums_new(ELEMENTS, threads);
        int low = first + (end - first) * p / processes,
            high = first + (end - first) * (p + 1) / processes;
        for (int i = low; i < high; i++)
            partial_sums_push(&own, (ShareBlock){i, 1},
                              (SumSegment[]){{values[i], 0, 2}, {values[i] + 2, 2, 3}}, 2);
        ShareBlock blocks[PARTIAL_SUMS_MAX];
        assert_int_equal(partial_sums_blocks(low, high, blocks), own.count);
        for (int i = 0; i < own.count; i++) {
            assert_memory_equal(&blocks[i], &own.items[i].block, sizeof *blocks);
            if (p % 2)
                partial_sums_borrow(owned, blocks[i], own.items[i].values);
            else
                partial_sums_push(owned, blocks[i], &(SumSegment){own.items[i].values, 0, ELEMENTS},
                                  1);
        }
        partial_sums_keep(owned);
        partial_sums_free(&own);
    }
}

static void test_any_division(void **state) {
    (void)state;
    make_values();
    Threads *threads = threads_new(2);
    for (int shares = 1; shares <= MAX_SHARES; shares++) {
        float expected[MAX_SHARES][ELEMENTS];
        memcpy(expected, values, sizeof values);
        add_pairs(expected, shares);
        for (int processes = 1; processes <= 9; processes++) {
            PartialSums owned = partial_sums_new(ELEMENTS, threads);
            /* a step of two batches, the first of which has any number of the shares */
            int cut = (processes * 7) % (shares + 1);
            push_divided(&owned, 0, cut, processes, threads);
            push_divided(&owned, cut, shares, processes, threads);
            float sum[ELEMENTS];
            partial_sums_finish(&owned, sum);
            assert_memory_equal(sum, expected[0], sizeof expected[0]);
            assert_int_equal(owned.count, 0);
            partial_sums_free(&owned);
        }
    }
    threads_free(threads);
}

/* Many elements are added on several threads. */
static void test_threads(void **state) {
    (void)state;
    enum { MANY = 1 << 17 };
    static float many[3][MANY];
    for (int i = 0; i < 3 * MANY; i++) many[i / MANY][i % MANY] = (float)(i % 1001) / 7;
    Threads *threads = threads_new(3);
    PartialSums sums = partial_sums_new(MANY, threads);
    for (int i = 0; i < 3; i++)
        partial_sums_push(&sums, (ShareBlock){i, 1},
                          (SumSegment[]){{many[i], 0, MANY - 5}, {many[i] + MANY - 5, MANY - 5, 5}},
                          2);
    static float sum[MANY];
    partial_sums_finish(&sums, sum);
    for (int i = 0; i < MANY; i++) assert_true(sum[i] == (many[0][i] + many[1][i]) + many[2][i]);
    partial_sums_free(&sums);
    threads_free(threads);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_division),
                                       cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
