/* Random graphs as ONNX files. */
#include "tests/support/random_onnx.h"
#include "passes/passes.h"
#include "tests/support/random_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Graph *random_onnx_graph(uint64_t seed, Diagnostics *diag) {
    Compilation compilation = {.graph = random_graph(seed, diag)};
    PassOptions options = {.level = 2, .threads = 1};
    if (!pass_run(PASS_gradients, &compilation, &options)) return NULL;
    passes_expand_exported(&compilation);
    for (uint32_t i = 0; i < compilation.graph->symbol_count; i++)
        compilation.graph->symbols[i].update = NODE_NONE;
    return compilation.graph;
}

typedef struct {
    const Graph *graph;
    Arena *arena;
    uint64_t seed;
} Contents;

/* The numbers are finite, because runtimes lose NaN in maxima. An input of the batch gets its first
 * rows. */
void *random_onnx_values(const Symbol *symbol, uint64_t seed, Arena *arena) {
    int64_t count = shape_elements(symbol->shape);
    size_t bytes = (size_t)count * dtype_bytes(symbol->dtype);
    float *values = arena_alloc(arena, bytes);
    if (symbol->kind == SYMBOL_STATE) {
        state_initialize(symbol, seed, values);
    } else {
        void *rows = random_input(symbol, seed);
        memcpy(values, rows, bytes);
        free(rows);
    }
    for (int64_t i = 0; symbol->dtype == DTYPE_F32 && i < count; i++)
        if (!isfinite(values[i])) values[i] = 0.5f;
    return values;
}

static const void *state_values(void *context, const char *name) {
    const Contents *contents = context;
    return random_onnx_values(graph_symbol(contents->graph, name), contents->seed, contents->arena);
}

bool random_onnx_export(Graph *graph, uint64_t seed, Arena *arena, Exported *exported) {
    Contents contents = {graph, arena, seed};
    ExportInput *inputs = ARENA_ARRAY(arena, ExportInput, graph->symbol_count);
    OnnxExport wanted = {.graph = graph,
                         .state = state_values,
                         .context = &contents,
                         .inputs = inputs,
                         .name = "random"};
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE || !symbol->node) continue;
        inputs[wanted.input_count++] =
            (ExportInput){symbol->name, symbol->name, symbol->node, onnx_type(symbol->dtype)};
    }
    Diagnostics *diag = diag_new();
    bool good = onnx_export(&wanted, arena, exported, diag);
    diag_free(diag);
    return good;
}

void random_onnx_fill(Interp *interp, const Graph *graph, uint64_t seed, Precision precision) {
    Arena *arena = arena_new();
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (!symbol->node) continue;
        const void *values = random_onnx_values(symbol, seed, arena);
        int64_t count = shape_elements(symbol->shape);
        double *reals = interp_value(interp, symbol->node);
        bool wide = precision == INTERP_F64 && symbol->dtype == DTYPE_F32;
        if (!wide) memcpy(reals, values, (size_t)count * dtype_bytes(symbol->dtype));
        for (int64_t k = 0; k < count && wide; k++) reals[k] = (double)((const float *)values)[k];
    }
    arena_free(arena);
}
