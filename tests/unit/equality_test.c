/* The machine code computes what the interpreter computes, bit for bit: random graphs, every level,
 * one thread and several, code for this processor and for an older one.
 *   equality_test          sixty seeds, one level each
 *   equality_test 0 1000   these seeds, every level with 1 and 3 threads
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/codegen.h"
#include "passes/passes.h"
#include "tests/support/random_graph.h"
#include "tests/support/results.h"
#include "tests/unit/temporary.h"

enum { STEPS = 3, LEVELS = 4, SEEDS = 60 };

static uint64_t first_seed, last_seed = SEEDS; /* the last one is not included */
static bool all_levels;

/* This processor, or one with AVX2 but without AVX-512 and other later instructions. */
static const char *processor(uint64_t seed) {
#if defined(__x86_64__)
    if (seed / LEVELS % 2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "x86-64-v3";
#endif
    (void)seed;
    return NULL;
}

/* NULL after printing the errors. */
static Program *compile(uint64_t seed, int level, int threads, Diagnostics *diag) {
    Compilation compilation;
    /* a negative number of threads: also share kernels that are too small to gain */
    PassOptions options = {.level = level, .threads = -threads};
    CodegenOptions machine = {.level = level,
                              .cpu = processor(seed),
                              .cache_folder = all_levels ? temporary_folder : NULL};
    Program *program = NULL;
    if (passes_run(&compilation, random_graph(seed, diag), &options, PASS_COUNT - 1))
        program = codegen_compile(compilation.plan, compilation.graph, &machine, diag);
    else
        compilation_free(&compilation);
    diag_print(diag, stderr);
    return program;
}

static uint32_t check_run(const RunResults *expected, const Program *program, uint64_t seed,
                          int level, int threads) {
    RunResults *got = results_run(program, seed, STEPS, threads);
    const char *difference = results_difference(expected, got, 0);
    if (difference)
        fprintf(stderr, "seed %llu, -O%d, %d threads: %s\n", (unsigned long long)seed, level,
                threads, difference);
    results_free(got);
    return difference != NULL;
}

static uint32_t check_level(const RunResults *expected, uint64_t seed, int level) {
    Diagnostics *diag = diag_new();
    Program *program = compile(seed, level, 3, diag);
    uint32_t failures = !program;
    if (program) failures += check_run(expected, program, seed, level, 3);
    if (program && (all_levels || failures))
        failures += check_run(expected, program, seed, level, 1);
    if (!program)
        fprintf(stderr, "seed %llu, -O%d: does not compile\n", (unsigned long long)seed, level);
    program_free(program);
    diag_free(diag);
    return failures;
}

/* Interprets the graph after the passes that define its meaning. */
static uint32_t check_seed(uint64_t seed) {
    Diagnostics *diag = diag_new();
    Compilation compilation;
    uint32_t failures = 0;
    assert_true(passes_run(&compilation, random_graph(seed, diag),
                           &(PassOptions){.level = 0, .threads = 1}, PASS_functions));
    Program *reference = program_interpret(compilation.graph);
    RunResults *expected = results_run(reference, seed, STEPS, 1);
    /* a cache folder, so that code which two levels share is compiled once */
    assert_int_equal(temporary_set_up(NULL), 0);
    for (int level = 0; level < LEVELS; level++)
        if (all_levels || (uint64_t)level == seed % LEVELS)
            failures += check_level(expected, seed, level);
    temporary_tear_down(NULL);
    results_free(expected);
    program_free(reference);
    compilation_free(&compilation);
    diag_free(diag);
    return failures;
}

static void machine_code_equals_the_interpreter(void **state) {
    (void)state;
    uint32_t failures = 0;
    for (uint64_t seed = first_seed; seed < last_seed; seed++) failures += check_seed(seed);
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv) {
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = strtoull(argv[2], NULL, 10);
        all_levels = true;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(machine_code_equals_the_interpreter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
