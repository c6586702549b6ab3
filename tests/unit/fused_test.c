/* Multiply-adds with one rounding on processors without an instruction for them: numbers for which
 * two roundings give another result, and all magnitudes down to the smallest. fmaf of the C library
 * is right by definition. */
#include "codegen/codegen.h"
#include "ir/base/memory.h"
#include "ir/ops/random.h"
#include "passes/passes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* STEPS of k: few make a kernel with other tiles than many. */
enum { ROWS = 13, COLUMNS = 100, TRIPLES = ROWS * COLUMNS, ROUNDS = 120, STEPS = 40 };

typedef struct {
    float a[TRIPLES], b[TRIPLES], c[TRIPLES];
} Numbers;

static uint32_t draw(uint64_t *at) { return random_bits(3, STREAM_INPUT, 0, (*at)++); }

static float of_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Any bits; small whole numbers and powers of two; zeros, infinities and NaN. */
static float any_number(uint64_t *at) {
    static const float special[] = {0.0F, -0.0F, 1.0F, INFINITY, NAN, 0x1p-149F, 0x1.fffffep127F};
    uint32_t bits = draw(at), kind = draw(at) % 8;
    if (kind < 4) return of_bits(bits);
    if (kind < 6) return ldexpf((float)(bits % 9) - 4, (int)(draw(at) % 40) - 20);
    if (kind == 6) return special[bits % 7];
    return of_bits((bits & 0x807fffff) | (uint32_t)(bits >> 3 & 31) << 23); /* below 2^-95 */
}

/* a * b = half(1 - j^2 2^-46), where `half` is half of the distance of c to its neighbours: c + a *
 * b lies so close to the middle between two floats that double rounds it there. */
static void near_middle(uint64_t *at, int exponent, int split, float *a, float *b, float *c) {
    float j = (float)(draw(at) % 5) * 0x1p-23F, sign = draw(at) % 2 ? 1 : -1;
    float mantissa = 1 + (float)(draw(at) & 0x7fffff) * 0x1p-23F;
    *c = ldexpf(draw(at) % 2 ? mantissa : -mantissa, exponent);
    int half = (exponent > -126 ? exponent : -126) - 24;
    *a = ldexpf(1 + j, half / 2 + split);
    *b = ldexpf(sign * (1 - j), half - half / 2 - split);
}

static int draw_exponent(uint64_t *at) { return (int)(draw(at) % 260) - 149; }
static int draw_split(uint64_t *at) { return (int)(draw(at) % 60) - 30; }

/* `uniform` numbers have the same exponent, so that no number makes its neighbours take the slow
 * path. */
static void draw_numbers(uint64_t *at, bool uniform, Numbers *numbers) {
    int exponent = draw_exponent(at), split = draw_split(at);
    for (int i = 0; i < TRIPLES; i++) {
        float *a = &numbers->a[i], *b = &numbers->b[i], *c = &numbers->c[i];
        if (uniform)
            near_middle(at, exponent, split, a, b, c);
        else if (i % 3)
            near_middle(at, draw_exponent(at), draw_split(at), a, b, c);
        else
            *a = any_number(at), *b = any_number(at), *c = any_number(at);
    }
}

/* -- the program: fma(a, b, c) element by element, and as steps k of a product -- */

static Graph *make_graph(int steps, Diagnostics *diag) {
    Graph *graph = graph_new("fused", diag);
    Shape list = {.rank = 1, .dim = {TRIPLES}}, left = {.rank = 2, .dim = {ROWS, steps}},
          right = {.rank = 2, .dim = {steps, COLUMNS}};
    NodeId a = graph_input(graph, SYMBOL_VALUE, "a", DTYPE_F32, list),
           b = graph_input(graph, SYMBOL_VALUE, "b", DTYPE_F32, list),
           c = graph_input(graph, SYMBOL_VALUE, "c", DTYPE_F32, list),
           x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, left),
           y = graph_input(graph, SYMBOL_VALUE, "y", DTYPE_F32, right);
    graph_output(graph, "list", build_ternary(graph, OP_fma, a, b, c));
    graph_output(graph, "product", build_matmul(graph, x, y, false, false));
    return graph;
}

static Program *compile(const char *cpu, int steps, Diagnostics *diag) {
    Compilation compilation;
    const PassOptions passes = {.level = 2, .threads = 1};
    const CodegenOptions options = {.level = 2, .cpu = cpu};
    assert_true(passes_run(&compilation, make_graph(steps, diag), &passes, PASS_COUNT - 1));
    return codegen_compile(compilation.plan, compilation.graph, &options, diag);
}

static void assert_same(float got, float expected, float a, float b, float c) {
    if (!memcmp(&got, &expected, sizeof got) || (isnan(got) && isnan(expected))) return;
    fail_msg("%a * %a + %a is %a, not %a", (double)a, (double)b, (double)c, (double)expected,
             (double)got);
}

static float x[ROWS * STEPS], y[STEPS * COLUMNS];

/* x = [c, a] and y = [1, b], or x = [1, a] and y = [c, b]: the product is fma(a, b, fma(c, 1, 0)).
 * third: a third step adds another product. Further steps add 0. */
static void fill_operands(const Numbers *numbers, int steps, bool c_in_rows, bool third) {
    memset(x, 0, sizeof x);
    memset(y, 0, sizeof y);
    for (int i = 0; i < ROWS; i++) {
        float *row = &x[i * steps];
        row[0] = c_in_rows ? numbers->c[i] : 1;
        row[1] = numbers->a[i];
        if (third) row[2] = numbers->b[ROWS + i];
    }
    for (int j = 0; j < COLUMNS; j++) {
        y[j] = c_in_rows ? 1 : numbers->c[j];
        y[COLUMNS + j] = numbers->b[j];
        if (third) y[2 * COLUMNS + j] = numbers->a[COLUMNS + j];
    }
}

/* Adds 0 at the end, as a product is never -0. */
static void check_product(const float *product, int steps) {
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            float sum = 0, before = 0, a = 0, b = 0;
            for (int k = 0; k < steps; k++) {
                before = sum, a = x[i * steps + k], b = y[k * COLUMNS + j];
                sum = fmaf(a, b, sum);
            }
            assert_same(product[i * COLUMNS + j], sum + 0.0F, a, b, before);
        }
}

static void check_round(const Program *program, int steps, const Numbers *numbers, StepArgs *args) {
    static const void *inputs[5];
    memcpy(inputs, (const void *[]){numbers->a, numbers->b, numbers->c, x, y}, sizeof inputs);
    const char *outputs = args->outputs;
    const float *list = (const float *)(outputs + program->output_offsets[0]);
    args->inputs = inputs;
    for (int form = 0; form < 4; form++) {
        fill_operands(numbers, steps, form % 2, steps > 2 && form / 2);
        program_run(program, args);
        check_product((const float *)(outputs + program->output_offsets[1]), steps);
    }
    for (int i = 0; i < TRIPLES; i++) {
        float a = numbers->a[i], b = numbers->b[i], c = numbers->c[i];
        assert_same(list[i], fmaf(a, b, c), a, b, c);
    }
}

static void check_steps(const char *cpu, int steps) {
    Diagnostics *diag = diag_new();
    Program *program = compile(cpu, steps, diag);
    assert_non_null(program);
    StepArgs args = {.slab = memory_new(program->slab_bytes + 64, "a test"),
                     .outputs = memory_new(program->output_bytes, "a test"),
                     .thread_slab = memory_new(program->thread_slab_bytes + 64, "a test")};
    static Numbers numbers;
    uint64_t at = 0;
    for (int round = 0; round < ROUNDS; round++) {
        draw_numbers(&at, round % 4, &numbers);
        check_round(program, steps, &numbers, &args);
    }
    free(args.slab);
    free(args.outputs);
    free(args.thread_slab);
    program_free(program);
    diag_free(diag);
}

static void check_cpu(const char *cpu) {
    check_steps(cpu, 2);
    check_steps(cpu, STEPS);
}

static void oldest(void **state) {
    (void)state;
    check_cpu("x86-64");
}

static void second(void **state) {
    (void)state;
    check_cpu("x86-64-v2");
}

static void this_machine(void **state) {
    (void)state;
    check_cpu(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(oldest), cmocka_unit_test(second),
                                       cmocka_unit_test(this_machine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
