/* Which operation made the loss not finite. By the time it is seen, the step has already changed the weights; but training is
 * exact, so it is run again from the last checkpoint to just before that step, which the interpreter then runs, keeping every
 * value. */
#include "runtime/trainer.h"
#include "runtime/memory.h"
#include "runtime/states.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copies the rows of a batch together, as a compiled program does while it reads. */
static void gather(const Symbol *symbol, const void *field, const int32_t *rows, void *to) {
    int64_t batch = symbol->shape.dim[0];
    size_t row_bytes = (size_t)(shape_elements(symbol->shape) / batch) * dtype_bytes(symbol->dtype);
    for (int64_t i = 0; i < batch; i++)
        memcpy((char *)to + (size_t)i * row_bytes, (const char *)field + (size_t)rows[i] * row_bytes, row_bytes);
}

static void set_symbols(Interp *interp, const Graph *graph, const States *states, const Dataset *dataset, const int32_t *rows,
                        RunClock *clock) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->node == NODE_NONE) continue;
        void *value = interp_value(interp, symbol->node);
        if (symbol->kind == SYMBOL_STATE)
            states_read(states, symbol->name, value);
        else if (symbol->kind == SYMBOL_BATCH)
            gather(symbol, dataset_field(dataset, symbol->name), rows, value);
        else
            memcpy(value, run_clock_field(clock, symbol->name), sizeof(int32_t));
    }
}

/* "nan" or "inf": the first such element. */
static const char *kind_of(const float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return isnan(values[i]) ? "nan" : values[i] < 0 ? "-inf" : "inf";
    return "a number";
}

static const Node *viewed(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW) node = graph_operand(graph, node, 0);
    return node;
}

/* The select of the language's has_class: NaN where numbers are not in a range. */
static bool picks_class(const Graph *graph, const Node *node) {
    if (node->op != OP_select) return false;
    const Node *inside = viewed(graph, graph_operand(graph, node, 0)), *outside = viewed(graph, graph_operand(graph, node, 2));
    bool range = inside->op == OP_and && graph_operand(graph, inside, 0)->op == OP_le;
    return range && outside->op == OP_constant && outside->dtype == DTYPE_F32 && isnan(outside->attrs.value.f);
}

/* What can be done about a number that is not finite; `node` NULL: it is not known where it comes from. */
static const char *remedy(const Graph *graph, const Node *node) {
    if (node && node->op == OP_input)
        return "the data hold it: 'mlc data' with the model file tells where; impute(...) fills in what is missing";
    if (node && picks_class(graph, node))
        return "a label was computed that is no class: classes count from 0, one for each column, or row of an embedding";
    return "a smaller learning rate often helps; so does keeping log and / away from 0, and exp from large numbers";
}

static void report(Interp *interp, const Graph *graph, const char *when, Diagnostics *diag) {
    NodeId id = interp_first_nonfinite(interp, "loss"); /* a metric may be NaN */
    const Node *node = id == NODE_NONE ? NULL : graph_node(graph, id);
    if (!node) {
        diag_error(diag, STATUS_NONFINITE, (Span){0}, "the loss is not finite %s", when);
    } else {
        char shape[SHAPE_TEXT];
        const char *kind = kind_of(interp_value(interp, id), interp_value_bytes(interp, id) / sizeof(float));
        diag_error(diag, STATUS_NONFINITE, node->span, "the loss is not finite %s: the first %s comes from '%s' %s here", when,
                   kind, op_name(node->op), shape_text(node->dtype, node->shape, shape));
    }
    diag_help(diag, "%s", remedy(graph, node));
}

/* Runs one step in the interpreter, from the states as they are. */
static void interpret_step(const Trainer *trainer, int64_t step, const char *when) {
    const Graph *graph = runner_program(pair_runner(&trainer->pair, step))->graph;
    RunTimes times = trainer_times(trainer);
    RunClock clock = run_clock(&times, step);
    Interp *interp = interp_new(graph, INTERP_F32);
    set_symbols(interp, graph, trainer->options->states, trainer->options->dataset, trainer->order + step * trainer->pair.batch,
                &clock);
    interp_run(interp);
    report(interp, graph, when, trainer->diag);
    interp_free(interp);
}

static bool states_are_finite(const States *states, float *scratch) {
    for (uint32_t i = 0; i < states_count(states); i++) {
        const Symbol *symbol = states_symbol(states, i);
        if (symbol->dtype != DTYPE_F32) continue;
        states_read(states, symbol->name, scratch);
        for (int64_t element = 0; element < shape_elements(symbol->shape); element++)
            if (!isfinite(scratch[element])) return false;
    }
    return true;
}

typedef struct {
    Trainer *trainer;
    bool finite; /* the losses */
} Replay;

static bool look_at_loss(void *context, int64_t step, const void *outputs) {
    Replay *replay = context;
    replay->finite &= isfinite(trainer_loss(replay->trainer, step, outputs)) != 0;
    return true;
}

/* Trains up to step `end` of the run, at most to the end of the epoch; false if a loss on the way is not finite. */
static bool replay_to(Trainer *trainer, uint64_t end) {
    Replay replay = {trainer, true};
    int64_t step = trainer_step(trainer), steps = trainer->pair.steps;
    if (step == steps) {
        trainer->info.epoch++;
        step = 0;
    }
    if (step == 0) trainer_order(trainer);
    int64_t stop = step + (int64_t)(end - trainer->info.step);
    stop = stop < steps ? stop : steps;
    RunTimes times = trainer_times(trainer);
    pair_loop(&trainer->pair, trainer->order, step, stop, &times, look_at_loss, &replay);
    trainer->info.step += (uint64_t)(stop - step);
    return replay.finite;
}

/* The last steps one by one, until the loss or a state stops being finite; before that step the states are put back. */
static void replay_carefully(Trainer *trainer) {
    States *states = trainer->options->states;
    void *before = memory_new(states_bytes(states));
    float *scratch = memory_new(states_bytes(states));
    bool finite = true;
    while (finite && trainer->info.step < trainer->nonfinite) {
        states_save(states, before);
        finite = replay_to(trainer, trainer->info.step + 1) && states_are_finite(states, scratch);
    }
    states_restore(states, before);
    free(before);
    free(scratch);
}

enum { CAREFUL_STEPS = 4 }; /* a state that is not finite makes the loss so in the next step or two */

void trainer_blame(Trainer *trainer) {
    uint64_t steps = (uint64_t)trainer->pair.steps, bad = trainer->nonfinite - 1;
    char when[80];
    snprintf(when, sizeof when, "at step %llu of epoch %llu", (unsigned long long)(bad % steps + 1),
             (unsigned long long)(bad / steps + 1));
    if (!trainer_restart(trainer)) return;
    trainer_order(trainer);
    while (trainer->info.step + CAREFUL_STEPS < trainer->nonfinite) replay_to(trainer, trainer->nonfinite - CAREFUL_STEPS);
    replay_carefully(trainer);
    interpret_step(trainer, trainer_step(trainer) - 1, when);
}
