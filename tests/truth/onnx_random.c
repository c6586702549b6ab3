/* onnx_random FOLDER FIRST LAST writes the random graphs of these seeds as ONNX files, for
 * onnx_random.py. Each comes with the bytes of its inputs and the interpreter's results in f32 and
 * in f64. Outputs that depend on a NaN or an infinity are left out, because runtimes lose NaN in
 * maxima. */
#include "passes/passes.h"
#include "tests/support/random_graph.h"
#include "tests/support/random_onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_file(const char *folder, uint64_t seed, const char *name, const void *bytes,
                       size_t length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%llu.%s", folder, (unsigned long long)seed, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file)) exit(1);
}

static void write_outputs(const char *folder, uint64_t seed, const Graph *graph,
                          Precision precision) {
    Interp *interp = interp_new(graph, precision);
    random_onnx_fill(interp, graph, seed, precision);
    interp_run(interp);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        char name[200];
        NodeId node = graph->outputs[i].node;
        if (interp_first_nonfinite(interp, graph->outputs[i].name)) continue;
        snprintf(name, sizeof name, "%s.%s", graph->outputs[i].name,
                 precision == INTERP_F64 ? "f64" : "f32");
        write_file(folder, seed, name, interp_value(interp, node),
                   interp_value_bytes(interp, node));
    }
    interp_free(interp);
}

static void write_inputs(const char *folder, uint64_t seed, const Graph *graph, Arena *arena) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE || !symbol->node) continue;
        write_file(folder, seed, arena_format(arena, "%s.in", symbol->name),
                   random_onnx_values(symbol, seed, arena),
                   (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype));
    }
}

/* The bits that the passes define are those of the primitives. */
static void write_answers(const char *folder, uint64_t seed, Diagnostics *diag) {
    Compilation compilation = {.graph = random_onnx_graph(seed, diag)};
    PassOptions options = {.level = 2, .threads = 1};
    write_outputs(folder, seed, compilation.graph, INTERP_F64);
    if (!pass_run(PASS_expand, &compilation, &options) ||
        !pass_run(PASS_functions, &compilation, &options))
        exit(1);
    write_outputs(folder, seed, compilation.graph, INTERP_F32);
    compilation_free(&compilation);
}

static void write_seed(const char *folder, uint64_t seed) {
    Diagnostics *diag = diag_new();
    Arena *arena = arena_new();
    Exported exported;
    Graph *graph = random_onnx_graph(seed, diag);
    if (random_onnx_export(graph, seed, arena, &exported)) {
        write_file(folder, seed, "onnx", exported.bytes, exported.length);
        write_inputs(folder, seed, graph, arena);
        write_answers(folder, seed, diag);
    }
    free(exported.bytes);
    graph_free(graph);
    arena_free(arena);
    diag_free(diag);
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    uint64_t last = strtoull(arguments[3], NULL, 10);
    for (uint64_t seed = strtoull(arguments[2], NULL, 10); seed <= last; seed++)
        write_seed(arguments[1], seed);
    return 0;
}
