/* Code that reads its constants from tables computes the interpreter's bits, and serves other
 * constants without being compiled again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/codegen.h"
#include "passes/passes.h"
#include "tests/support/random_graph.h"
#include "tests/support/results.h"

#include <stdlib.h>

static Compilation compile_graph(Graph *graph, PassId last) {
    Compilation compilation;
    assert_true(passes_run(&compilation, graph, &(PassOptions){.level = 2, .threads = 2}, last));
    return compilation;
}

/* Moves all constants that no kernel stores into tables; returns their number. */
static uint32_t loosen(const Compilation *compilation) {
    uint32_t count = 0;
    for (NodeId id = 1; id < compilation->graph->node_count; id++) {
        Storage *storage = &compilation->plan->storage[id];
        if (graph_node(compilation->graph, id)->op != OP_constant || storage->kind != STORAGE_NONE)
            continue;
        storage->kind = STORAGE_TABLE;
        count++;
    }
    return count;
}

/* Other values for the f32 constants in tables. */
static void change_constants(const Compilation *compilation) {
    for (NodeId id = 1; id < compilation->graph->node_count; id++) {
        Node *node = &compilation->graph->nodes[id];
        if (compilation->plan->storage[id].kind == STORAGE_TABLE && node->dtype == DTYPE_F32)
            node->attrs.value.f = 1.5f * node->attrs.value.f + 0.25f;
    }
}

static void code_for_other_constants_gives_the_same_bits(void **state) {
    (void)state;
    enum { SEEDS = 30 };
    uint32_t loose = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        Diagnostics *diag = diag_new();
        Compilation reference = compile_graph(random_graph(seed, diag), PASS_functions),
                    first = compile_graph(random_graph(seed, diag), PASS_COUNT - 1),
                    second = compile_graph(random_graph(seed, diag), PASS_COUNT - 1);
        loose += loosen(&first);
        change_constants(&first);
        Program *expected = program_interpret(reference.graph),
                *base =
                    codegen_compile(first.plan, first.graph, &(CodegenOptions){.level = 2}, diag);
        assert_non_null(base);
        Program *shared = codegen_share(base, second.plan, second.graph);
        assert_non_null(shared);
        RunResults *a = results_run(expected, 7, 2, 1), *b = results_run(shared, 7, 2, 2);
        const char *difference = results_difference(a, b, 0);
        if (difference) fail_msg("seed %llu: %s", (unsigned long long)seed, difference);
        results_free(a);
        results_free(b);
        program_free(shared);
        program_free(base);
        program_free(expected);
        compilation_free(&reference);
        diag_free(diag);
    }
    assert_true(loose > 10 * SEEDS);
}

/* y = x * factor + shift, with `width` numbers a row */
static Compilation scaled(Diagnostics *diag, double factor, double shift, int64_t width) {
    Graph *graph = graph_new("scaled", diag);
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, shape_of(2, (int64_t[]){4, width}));
    NodeId scale = build_f32(graph, factor, (Shape){0}), add = build_f32(graph, shift, (Shape){0});
    graph_output(graph, "y",
                 build_binary(graph, OP_add, build_binary(graph, OP_mul, x, scale), add));
    return compile_graph(graph, PASS_COUNT - 1);
}

static bool serves(double factor, double shift, int64_t width, bool all) {
    Diagnostics *diag = diag_new();
    Compilation first = scaled(diag, 3, 5, 8), other = scaled(diag, factor, shift, width);
    if (all) loosen(&first);
    Program *base = codegen_compile(first.plan, first.graph, &(CodegenOptions){.level = 2}, diag);
    Program *shared = codegen_share(base, other.plan, other.graph);
    bool served = shared != NULL;
    if (!served) compilation_free(&other);
    program_free(shared);
    program_free(base);
    diag_free(diag);
    return served;
}

static void only_constants_in_tables_may_differ(void **state) {
    (void)state;
    assert_true(serves(3, 5, 8, false));
    assert_false(serves(4, 5, 8, false));
    assert_true(serves(4, 7, 8, true));
    assert_false(serves(4, 7, 9, true)); /* another shape */
    assert_false(serves(1, 7, 8, true)); /* x * 1 is simplified away */
    assert_false(serves(4, 4, 8, true)); /* one constant instead of two */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_for_other_constants_gives_the_same_bits),
        cmocka_unit_test(only_constants_in_tables_may_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
