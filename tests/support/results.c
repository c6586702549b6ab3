/* The memory around a program: states in their layouts, outputs of every step. */
#include "tests/support/results.h"
#include "tests/support/random_graph.h"

#include "runtime/runtime.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Results {
    const Program *program;
    uint64_t seed;
    uint32_t steps;
    void **states;  /* [state_count], in the program's layouts */
    void **inputs;  /* [symbol_count] */
    char **outputs; /* [steps]: the output block */
    void *slab;
    Threads *threads;
    StepArgs args;
};

/* The memory is dirty, as it may be in real life: what is not written must not be read. */
static void *dirty_new(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (memory) memset(memory, 0xcd, bytes);
    return memory;
}

static const Symbol *state_symbol(const Program *program, uint32_t i) {
    return &program->graph->symbols[program->states[i].symbol];
}

/* -- layouts -- */

static void next_index(Shape shape, int64_t *index) {
    for (int axis = shape.rank - 1; axis >= 0 && ++index[axis] == shape.dim[axis]; axis--) index[axis] = 0;
}

/* Copies all elements between plain order and a layout. */
static void convert(const PlanState *state, const Symbol *symbol, char *plain, char *laid_out, bool unpack) {
    size_t bytes = dtype_bytes(symbol->dtype);
    int64_t index[SHAPE_MAX_RANK] = {0};
    for (int64_t i = 0, n = shape_elements(symbol->shape); i < n; i++, next_index(symbol->shape, index)) {
        char *there = laid_out + (size_t)layout_offset(state->layout, symbol->shape, index) * bytes,
             *here = plain + (size_t)i * bytes;
        memcpy(unpack ? here : there, unpack ? there : here, bytes);
    }
}

static void *plain_new(const Symbol *symbol) {
    return dirty_new((size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype));
}

static void *state_new(const Program *program, uint32_t i, uint64_t seed) {
    const Symbol *symbol = state_symbol(program, i);
    size_t bytes = layout_bytes(program->states[i].layout, symbol->dtype, symbol->shape);
    void *plain = plain_new(symbol), *laid_out = dirty_new(bytes);
    memset(laid_out, 0, bytes); /* padding is zero */
    state_initialize(symbol, seed, plain);
    convert(&program->states[i], symbol, plain, laid_out, false);
    free(plain);
    return laid_out;
}

/* -- running -- */

static void work(void *context, int thread) {
    Results *results = context;
    program_run(results->program, &results->args, thread, threads_count(results->threads));
}

static void run_step(Results *results, uint32_t step) {
    int32_t *rows = random_rows(results->seed, step, random_batch(results->program->graph));
    results->outputs[step] = dirty_new(results->program->output_bytes);
    results->args =
        (StepArgs){results->slab,   results->states, (const void *const *)results->inputs, rows, results->outputs[step],
                   threads_barrier, results->threads};
    threads_run(results->threads, work, results);
    free(rows);
}

Results *results_run(const Program *program, uint64_t seed, uint32_t steps, int threads) {
    const Graph *graph = program->graph;
    Results *results = malloc(sizeof *results);
    *results = (Results){.program = program, .seed = seed, .steps = steps, .slab = dirty_new(program->slab_bytes)};
    results->threads = threads_new(threads);
    results->states = calloc(program->state_count + 1, sizeof *results->states);
    results->inputs = calloc(graph->symbol_count + 1, sizeof *results->inputs);
    results->outputs = calloc(steps + 1, sizeof *results->outputs);
    for (uint32_t i = 0; i < program->state_count; i++) results->states[i] = state_new(program, i, seed);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind != SYMBOL_STATE) results->inputs[i] = random_input(&graph->symbols[i], seed);
    for (uint32_t step = 0; step < steps; step++) run_step(results, step);
    return results;
}

void results_free(Results *results) {
    if (!results) return;
    for (uint32_t i = 0; i < results->program->state_count; i++) free(results->states[i]);
    for (uint32_t i = 0; i < results->program->graph->symbol_count; i++) free(results->inputs[i]);
    for (uint32_t i = 0; i < results->steps; i++) free(results->outputs[i]);
    free(results->states);
    free(results->inputs);
    free(results->outputs);
    free(results->slab);
    threads_free(results->threads);
    free(results);
}

/* -- comparing -- */

static char message[512];

static bool same_element(DType dtype, const void *a, const void *b, int64_t i) {
    if (dtype == DTYPE_F32 && isnan(((const float *)a)[i]) && isnan(((const float *)b)[i])) return true;
    size_t bytes = dtype_bytes(dtype);
    return !memcmp((const char *)a + (size_t)i * bytes, (const char *)b + (size_t)i * bytes, bytes);
}

static double element(DType dtype, const void *data, int64_t i) {
    if (dtype == DTYPE_F32) return (double)((const float *)data)[i];
    return dtype == DTYPE_I32 ? ((const int32_t *)data)[i] : ((const uint8_t *)data)[i];
}

/* false, with a message, at the first element that differs. */
static bool same_tensor(const char *what, const char *name, uint32_t step, TensorType type, const void *expected,
                        const void *got) {
    for (int64_t i = 0, n = shape_elements(type.shape); i < n; i++) {
        if (same_element(type.dtype, expected, got, i)) continue;
        char text[SHAPE_TEXT];
        snprintf(message, sizeof message, "%s '%s' %s, step %u, element %lld: %a, not %a", what, name,
                 shape_text(type.dtype, type.shape, text), step, (long long)i, element(type.dtype, got, i),
                 element(type.dtype, expected, i));
        return false;
    }
    return true;
}

static bool same_outputs(const Results *expected, const Results *got, uint32_t step) {
    const Program *a = expected->program, *b = got->program;
    for (uint32_t i = 0; i < a->graph->output_count; i++) {
        const Node *node = graph_node(a->graph, a->graph->outputs[i].node);
        const char *left = expected->outputs[step] + a->output_offsets[i], *right = got->outputs[step] + b->output_offsets[i];
        if (!same_tensor("output", a->graph->outputs[i].name, step, (TensorType){node->dtype, node->shape}, left, right))
            return false;
    }
    return true;
}

/* A state may be missing in one of the two if nothing needs it there. */
static bool same_state(const Results *expected, uint32_t a, const Results *got, uint32_t b) {
    const Symbol *symbol = state_symbol(expected->program, a);
    if (strcmp(symbol->name, state_symbol(got->program, b)->name) != 0) return true;
    void *left = plain_new(symbol), *right = plain_new(symbol);
    convert(&expected->program->states[a], symbol, left, expected->states[a], true);
    convert(&got->program->states[b], symbol, right, got->states[b], true);
    bool same = same_tensor("state", symbol->name, got->steps, (TensorType){symbol->dtype, symbol->shape}, left, right);
    free(left);
    free(right);
    return same;
}

const char *results_difference(const Results *expected, const Results *got) {
    for (uint32_t step = 0; step < expected->steps; step++)
        if (!same_outputs(expected, got, step)) return message;
    for (uint32_t a = 0; a < expected->program->state_count; a++)
        for (uint32_t b = 0; b < got->program->state_count; b++)
            if (!same_state(expected, a, got, b)) return message;
    return NULL;
}
