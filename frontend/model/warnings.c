/* What is suspicious about a model, found while it is loaded. Only the commands that are about the model tell it: check and train. */
#include "frontend/model/loading.h"

#include <stdarg.h>

Warning *warning_add(Model *model, Span span, const char *format, ...) {
    va_list args;
    Warning *warning = ARENA_NEW(model->arena, Warning);
    va_start(args, format);
    warning->span = span;
    warning->message = arena_vformat(model->arena, format, args);
    va_end(args);
    Warning **end = &model->warnings;
    while (*end) end = &(*end)->next;
    return *end = warning;
}

static bool is_drawn(const HoldOut *hold) { return hold->amount > 0 && hold->kind != HOLD_LAST && hold->kind != HOLD_COLUMN; }

/* Trainings with several seeds are to be compared on the same rows. */
static void find_moving_split(Model *model) {
    const Setting *seed = item_setting(model->train, "seed");
    const SplitRequest *split = &model->info.split;
    if (!seed || item_setting(model->data, "seed") || (!is_drawn(&split->valid) && !is_drawn(&split->test))) return;
    Warning *warning = warning_add(model, seed->value->span, "this seed also chooses which rows are held out");
    warning->note = "they are drawn here";
    warning->note_span = is_drawn(&split->valid) ? split->valid.span : split->test.span;
    warning->help = arena_format(model->arena, "'seed = %llu' in the data block keeps these rows, whatever train.seed is",
                                 (unsigned long long)split->seed);
}

static void find_zero_rate(Model *model) {
    if (model->log->zero_rate.file)
        warning_add(model, model->log->zero_rate, "with a learning rate of 0 no weight ever changes");
}

void warnings_find(Model *model, const Graph *graph) {
    leak_find(model, graph);
    loss_inputs_find(model, graph);
    unused_find(model);
    idle_weights_find(model, graph);
    find_moving_split(model);
    find_zero_rate(model);
}

void model_warn(const Model *model, Diagnostics *diag) {
    for (const Warning *warning = model->warnings; warning; warning = warning->next) {
        diag_warning(diag, warning->span, "%s", warning->message);
        if (warning->note) diag_note(diag, warning->note_span, "%s", warning->note);
        if (warning->help) diag_help(diag, "%s", warning->help);
    }
}

/* best.safetensors, and the end by stop_when, are the luckiest of many looks at the rows that chose them. */
void model_warn_choice(const Model *model, Diagnostics *diag) {
    static const char *const keys[] = {"keep_best", "stop_when"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const Setting *setting = item_setting(model->train, keys[i]);
        if (!setting) continue;
        diag_warning(diag, setting->value->span, "without rows of valid, '%s' looks at those of test", keys[i]);
        diag_help(diag, "what they choose looks better on them than it is; 'valid = 0.1' in the data block holds out others");
        return;
    }
}
