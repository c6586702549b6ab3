/* Randomness: the published numbers of Philox, and the distributions that states start from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The known answers of the authors' own implementation (Random123, philox4x32-10). */
static void philox_gives_the_published_numbers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {{{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                 {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
                  {UINT32_MAX, UINT32_MAX},
                  {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                 {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                  {0xa4093822, 0x299f31d0},
                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        philox_4x32(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].answer, sizeof out);
    }
}

static void every_argument_matters(void **state) {
    (void)state;
    uint32_t bits = random_bits(1, STREAM_INIT, 2, 3);
    assert_int_equal(bits, random_bits(1, STREAM_INIT, 2, 3));
    assert_int_not_equal(bits, random_bits(1 + ((uint64_t)1 << 32), STREAM_INIT, 2, 3));
    assert_int_not_equal(bits, random_bits(1, STREAM_SHUFFLE, 2, 3));
    assert_int_not_equal(bits, random_bits(1, STREAM_INIT, 3, 3));
    assert_int_not_equal(bits, random_bits(1, STREAM_INIT, 2, 4));
    assert_int_not_equal(bits, random_bits(1, STREAM_INIT, 2, 3 + ((uint64_t)4 << 32)));
}

static void units_are_below_one(void **state) {
    (void)state;
    double sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        float unit = random_unit(3, STREAM_INPUT, 0, i);
        assert_true(unit >= 0 && unit < 1);
        sum += (double)unit;
    }
    assert_true(fabs(sum / 10000 - 0.5) < 0.01);
}

static void permutations_hold_every_number_once(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    int32_t order[COUNT], other[COUNT], in_place = 0;
    bool seen[COUNT] = {false};
    random_permutation(1, STREAM_SHUFFLE, 0, COUNT, order);
    random_permutation(1, STREAM_SHUFFLE, 1, COUNT, other);
    for (int i = 0; i < COUNT; i++) {
        assert_in_range(order[i], 0, COUNT - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        in_place += order[i] == i;
    }
    assert_true(in_place < 10);
    assert_memory_not_equal(order, other, sizeof order);
    random_permutation(1, STREAM_SHUFFLE, 0, 1, order);
    assert_int_equal(order[0], 0);
}

/* Each of the 24 orders of four elements is about equally frequent: chi-squared with 23 degrees of
 * freedom. */
static void permutations_are_uniform(void **state) {
    (void)state;
    enum { DRAWS = 24000 };
    int counts[256] = {0};
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        int32_t order[4];
        random_permutation(9, STREAM_SHUFFLE, draw, 4, order);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    const double expected = (double)DRAWS / 24;
    double chi = 0;
    int kinds = 0;
    for (int i = 0; i < 256; i++) {
        if (!counts[i]) continue;
        kinds++;
        chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    assert_int_equal(kinds, 24);
    assert_true(chi < 50);
}

static Symbol symbol_of(const char *name, int64_t rows, int64_t columns, InitKind kind, float a,
                        float b) {
    return (Symbol){SYMBOL_STATE, name, DTYPE_F32, {2, {rows, columns}},
                    {kind, a, b}, true, NODE_NONE, NODE_NONE};
}

static float *initialized(const Symbol *symbol, uint64_t seed) {
    float *data = malloc((size_t)shape_elements(symbol->shape) * sizeof *data);
    state_initialize(symbol, seed, data);
    return data;
}

static void constants_fill(void **state) {
    (void)state;
    Symbol symbol = symbol_of("w", 3, 1, INIT_CONSTANT, 0.5f, 0);
    float *data = initialized(&symbol, 1);
    assert_true(data[0] == 0.5f && data[2] == 0.5f);
    symbol.dtype = DTYPE_I32;
    symbol.init.a = -7;
    state_initialize(&symbol, 1, data);
    assert_int_equal(((int32_t *)data)[2], -7);
    free(data);
}

static void uniform_stays_in_its_interval(void **state) {
    (void)state;
    Symbol symbol = symbol_of("w", 100, 100, INIT_UNIFORM, -0.25f, 0.75f);
    float *data = initialized(&symbol, 1);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        assert_true(data[i] >= -0.25f && data[i] < 0.75f);
        sum += (double)data[i];
    }
    assert_true(fabs(sum / 10000 - 0.25) < 0.01);
    free(data);
}

/* In an interval that holds two floats, rounding could reach the excluded end. */
static void uniform_never_rounds_to_the_end(void **state) {
    (void)state;
    Symbol symbol = symbol_of("w", 100, 10, INIT_UNIFORM, 1, 1 + 0x1p-23f);
    float *data = initialized(&symbol, 1);
    for (int i = 0; i < 1000; i++) assert_true(data[i] == 1);
    free(data);
}

static void names_and_seeds_keep_states_apart(void **state) {
    (void)state;
    Symbol a = symbol_of("a", 4, 4, INIT_UNIFORM, 0, 1),
           b = symbol_of("b", 4, 4, INIT_UNIFORM, 0, 1);
    float *first = initialized(&a, 1), *named = initialized(&b, 1), *seeded = initialized(&a, 2);
    assert_memory_not_equal(first, named, 16 * sizeof *first);
    assert_memory_not_equal(first, seeded, 16 * sizeof *first);
    free(first);
    free(named);
    free(seeded);
}

/* The distribution function of libm at a normal number must give back the uniform number behind
 * it. */
static void normal_inverts_its_distribution(void **state) {
    (void)state;
    Symbol symbol = symbol_of("w", 100, 1000, INIT_NORMAL, 0, 1);
    float *data = initialized(&symbol, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < 100000; i++) {
        double uniform = (random_bits(1, STREAM_INIT, hash_name("w"), (uint64_t)i) + 0.5) * 0x1p-32,
               x = (double)data[i];
        double density = exp(-x * x / 2) / sqrt(2 * acos(-1));
        double error = (0.5 * erfc(-x / sqrt(2)) - uniform) / density; /* in units of x */
        assert_true(fabs(error) <= fabs(x) * 0x1p-23 + 1e-15);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / 100000) < 0.01 && fabs(squares / 100000 - 1) < 0.02);
    free(data);
}

static void normal_has_mean_and_deviation(void **state) {
    (void)state;
    Symbol standard = symbol_of("w", 2, 2, INIT_NORMAL, 0, 1),
           other = symbol_of("w", 2, 2, INIT_NORMAL, 10, 0.5f);
    float *x = initialized(&standard, 1), *y = initialized(&other, 1);
    for (int i = 0; i < 4; i++) assert_true(fabsf(y[i] - (10 + 0.5f * x[i])) < 1e-6f);
    free(x);
    free(y);
}

static double product(const float *data, int64_t a, int64_t b, int64_t n, int64_t across,
                      int64_t along) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)data[a * across + i * along] * (double)data[b * across + i * along];
    return sum;
}

static void expect_orthogonal(int64_t rows, int64_t columns) {
    Symbol symbol = symbol_of("w", rows, columns, INIT_ORTHOGONAL, 3, 0);
    float *data = initialized(&symbol, 1);
    bool wide = rows <= columns;
    int64_t count = wide ? rows : columns, n = wide ? columns : rows;
    for (int64_t a = 0; a < count; a++)
        for (int64_t b = 0; b <= a; b++)
            assert_true(fabs(product(data, a, b, n, wide ? columns : 1, wide ? 1 : columns) -
                             (a == b ? 9 : 0)) < 1e-5);
    free(data);
}

static void orthogonal_vectors_have_the_gain_as_length(void **state) {
    (void)state;
    expect_orthogonal(5, 9);
    expect_orthogonal(9, 5);
    expect_orthogonal(6, 6);
    expect_orthogonal(1, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(every_argument_matters),
        cmocka_unit_test(units_are_below_one),
        cmocka_unit_test(permutations_hold_every_number_once),
        cmocka_unit_test(permutations_are_uniform),
        cmocka_unit_test(constants_fill),
        cmocka_unit_test(uniform_stays_in_its_interval),
        cmocka_unit_test(uniform_never_rounds_to_the_end),
        cmocka_unit_test(names_and_seeds_keep_states_apart),
        cmocka_unit_test(normal_inverts_its_distribution),
        cmocka_unit_test(normal_has_mean_and_deviation),
        cmocka_unit_test(orthogonal_vectors_have_the_gain_as_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
