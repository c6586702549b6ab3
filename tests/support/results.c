/* Provides the memory that a program runs in, and keeps the outputs of every step and the
 * states. */
#include "tests/support/results.h"
#include "tests/support/random_graph.h"

#include "runtime/program/replicated.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct RunResults {
    const Program *program;
    uint64_t seed;
    uint32_t steps, step; /* `step` is the current one, from 1 */
    void **states;        /* [state_count], in the program's layouts */
    void **inputs;        /* [symbol_count] */
    char **outputs;       /* [steps]: the output block */
    void *slab;
    Threads *threads;
    Work work;
    Replicas *replicas;
    StepArgs args;
};

/* Memory is filled with noise, so that reading what was not written shows up. */
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
    for (int axis = shape.rank - 1; axis >= 0 && ++index[axis] == shape.dim[axis]; axis--)
        index[axis] = 0;
}

/* Copies all elements between plain order and a layout. */
static void convert(const PlanState *state, const Symbol *symbol, char *plain, char *laid_out,
                    bool unpack) {
    size_t bytes = dtype_bytes(symbol->dtype);
    int64_t index[SHAPE_MAX_RANK] = {0};
    for (int64_t i = 0, n = shape_elements(symbol->shape); i < n;
         i++, next_index(symbol->shape, index)) {
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

static void run_alone(void *context, const StepArgs *args, int thread, const Piece *piece) {
    const RunResults *results = context;
    (void)thread;
    results->program->run(results->program, args, piece->kernel, piece->first, piece->last);
}

static void run_piece(void *context, int thread, const Piece *piece) {
    const RunResults *results = context;
    replicas_run(results->replicas, results->step, &results->args, thread, piece, run_alone,
                 context);
}

static void run_step(RunResults *results, uint32_t step) {
    results->step = step + 1;
    int32_t *rows = random_rows(results->seed, step, random_batch(results->program->graph));
    results->outputs[step] = dirty_new(results->program->output_bytes);
    results->args =
        (StepArgs){results->slab, results->states,        (const void *const *)results->inputs,
                   rows,          results->outputs[step], NULL};
    threads_work(results->threads, &results->work);
    free(rows);
}

RunResults *results_run(const Program *program, uint64_t seed, uint32_t steps, int threads) {
    const Graph *graph = program->graph;
    RunResults *results = malloc(sizeof *results);
    *results = (RunResults){
        .program = program, .seed = seed, .steps = steps, .slab = dirty_new(program->slab_bytes)};
    results->threads = threads_new(threads);
    results->work = work_of_program(program, threads_count(results->threads));
    results->replicas = replicas_new(program, threads_count(results->threads));
    results->work.run = run_piece;
    results->work.context = results;
    results->states = calloc(program->state_count + 1, sizeof *results->states);
    results->inputs = calloc(graph->symbol_count + 1, sizeof *results->inputs);
    results->outputs = calloc(steps + 1, sizeof *results->outputs);
    for (uint32_t i = 0; i < program->state_count; i++)
        results->states[i] = state_new(program, i, seed);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind != SYMBOL_STATE)
            results->inputs[i] = random_input(&graph->symbols[i], seed);
    for (uint32_t step = 0; step < steps; step++) run_step(results, step);
    return results;
}

void results_free(RunResults *results) {
    if (!results) return;
    for (uint32_t i = 0; i < results->program->state_count; i++) free(results->states[i]);
    for (uint32_t i = 0; i < results->program->graph->symbol_count; i++) free(results->inputs[i]);
    for (uint32_t i = 0; i < results->steps; i++) free(results->outputs[i]);
    free(results->states);
    free(results->inputs);
    free(results->outputs);
    free(results->slab);
    replicas_free(results->replicas);
    work_free(&results->work);
    threads_free(results->threads);
    free(results);
}

/* -- comparing -- */

static char message[512];

/* The two programs whose results are compared. */
typedef struct {
    const RunResults *expected, *got;
    double tolerance;
} ResultPair;

static bool same_real(float a, float b, double tolerance) {
    if (!memcmp(&a, &b, sizeof a) || (isnan(a) && isnan(b))) return true;
    return tolerance > 0 && fabs((double)a - (double)b) <= tolerance * fmax(1, fabs((double)a));
}

static bool same_element(const ResultPair *comparison, DType dtype, const void *a, const void *b,
                         int64_t i) {
    if (dtype == DTYPE_F32)
        return same_real(((const float *)a)[i], ((const float *)b)[i], comparison->tolerance);
    size_t bytes = dtype_bytes(dtype);
    return !memcmp((const char *)a + (size_t)i * bytes, (const char *)b + (size_t)i * bytes, bytes);
}

/* A value of one program and the same value of the other. */
typedef struct {
    const char *kind, *name;
    uint32_t step;
    DType dtype;
    Shape shape;
    const void *expected, *got;
} Pair;

/* false, with a message, at the first element that differs. */
static bool same_tensor(const ResultPair *comparison, const Pair *pair) {
    for (int64_t i = 0, n = shape_elements(pair->shape); i < n; i++) {
        if (same_element(comparison, pair->dtype, pair->expected, pair->got, i)) continue;
        char text[SHAPE_TEXT];
        snprintf(message, sizeof message, "%s '%s' %s, step %u, element %lld: %a, not %a",
                 pair->kind, pair->name, shape_text(pair->dtype, pair->shape, text), pair->step,
                 (long long)i, dtype_element(pair->dtype, pair->got, i),
                 dtype_element(pair->dtype, pair->expected, i));
        return false;
    }
    return true;
}

/* All graphs that come from one graph have their outputs in the same order. */
static bool same_outputs(const ResultPair *comparison, uint32_t step) {
    const RunResults *a = comparison->expected, *b = comparison->got;
    for (uint32_t i = 0; i < a->program->graph->output_count; i++) {
        const Output *output = &a->program->graph->outputs[i];
        const Node *node = graph_node(a->program->graph, output->node);
        Pair pair = {"output",
                     output->name,
                     step,
                     node->dtype,
                     node->shape,
                     a->outputs[step] + a->program->output_offsets[i],
                     b->outputs[step] + b->program->output_offsets[i]};
        if (!same_tensor(comparison, &pair)) return false;
    }
    return true;
}

/* Compares state i of one program with state j of the other, if they are the same state. A program
 * may lack a state that it does not need. */
static bool same_state(const ResultPair *comparison, uint32_t i, uint32_t j) {
    const RunResults *a = comparison->expected, *b = comparison->got;
    const Symbol *symbol = state_symbol(a->program, i);
    if (strcmp(symbol->name, state_symbol(b->program, j)->name) != 0) return true;
    void *left = plain_new(symbol), *right = plain_new(symbol);
    convert(&a->program->states[i], symbol, left, a->states[i], true);
    convert(&b->program->states[j], symbol, right, b->states[j], true);
    bool same = same_tensor(comparison, &(Pair){"state", symbol->name, a->steps, symbol->dtype,
                                                symbol->shape, left, right});
    free(left);
    free(right);
    return same;
}

const char *results_difference(const RunResults *expected, const RunResults *got,
                               double tolerance) {
    ResultPair comparison = {expected, got, tolerance};
    for (uint32_t step = 0; step < expected->steps; step++)
        if (!same_outputs(&comparison, step)) return message;
    for (uint32_t i = 0; i < expected->program->state_count; i++)
        for (uint32_t j = 0; j < got->program->state_count; j++)
            if (!same_state(&comparison, i, j)) return message;
    return NULL;
}
