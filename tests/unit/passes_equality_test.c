/* Passes that say EXACT keep every bit: random graphs are interpreted before and after each of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/passes.h"
#include "tests/support/random_graph.h"
#include "tests/support/results.h"

#include <stdlib.h>

enum { SEEDS = 300, STEPS = 2 };

/* What a pass keeps: every bit, or only the meaning (passes.def). */
typedef enum { EXACT, MEANING } Keeps;
static const Keeps keeps[PASS_COUNT] = {
#define PASS(name, kind, level, keep, doc) [PASS_##name] = keep,
#include "passes/passes.def"
};

static void fail_seed(uint64_t seed, const char *after, const char *finding) {
    fail_msg("seed %llu after %s: %s", (unsigned long long)seed, after, finding);
}

static void expect_same(const RunResults *expected, const Compilation *compilation, uint64_t seed,
                        const char *after) {
    Program *program = program_interpret(compilation->graph);
    RunResults *results = results_run(program, seed, STEPS, 1);
    const char *difference = results_difference(expected, results, 0);
    if (difference) fail_seed(seed, after, difference);
    results_free(results);
    program_free(program);
}

/* Runs the passes that define the meaning: their result has the bits that the contract promises. */
static void run_meaning_passes(Compilation *compilation, const PassOptions *options,
                               uint64_t seed) {
    for (PassId pass = 0; pass < PASS_COUNT; pass++)
        if (keeps[pass] == MEANING && !pass_run(pass, compilation, options))
            fail_seed(seed, pass_name(pass), "failed");
}

static void check_seed(uint64_t seed) {
    Diagnostics *diag = diag_new();
    PassOptions options = {.level = 3, .threads = 1};
    Compilation meaning = {.graph = random_graph(seed, diag)},
                compilation = {.graph = random_graph(seed, diag)};
    run_meaning_passes(&meaning, &options, seed);
    run_meaning_passes(&compilation, &options, seed);
    Program *program = program_interpret(meaning.graph);
    RunResults *expected = results_run(program, seed, STEPS, 1);
    for (PassId pass = 0; pass < PASS_COUNT; pass++) {
        if (keeps[pass] != EXACT || pass_makes_plan(pass)) continue;
        if (!pass_run(pass, &compilation, &options)) fail_seed(seed, pass_name(pass), "failed");
        expect_same(expected, &compilation, seed, pass_name(pass));
    }
    results_free(expected);
    program_free(program);
    compilation_free(&meaning);
    compilation_free(&compilation);
    diag_free(diag);
}

static void exact_passes_keep_every_bit(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) check_seed(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exact_passes_keep_every_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
