/* The expansions of pow and of remainders: errors in ulp, special values, exactness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/pass_list.h"
#include "tests/support/function_machine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- pow -- */

static const double POW_ULP = 3;

static void check_pow(float a, float b, float y) {
    double error = error_in_ulp(y, pow((double)a, (double)b));
    if (!(error <= POW_ULP))
        fail_msg("pow(%a, %a) = %a: %.3f ulp", (double)a, (double)b, (double)y, error);
}

static uint32_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Bases of every size and near 1, with exponents that cover the whole range of results. */
static void test_pow_is_accurate(void **state) {
    (void)state;
    FunctionMachine machine = machine_open(OP_pow, NULL);
    float *a = machine_values(&machine, machine.in[0]),
          *b = machine_values(&machine, machine.in[1]);
    uint64_t seed = 1;
    for (int at = 0; at < SAMPLES / 2; at += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            uint32_t bits = next_random(&seed) & 0x7fffffff;
            if (i % 2) bits = 0x3f000000 + (bits & 0xffffff); /* 0.5 .. 2 */
            memcpy(&a[i], &bits, sizeof bits);
            double wanted = next_random(&seed) * 0x1p-32 * 300 - 150;
            b[i] = (float)(wanted / log2((double)a[i]));
        }
        interp_run(machine.interp);
        for (int i = 0; i < CHUNK; i++)
            check_pow(a[i], b[i], machine_values(&machine, machine.out)[i]);
    }
    machine_close(&machine);
}

static const float pow_special[] = {0,
                                    -0.0f,
                                    1,
                                    -1,
                                    2,
                                    -2,
                                    3,
                                    -3,
                                    0.5f,
                                    -0.5f,
                                    1.5f,
                                    -1.5f,
                                    INFINITY,
                                    -INFINITY,
                                    NAN,
                                    0x1p-149f,
                                    -0x1p-149f,
                                    1e38f,
                                    -1e38f,
                                    16777216,
                                    16777215,
                                    -16777215,
                                    0x1.fffffep-1f,
                                    0x1.000002p0f};
enum { POW_SPECIALS = sizeof pow_special / sizeof *pow_special };

static void test_pow_special_values(void **state) {
    (void)state;
    FunctionMachine machine = machine_open(OP_pow, NULL);
    float *a = machine_values(&machine, machine.in[0]),
          *b = machine_values(&machine, machine.in[1]);
    for (int i = 0; i < POW_SPECIALS * POW_SPECIALS; i++) {
        a[i] = pow_special[i / POW_SPECIALS];
        b[i] = pow_special[i % POW_SPECIALS];
    }
    interp_run(machine.interp);
    for (int i = 0; i < POW_SPECIALS * POW_SPECIALS; i++)
        check_pow(a[i], b[i], machine_values(&machine, machine.out)[i]);
    machine_close(&machine);
}

static void test_pow_of_constant_exponent(void **state) {
    (void)state;
    const float exponents[] = {0, 1, 2, 3, -1, 0.5f, -0.5f, 2.5f, -2, -3, NAN};
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
        FunctionMachine machine = machine_open(OP_pow, &exponents[k]);
        float *a = machine_values(&machine, machine.in[0]);
        for (int i = 0; i < CHUNK; i++)
            a[i] = i < POW_SPECIALS ? pow_special[i] : (float)i * 0.37f - 3000;
        interp_run(machine.interp);
        for (int i = 0; i < CHUNK; i++)
            check_pow(a[i], exponents[k], machine_values(&machine, machine.out)[i]);
        machine_close(&machine);
    }
}

static void test_easy_exponents_are_cheap(void **state) {
    (void)state;
    FunctionMachine machine = machine_open(OP_pow, &(float){2});
    assert_int_equal(machine.graph->node_count, 1 + 3); /* the base, the exponent, one product */
    machine_close(&machine);
}

/* -- remainders: exact, so every bit counts -- */

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* fmod is exact; the sum with the divisor is rounded once, to f32. */
static float exact_remainder(float a, float b) {
    float rest = (float)fmod((double)a, (double)b);
    if (rest == 0) return copysignf(0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

static void check_remainders(FunctionMachine *machine) {
    const float *a = machine_values(machine, machine->in[0]),
                *b = machine_values(machine, machine->in[1]);
    const float *got = machine_values(machine, machine->out);
    interp_run(machine->interp);
    for (int i = 0; i < CHUNK; i++) {
        float expected = exact_remainder(a[i], b[i]);
        if (!(isnan(expected) && isnan(got[i])) && memcmp(&expected, &got[i], sizeof expected) != 0)
            fail_msg("%a %% %a = %a, not %a", (double)a[i], (double)b[i], (double)got[i],
                     (double)expected);
    }
}

/* Operands with random bits, among them huge quotients and denormals; then quotients near whole
 * numbers; then special values. */
static void test_remainder_is_exact(void **state) {
    (void)state;
    FunctionMachine machine = machine_open(OP_remainder, NULL);
    float *a = machine_values(&machine, machine.in[0]),
          *b = machine_values(&machine, machine.in[1]);
    uint64_t seed = 3;
    for (int at = 0; at < SAMPLES / 4; at += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            a[i] = float_of(next_random(&seed));
            b[i] = float_of(next_random(&seed));
            if (i % 3 == 1) a[i] = b[i] * (float)(next_random(&seed) % 5000);
            if (i % 3 == 2) b[i] = float_of(next_random(&seed) & 0x807fffff);
        }
        check_remainders(&machine);
    }
    for (int i = 0; i < CHUNK; i++) {
        a[i] = pow_special[i / POW_SPECIALS % POW_SPECIALS];
        b[i] = pow_special[i % POW_SPECIALS];
    }
    check_remainders(&machine);
    machine_close(&machine);
}

static void test_whole_remainder(void **state) {
    (void)state;
    const int32_t special[] = {0,
                               1,
                               -1,
                               2,
                               -2,
                               3,
                               -3,
                               7,
                               10,
                               -10,
                               65535,
                               65536,
                               INT32_MAX,
                               INT32_MIN,
                               INT32_MAX - 1,
                               INT32_MIN + 1};
    enum { SPECIALS = sizeof special / sizeof *special };
    FunctionMachine machine = machine_open_of(OP_remainder, DTYPE_I32, NULL);
    int32_t *a = interp_value(machine.interp, machine.in[0]),
            *b = interp_value(machine.interp, machine.in[1]);
    uint64_t seed = 4;
    for (int at = 0; at < SAMPLES / 4; at += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            a[i] =
                i % 4 == 3 ? special[next_random(&seed) % SPECIALS] : (int32_t)next_random(&seed);
            b[i] = i % 4 == 2 ? special[next_random(&seed) % SPECIALS]
                              : (int32_t)next_random(&seed) >> next_random(&seed) % 32;
            if (i < SPECIALS * SPECIALS) a[i] = special[i / SPECIALS], b[i] = special[i % SPECIALS];
        }
        interp_run(machine.interp);
        const int32_t *got = interp_value(machine.interp, machine.out);
        for (int i = 0; i < CHUNK; i++) {
            int64_t rest = b[i] ? (int64_t)a[i] % b[i] : 0,
                    expected = rest && (rest < 0) != (b[i] < 0) ? rest + b[i] : rest;
            if (got[i] != expected)
                fail_msg("%d %% %d = %d, not %d", a[i], b[i], got[i], (int)expected);
        }
    }
    machine_close(&machine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pow_is_accurate),
        cmocka_unit_test(test_pow_special_values),
        cmocka_unit_test(test_pow_of_constant_exponent),
        cmocka_unit_test(test_remainder_is_exact),
        cmocka_unit_test(test_whole_remainder),
        cmocka_unit_test(test_easy_exponents_are_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
