/* Running one program: its slab, inputs and outputs, and the loop over batches. The threads do not
 * leave threads_work between two batches. The thread that finishes a batch calls end_step, which
 * prepares the next one. */
#include "runtime/program/run.h"
#include "ir/base/memory.h"
#include "runtime/program/replicated.h"
#include "runtime/program/states.h"
#include "runtime/threads/work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct Runner {
    const Program *program;
    States *states;
    Threads *threads;
    void *const *pointers; /* to the states */
    const void **inputs;
    RunClock clock; /* VALUE inputs point into it */
    void *slab, *outputs;
    int64_t batch;
    Work work; /* of a step */
    Replicas *replicas;
    uint64_t steps; /* batches begun */
    RunWatch *watch;
    void *watcher;
};

/* -- inputs -- */

/* The clock of a share. `update` is 1 at the last share of a step; the last step of an epoch may
 * have fewer batches than the others. */
RunClock run_clock(const RunTimes *times, int64_t share) {
    RunClock clock = times->start;
    clock.draw += (int32_t)share;
    clock.update = 1;
    if (!times->accumulate) return clock;
    Share now = cut_share(&times->cut, share);
    int64_t next = now.batch + 1;
    clock.draw = times->start.draw + (int32_t)now.batch;
    clock.row = (int32_t)now.first;
    clock.step += (int32_t)(now.batch / times->accumulate);
    clock.update = now.ends && (next % times->accumulate == 0 || next == cut_batches(&times->cut));
    return clock;
}

Runner *runner_new(const Program *program, States *states, Threads *threads, Diagnostics *diag) {
    if (!states_bind(states, program, diag)) return NULL;
    Runner *runner = memory_new(sizeof *runner, "a batch");
    *runner = (Runner){.program = program,
                       .states = states,
                       .threads = threads,
                       .batch = graph_batch_rows(program->graph)};
    runner->pointers = states_pointers(states, program);
    runner->slab = memory_new(program->slab_bytes, "a batch");
    runner->outputs = memory_new(program->output_bytes, "a batch");
    runner->inputs = memory_new(program->graph->symbol_count * sizeof *runner->inputs, "a batch");
    for (uint32_t i = 0; i < program->graph->symbol_count; i++)
        if (program->graph->symbols[i].kind == SYMBOL_VALUE)
            runner->inputs[i] = run_clock_field(&runner->clock, program->graph->symbols[i].name);
    runner->work = work_of_program(program, threads_count(threads));
    runner->replicas = replicas_new(program, threads_count(threads));
    return runner;
}

void runner_free(Runner *runner) {
    if (!runner) return;
    replicas_free(runner->replicas);
    work_free(&runner->work);
    free(runner->inputs);
    free(runner->outputs);
    free(runner->slab);
    free(runner);
}

void runner_input(Runner *runner, const char *name, const void *data) {
    const Symbol *symbol = graph_symbol(runner->program->graph, name);
    if (symbol && symbol->kind != SYMBOL_STATE)
        runner->inputs[symbol - runner->program->graph->symbols] = data;
}

/* Whether an input has the type of the data set's field. */
static bool rows_agree(const Symbol *symbol, const SourceField *field) {
    bool same = field && symbol->dtype == field->dtype && symbol->shape.rank == field->row.rank + 1;
    return same && !memcmp(&symbol->shape.dim[1], field->row.dim,
                           (size_t)field->row.rank * sizeof *field->row.dim);
}

bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag) {
    const Graph *graph = runner->program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        char shape[SHAPE_TEXT];
        const void *data;
        if (symbol->kind != SYMBOL_BATCH || !symbol->node) continue;
        if (!dataset_derive(dataset, symbol->name, graph_node(graph, symbol->node)->span, diag))
            return false;
        if (!rows_agree(symbol, dataset_find(dataset, symbol->name, &data))) {
            diag_error(diag, STATUS_DATA, (Span){0},
                       "the model reads '%s' as %s, which the data set does not have", symbol->name,
                       shape_text(symbol->dtype, symbol->shape, shape));
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
    return (const char *)runner->outputs + runner->program->output_offsets[index];
}

const Node *runner_place(const Runner *runner, const char *name, size_t *offset) {
    uint32_t index;
    const Output *output = find_output(runner, name, &index);
    assert(output);
    *offset = runner->program->output_offsets[index];
    return graph_node(runner->program->graph, output->node);
}

float run_scalar(const void *outputs, size_t offset) {
    float value;
    memcpy(&value, (const char *)outputs + offset, sizeof value);
    return value;
}

const Program *runner_program(const Runner *runner) { return runner->program; }

/* -- the loop -- */

typedef struct {
    Runner *runner;
    StepArgs args;
    const int32_t *rows;
    int64_t count, done;
    const RunTimes *times;
    int64_t first; /* the number of the first share in the epoch */
    RunAfter *after;
    void *context;
} BatchLoop;

static void begin_step(BatchLoop *loop) {
    Runner *runner = loop->runner;
    runner->steps++;
    runner->clock = run_clock(loop->times, loop->first + loop->done);
    loop->args = (StepArgs){.slab = runner->slab,
                            .states = runner->pointers,
                            .inputs = runner->inputs,
                            .rows = loop->rows + loop->done * runner->batch,
                            .outputs = runner->outputs};
}

static bool end_step(void *context) {
    BatchLoop *loop = context;
    int64_t index = loop->done++;
    bool more = !loop->after || loop->after(loop->context, index, loop->runner->outputs);
    if (!more || loop->done == loop->count) return false;
    begin_step(loop);
    return true;
}

static void run_watched(void *context, const StepArgs *args, int thread, const Piece *piece) {
    const Runner *runner = context;
    if (runner->watch) runner->watch(runner->watcher, thread, piece->kernel, true);
    runner->program->run(runner->program, args, piece->kernel, piece->first, piece->last);
    if (runner->watch) runner->watch(runner->watcher, thread, piece->kernel, false);
}

static void run_piece(void *context, int thread, const Piece *piece) {
    const BatchLoop *loop = context;
    replicas_run(loop->runner->replicas, loop->runner->steps, &loop->args, thread, piece,
                 run_watched, loop->runner);
}

int64_t runner_loop(Runner *runner, const int32_t *rows, int64_t count, const RunTimes *times,
                    int64_t first, RunAfter *after, void *context) {
    BatchLoop loop = {.runner = runner,
                      .rows = rows,
                      .count = count,
                      .times = times,
                      .first = first,
                      .after = after,
                      .context = context};
    if (count == 0) return 0;
    begin_step(&loop);
    Work work = runner->work;
    work.run = run_piece;
    work.again = end_step;
    work.context = &loop;
    threads_work(runner->threads, &work);
    states_publish(runner->states, runner->program);
    return loop.done;
}

void runner_step(Runner *runner, const int32_t *rows) {
    runner_loop(runner, rows, 1, &(RunTimes){0}, 0, NULL, NULL);
}

void runner_rows(Runner *runner, const int32_t *rows, int64_t count, RunnerVisit *visit,
                 void *context) {
    int32_t *batch = memory_new((size_t)runner->batch * sizeof *batch, "a batch");
    for (int64_t first = 0; first < count; first += runner->batch) {
        int64_t these = count - first < runner->batch ? count - first : runner->batch;
        for (int64_t i = 0; i < runner->batch; i++) batch[i] = rows[first + i % these];
        runner_step(runner, batch);
        visit(context, runner, first, these);
    }
    free(batch);
}

void runner_watch(Runner *runner, RunWatch *watch, void *context) {
    runner->watch = watch;
    runner->watcher = context;
}
