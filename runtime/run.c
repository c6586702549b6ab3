/* Running one program: its slab, its inputs and outputs, and the loop in which every thread runs step after step by itself.
 * The outputs are there twice and used in turn: thread 0 may still read those of a step while others have begun the next. */
#include "runtime/run.h"
#include "runtime/memory.h"
#include "runtime/states.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What a thread has to itself: its inputs, with a clock of its own to point to. */
typedef struct {
    const void **inputs;
    RunClock *clock;
} Lane;

struct Runner {
    const Program *program;
    States *states;
    Threads *threads;
    void *const *pointers; /* to the states */
    void *slab, *outputs[2];
    int finished; /* which outputs are those of the last step */
    int64_t batch;
    Lane *lanes;
};

/* -- inputs -- */

/* The last step of an epoch may have fewer batches than the others. */
RunClock run_clock(const RunTimes *times, int64_t batch) {
    RunClock clock = times->start;
    clock.draw += (int32_t)batch;
    clock.update = 1;
    if (!times->accumulate) return clock;
    clock.step += (int32_t)(batch / times->accumulate);
    clock.update = (batch + 1) % times->accumulate == 0 || batch + 1 == times->batches;
    return clock;
}

static Lane lane_new(const Graph *graph) {
    Lane lane = {memory_new(graph->symbol_count * sizeof *lane.inputs), memory_new(sizeof *lane.clock)};
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_VALUE) lane.inputs[i] = run_clock_field(lane.clock, graph->symbols[i].name);
    return lane;
}

static int64_t batch_of(const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH) return graph->symbols[i].shape.dim[0];
    return 0;
}

Runner *runner_new(const Program *program, States *states, Threads *threads, Diagnostics *diag) {
    if (!states_bind(states, program, diag)) return NULL;
    Runner *runner = memory_new(sizeof *runner);
    *runner = (Runner){.program = program, .states = states, .threads = threads, .batch = batch_of(program->graph)};
    runner->pointers = states_pointers(states, program);
    runner->slab = memory_new(program->slab_bytes);
    for (int i = 0; i < 2; i++) runner->outputs[i] = memory_new(program->output_bytes);
    runner->lanes = memory_new((size_t)threads_count(threads) * sizeof *runner->lanes);
    for (int i = 0; i < threads_count(threads); i++) runner->lanes[i] = lane_new(program->graph);
    return runner;
}

void runner_free(Runner *runner) {
    if (!runner) return;
    for (int i = 0; i < threads_count(runner->threads); i++) {
        free(runner->lanes[i].inputs);
        free(runner->lanes[i].clock);
    }
    free(runner->lanes);
    for (int i = 0; i < 2; i++) free(runner->outputs[i]);
    free(runner->slab);
    free(runner);
}

void runner_input(Runner *runner, const char *name, const void *data) {
    const Symbol *symbol = graph_symbol(runner->program->graph, name);
    if (!symbol || symbol->kind == SYMBOL_STATE) return;
    for (int i = 0; i < threads_count(runner->threads); i++)
        runner->lanes[i].inputs[symbol - runner->program->graph->symbols] = data;
}

/* The program's rows are rows of the data set's field. */
static bool rows_agree(const Symbol *symbol, const SourceField *field) {
    bool same = field && symbol->dtype == field->dtype && symbol->shape.rank == field->row.rank + 1;
    return same && !memcmp(&symbol->shape.dim[1], field->row.dim, (size_t)field->row.rank * sizeof *field->row.dim);
}

bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag) {
    const Graph *graph = runner->program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        char shape[SHAPE_TEXT];
        const void *data;
        if (symbol->kind != SYMBOL_BATCH) continue;
        if (!rows_agree(symbol, dataset_find(dataset, symbol->name, &data))) {
            diag_error(diag, STATUS_DATA, (Span){0}, "the model reads '%s' as %s, which the data set does not have",
                       symbol->name, shape_text(symbol->dtype, symbol->shape, shape));
            return false;
        }
        runner_input(runner, symbol->name, data);
    }
    return true;
}

/* -- outputs -- */

static const Output *find_output(const Runner *runner, const char *name, uint32_t *index) {
    const Graph *graph = runner->program->graph;
    for (*index = 0; *index < graph->output_count; ++*index)
        if (!strcmp(graph->outputs[*index].name, name)) return &graph->outputs[*index];
    return NULL;
}

const void *runner_output(const Runner *runner, const char *name) {
    uint32_t index;
    if (!find_output(runner, name, &index)) return NULL;
    return (const char *)runner->outputs[runner->finished] + runner->program->output_offsets[index];
}

size_t runner_place(const Runner *runner, const char *name, int64_t *elements) {
    uint32_t index;
    const Output *output = find_output(runner, name, &index);
    assert(output && graph_node(runner->program->graph, output->node)->dtype == DTYPE_F32);
    *elements = shape_elements(graph_node(runner->program->graph, output->node)->shape);
    return runner->program->output_offsets[index];
}

float run_scalar(const void *outputs, size_t offset) {
    float value;
    memcpy(&value, (const char *)outputs + offset, sizeof value);
    return value;
}

const Program *runner_program(const Runner *runner) {
    return runner->program;
}

/* -- the loop -- */

typedef struct {
    Runner *runner;
    const int32_t *rows;
    int64_t count, done;
    const RunTimes *times;
    int64_t first; /* number of the first batch in the epoch */
    RunAfter *after;
    void *context;
    bool last[2]; /* written by thread 0 before a step, read by all after it; two, as with the outputs */
} Loop;

static void run_step(const Loop *loop, int64_t index, int thread) {
    const Runner *runner = loop->runner;
    const Lane *lane = &runner->lanes[thread];
    *lane->clock = run_clock(loop->times, loop->first + index);
    StepArgs args = {.slab = runner->slab,
                     .states = runner->pointers,
                     .inputs = lane->inputs,
                     .rows = loop->rows + index * runner->batch,
                     .outputs = runner->outputs[index % 2],
                     .barrier = threads_barrier,
                     .barrier_context = runner->threads};
    program_run(runner->program, &args, thread, threads_count(runner->threads));
}

static void loop_thread(void *context, int thread) {
    Loop *loop = context;
    int64_t index = 0;
    bool stopping = false, last = false;
    while (!last && index < loop->count) {
        if (thread == 0) loop->last[index % 2] = stopping;
        run_step(loop, index, thread);
        last = loop->last[index % 2];
        if (thread == 0 && loop->after) stopping = !loop->after(loop->context, index, loop->runner->outputs[index % 2]);
        index++;
    }
    if (thread == 0) loop->done = index;
}

int64_t runner_loop(Runner *runner, const int32_t *rows, int64_t count, const RunTimes *times, int64_t first, RunAfter *after,
                    void *context) {
    Loop loop = {.runner = runner,
                 .rows = rows,
                 .count = count,
                 .times = times,
                 .first = first,
                 .after = after,
                 .context = context};
    threads_run(runner->threads, loop_thread, &loop);
    states_publish(runner->states, runner->program);
    if (loop.done > 0) runner->finished = (int)((loop.done - 1) % 2);
    return loop.done;
}

void runner_step(Runner *runner, const int32_t *rows) {
    runner_loop(runner, rows, 1, &(RunTimes){0}, 0, NULL, NULL);
}

void runner_rows(Runner *runner, const int32_t *rows, int64_t count, RunnerSee *see, void *context) {
    int32_t *batch = memory_new((size_t)runner->batch * sizeof *batch);
    for (int64_t first = 0; first < count; first += runner->batch) {
        int64_t these = count - first < runner->batch ? count - first : runner->batch;
        for (int64_t i = 0; i < runner->batch; i++) batch[i] = rows[first + i % these];
        runner_step(runner, batch);
        see(context, runner, first, these);
    }
    free(batch);
}
