/* Finds the operation that made the first non-finite number. The interpreter runs the batch and
 * keeps every value. In a training, the step has already changed the weights when its loss is
 * known. But training is exact, so it is repeated from the last checkpoint up to the step
 * before. */
#include "runtime/train/nonfinite.h"
#include "ir/base/memory.h"
#include "ir/graph/class_lookup.h"
#include "runtime/program/states.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void set_symbols(Interp *interp, const Graph *graph, const States *states,
                        const Dataset *dataset, const int32_t *rows, RunClock *clock) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->node == NODE_NONE) continue;
        void *value = interp_value(interp, symbol->node);
        if (symbol->kind == SYMBOL_STATE)
            states_read(states, symbol->name, value);
        else if (symbol->kind == SYMBOL_BATCH) {
            /* Copies the rows of a batch together; a compiled program reads them where they lie. */
            const void *field = dataset_field(dataset, symbol->name);
            int64_t batch = symbol->shape.dim[0];
            size_t row_bytes =
                (size_t)(shape_elements(symbol->shape) / batch) * dtype_bytes(symbol->dtype);
            for (int64_t j = 0; j < batch; j++)
                memcpy((char *)value + (size_t)j * row_bytes,
                       (const char *)field + (size_t)rows[j] * row_bytes, row_bytes);
        } else
            memcpy(value, run_clock_field(clock, symbol->name), sizeof(int32_t));
    }
}

/* The index of the first non-finite element; `count`: all are finite. */
static size_t first_nonfinite(const float *values, size_t count) {
    size_t i = 0;
    while (i < count && isfinite(values[i])) i++;
    return i;
}

/* "nan", "inf" or "-inf": what the first non-finite element is. */
static const char *kind_of(const float *values, size_t count) {
    size_t i = first_nonfinite(values, count);
    return i == count ? "a number" : isnan(values[i]) ? "nan" : values[i] < 0 ? "-inf" : "inf";
}

/* A non-finite number of the data: names its row. */
static void help_with_data(const Node *node, const float *values, const NonfiniteBatch *batch,
                           Diagnostics *diag) {
    char place[PLACE_TEXT];
    size_t each = (size_t)shape_inner(node->shape, 0),
           at = first_nonfinite(values, (size_t)shape_elements(node->shape));
    diag_help(
        diag,
        "it is in the data, in %s; impute(...) fills in missing numbers, and drop_missing of csv leaves the row out",
        dataset_place_text(batch->dataset, NULL, batch->rows[at / each], place));
}

/* Help for the user; node NULL: the operation is unknown. */
static const char *help_text(const Graph *graph, const Node *node) {
    if (node && node->op == OP_state)
        return "the weights themselves are not finite: use another checkpoint, or train again";
    if (node && graph_is_class_lookup(graph, node))
        return "a computed label is not a class: classes are numbered from 0, one for each column of the output or row of an embedding";
    return "a smaller learning rate often helps; so does keeping log, sqrt and / away from 0, and exp from large numbers";
}

/* "sqrt" for an operation, "layer1.w" for a state. */
static const char *node_name(const Graph *graph, NodeId id) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].node == id && graph->symbols[i].kind == SYMBOL_STATE)
            return graph->symbols[i].name;
    return op_name(graph_node(graph, id)->op);
}

static void report(Interp *interp, const Graph *graph, const NonfiniteBatch *batch,
                   Diagnostics *diag) {
    NodeId id = interp_first_nonfinite(interp, batch->output);
    const Node *node = id == NODE_NONE ? NULL : graph_node(graph, id);
    if (!node) {
        diag_error(diag, STATUS_NONFINITE, (Span){0}, "%s", batch->finding);
    } else {
        char shape[SHAPE_TEXT], callee[DIAG_CALLEE];
        const char *kind =
            kind_of(interp_value(interp, id), interp_value_bytes(interp, id) / sizeof(float));
        const char *name = node_name(graph, id);
        bool inside =
            node->op != OP_input && diag_callee(diag, node->span, callee) && strcmp(callee, name);
        diag_error(diag, STATUS_NONFINITE, node->span,
                   "%s: the first %s comes from '%s' %s%s%s%s here%s", batch->finding, kind, name,
                   shape_text(node->dtype, node->shape, shape), inside ? " in '" : "",
                   inside ? callee : "", inside ? "'" : "", batch->when ? batch->when : "");
    }
    if (node && node->op == OP_input)
        help_with_data(node, interp_value(interp, id), batch, diag);
    else
        diag_help(diag, "%s", help_text(graph, node));
}

void nonfinite_report(const NonfiniteBatch *batch, Diagnostics *diag) {
    const Graph *graph = runner_program(batch->runner)->graph;
    RunClock clock = batch->clock;
    Interp *interp = interp_new(graph, INTERP_F32);
    set_symbols(interp, graph, batch->states, batch->dataset, batch->rows, &clock);
    interp_run(interp);
    report(interp, graph, batch, diag);
    interp_free(interp);
}

/* -- training again -- */

/* *context: whether all losses so far are finite. */
static bool look_at_loss(void *context, int64_t batch, double loss) {
    bool *finite = context;
    (void)batch;
    *finite &= isfinite(loss) != 0;
    return true;
}

/* The number of the next step in its epoch; begins a new epoch if the current one is over. */
static int64_t next_step(Trainer *trainer) {
    int64_t step = trainer_step(trainer);
    if (step < trainer->runners.batches) return step;
    trainer->info.epoch++;
    trainer_order(trainer);
    return 0;
}

/* Trains up to step `end` of the run; false: a loss was not finite. */
static bool replay_to(Trainer *trainer, uint64_t end) {
    bool finite = true;
    while (trainer->info.step < end) {
        int64_t step = next_step(trainer), steps = trainer->runners.batches,
                stop = step + (int64_t)(end - trainer->info.step);
        if (stop > steps) stop = steps;
        trainer_loop(trainer, step, stop, look_at_loss, &finite);
        trainer->info.step += (uint64_t)(stop - step);
    }
    return finite;
}

/* Trains up to step `end`, `stride` steps at a time. If a loss or a state becomes non-finite,
 * returns true and restores the states of before those steps. before: memory for the states. */
static bool replay_until_nonfinite(Trainer *trainer, uint64_t end, uint64_t stride, void *before) {
    States *states = trainer->options->states;
    while (trainer->info.step < end) {
        CheckpointInfo info = trainer->info;
        states_save(states, before);
        uint64_t stop = end - info.step < stride ? end : info.step + stride;
        if (replay_to(trainer, stop) && !states_nonfinite(states)) continue;
        states_restore(states, before);
        trainer->info = info;
        trainer_order(trainer);
        return true;
    }
    return false;
}

enum { WHEN_TEXT = 80 };

/* "step 2 of epoch 1" for the second step of a run. */
static const char *place_text(const Trainer *trainer, uint64_t number, char text[WHEN_TEXT]) {
    uint64_t steps = (uint64_t)trainer->runners.batches;
    snprintf(text, WHEN_TEXT, "step %llu of epoch %llu",
             (unsigned long long)((number - 1) % steps + 1),
             (unsigned long long)((number - 1) / steps + 1));
    return text;
}

/* One share, and whether its loss is finite. */
typedef struct {
    const Trainer *trainer;
    bool finite;
} ShareLoss;

static bool look_at_share(void *context, int64_t share, const void *outputs) {
    ShareLoss *loss = context;
    loss->finite = isfinite(trainer_loss(loss->trainer, share, outputs)) != 0;
    return true;
}

/* The share of the batch that makes a number that is not finite: the last one if the others do not.
 * Restores the states of before it. before: memory for the states. */
static int64_t nonfinite_share(Trainer *trainer, int64_t batch, void *before) {
    const Cut *cut = &trainer->runners.cut;
    States *states = trainer->options->states;
    RunTimes times = trainer_times(trainer);
    int64_t share = batch * cut->replicas;
    for (; !cut_share(cut, share).ends; share++) {
        ShareLoss loss = {trainer, true};
        states_save(states, before);
        runners_loop(&trainer->runners, trainer->order, share, share + 1, &times, look_at_share,
                     &loss);
        if (loss.finite && !states_nonfinite(states)) continue;
        states_restore(states, before);
        break;
    }
    return share;
}

/* Reports the next step. `finding` is what became non-finite, which may be after a later step. */
static void report_step(Trainer *trainer, const char *finding, void *before) {
    char when[WHEN_TEXT + 8], place[WHEN_TEXT];
    int64_t batch = next_step(trainer), share = nonfinite_share(trainer, batch, before);
    bool earlier = trainer->info.step + 1 < trainer->nonfinite;
    snprintf(when, sizeof when, ", at %s", place_text(trainer, trainer->info.step + 1, place));
    RunTimes times = trainer_times(trainer);
    int64_t row = batch * times.cut.batch + cut_share(&times.cut, share).first;
    nonfinite_report(&(NonfiniteBatch){.runner = runners_of_share(&trainer->runners, share),
                                       .states = trainer->options->states,
                                       .dataset = trainer->options->dataset,
                                       .rows = trainer->order + row,
                                       .clock = run_clock(&times, share),
                                       .output = "loss", /* a metric may be NaN */
                                       .finding = finding,
                                       .when = earlier ? when : NULL},
                     trainer->diag);
}

/* steps between two copies of the states: a copy costs more than a step of a small network */
enum { STRIDE = 64 };

/* Rank 0 of several processes trains alone up to that step. */
static void report_alone(const Trainer *trainer, const Symbol *state) {
    const SpreadOptions *spread = &trainer->options->spread;
    TrainOptions options = *trainer->options;
    if (peers_rank(spread->peers) || !spread->alone(spread->context, &options.train)) return;
    options.spread = (SpreadOptions){0};
    Trainer alone = {.options = &options,
                     .events = trainer->events,
                     .diag = trainer->diag,
                     .info = trainer->info,
                     .begun = true,
                     .nonfinite = trainer->nonfinite};
    if (trainer_open_steps(&alone)) {
        free(alone.saved);
        alone.saved = trainer->saved ? memory_copy_string(trainer->saved, "a path") : NULL;
        trainer_report_nonfinite(&alone, state);
    }
    trainer_close(&alone);
}

void trainer_report_nonfinite(Trainer *trainer, const Symbol *state) {
    if (trainer->spread) {
        report_alone(trainer, state);
        return;
    }
    char finding[WHEN_TEXT + 160], place[WHEN_TEXT];
    uint64_t end = trainer->nonfinite;
    if (end == 0) { /* the state was non-finite from the beginning */
        diag_error(trainer->diag, STATUS_NONFINITE, (Span){0},
                   "'%.100s' is not finite before the first step", state->name);
        return;
    }
    snprintf(finding, sizeof finding, "%s%.100s%s is not finite %s %s", state ? "'" : "",
             state ? state->name : "the loss", state ? "'" : "", state ? "after" : "at",
             place_text(trainer, end, place));
    if (!trainer_restart(trainer)) return;
    trainer_order(trainer);
    void *before = memory_new(states_bytes(trainer->options->states), "the weights before a step");
    if (replay_until_nonfinite(trainer, end, STRIDE, before))
        replay_until_nonfinite(trainer, end, 1, before);
    if (!runners_failed(&trainer->runners)) report_step(trainer, finding, before);
    free(before);
    if (trainer->saved)
        diag_help(trainer->diag, "'%s' was written before that, and is sound", trainer->saved);
}
