/* Running one program: its slab, inputs and outputs, and the loop over batches. The threads do not
 * leave threads_work between two batches. The thread that finishes a batch calls end_step, which
 * prepares the next one. */
#include "runtime/program/run.h"
#include "ir/base/memory.h"
#include "runtime/device/device.h"
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
    DeviceRun *on_device; /* NULL: the threads run the steps */
    RunMarked *marked;    /* called with `watcher` */
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

/* Binds the inputs that are fields of the clock, such as the number of the step. */
static void bind_clock(Runner *runner) {
    const Graph *graph = runner->program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        if (graph->symbols[i].kind != SYMBOL_VALUE) continue;
        const int32_t *field = run_clock_field(&runner->clock, graph->symbols[i].name);
        runner->inputs[i] = field;
        if (field && runner->on_device)
            device_run_clock(runner->on_device, i,
                             (size_t)((const char *)field - (const char *)&runner->clock));
    }
}

Runner *runner_new(const Program *program, States *states, Threads *threads, Diagnostics *diag) {
    if (!states_bind(states, program, diag)) return NULL;
    Runner *runner = memory_new(sizeof *runner, "a batch");
    *runner = (Runner){.program = program,
                       .states = states,
                       .threads = threads,
                       .batch = graph_batch_rows(program->graph)};
    runner->pointers = states_pointers(states, program);
    runner->outputs = memory_new(program->output_bytes, "a batch");
    runner->inputs = memory_new(program->graph->symbol_count * sizeof *runner->inputs, "a batch");
    if (program->device) {
        runner->on_device =
            device_run_new(program, runner->pointers, states_versions(states, program), diag);
        if (!runner->on_device) {
            runner_free(runner);
            return NULL;
        }
    } else {
        runner->slab = memory_new(program->slab_bytes, "a batch");
        runner->work = work_of_program(program, threads_count(threads));
        runner->replicas = replicas_new(program, threads_count(threads));
    }
    bind_clock(runner);
    return runner;
}

void runner_free(Runner *runner) {
    if (!runner) return;
    device_run_free(runner->on_device);
    replicas_free(runner->replicas);
    work_free(&runner->work);
    free(runner->inputs);
    free(runner->outputs);
    free(runner->slab);
    free(runner);
}

/* rows: of the data set; NULL: not known. */
static void bind_input(Runner *runner, const char *name, const void *data, const RowBlock *rows) {
    const Graph *graph = runner->program->graph;
    const Symbol *symbol = graph_symbol(graph, name);
    if (!symbol || symbol->kind == SYMBOL_STATE) return;
    uint32_t index = (uint32_t)(symbol - graph->symbols);
    runner->inputs[index] = data;
    if (runner->on_device && symbol->kind == SYMBOL_BATCH)
        device_run_data(runner->on_device, index, data, rows);
    else if (runner->on_device)
        device_run_value(runner->on_device, index, data);
}

void runner_input(Runner *runner, const char *name, const void *data) {
    bind_input(runner, name, data, NULL);
}

void runner_table(Runner *runner, const char *name, const void *data, int64_t rows) {
    const RowBlock blocks[ROW_BLOCKS] = {{0, rows}, {rows, 0}};
    bind_input(runner, name, data, blocks);
}

/* Whether an input has the type of the data set's field. */
static bool rows_agree(const Symbol *symbol, const SourceField *field) {
    bool same = field && symbol->dtype == field->dtype && symbol->shape.rank == field->row.rank + 1;
    return same && !memcmp(&symbol->shape.dim[1], field->row.dim,
                           (size_t)field->row.rank * sizeof *field->row.dim);
}

bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag) {
    const Graph *graph = runner->program->graph;
    RowBlock blocks[ROW_BLOCKS];
    dataset_row_blocks(dataset, blocks);
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
        bind_input(runner, symbol->name, data, blocks);
    }
    return !device_failed(runner->program->device);
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

static int64_t loop_on_threads(BatchLoop *loop) {
    begin_step(loop);
    Work work = loop->runner->work;
    work.run = run_piece;
    work.again = end_step;
    work.context = loop;
    threads_work(loop->runner->threads, &work);
    return loop->done;
}

static void report_marks(const Runner *runner, int64_t steps) {
    if (!runner->marked) return;
    uint32_t blocks;
    const uint64_t *times = device_run_times(runner->on_device, &blocks);
    runner->marked(runner->watcher, times, steps, blocks);
}

/* Runs the next steps at once; false: `after` ends the loop, or the device has failed. */
static bool run_on_device(BatchLoop *loop, RunClock *clocks, int64_t count) {
    Runner *runner = loop->runner;
    for (int64_t s = 0; s < count; s++)
        clocks[s] = run_clock(loop->times, loop->first + loop->done + s);
    if (!device_run_steps(runner->on_device, loop->rows + loop->done * runner->batch, clocks,
                          count))
        return false;
    bool more = true;
    report_marks(runner, count);
    for (int64_t s = 0; s < count; s++) {
        const void *outputs = device_run_outputs(runner->on_device, s);
        more &= !loop->after || loop->after(loop->context, loop->done, outputs);
        loop->done++;
    }
    memcpy(runner->outputs, device_run_outputs(runner->on_device, count - 1),
           runner->program->output_bytes);
    return more;
}

/* How many steps to run at once. `after` can end a loop where a batch ends, so a launch does not go
 * beyond such a place unless it ends at one: else a part of a batch would run twice. */
static int64_t steps_at_once(const BatchLoop *loop) {
    const Cut *cut = &loop->times->cut;
    int64_t count = device_run_count(loop->runner->on_device, loop->count - loop->done);
    return cut->replicas > 1 ? cut_whole_batches(cut, loop->first + loop->done, count) : count;
}

static int64_t loop_on_device(BatchLoop *loop) {
    Runner *runner = loop->runner;
    bool more = device_run_begin(runner->on_device);
    while (more && loop->done < loop->count) {
        int64_t count = steps_at_once(loop);
        RunClock *clocks = memory_array((size_t)count, sizeof *clocks, "a batch");
        more = run_on_device(loop, clocks, count);
        free(clocks);
    }
    if (!runner_failed(runner)) device_run_end(runner->on_device);
    return loop->done;
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
    int64_t done = runner->on_device ? loop_on_device(&loop) : loop_on_threads(&loop);
    states_publish(runner->states, runner->program);
    if (runner->on_device) device_run_published(runner->on_device);
    return done;
}

bool runner_failed(const Runner *runner) { return device_failed(runner->program->device); }

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

void runner_mark(Runner *runner, uint32_t marks, RunMarked *marked, void *context) {
    device_run_time(runner->on_device, marks);
    runner->marked = marked;
    runner->watcher = context;
}
