/* Warnings about a model, found while it is loaded and printed by the commands check and train. */
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

/* Whether the held-out rows depend on the seed. */
static bool is_random(const HoldOut *hold) {
    return hold->amount > 0 && hold->kind != HOLD_LAST && hold->kind != HOLD_COLUMN;
}

/* Warns if train.seed also chooses the held-out rows: runs with different seeds can be compared
 * only on the same rows. */
static void find_moving_split(Model *model) {
    const Setting *seed = item_setting(model->train, "seed");
    const SplitRequest *split = &model->info.split;
    if (!seed || item_setting(model->data, "seed") ||
        (!split->folds && !is_random(&split->valid) && !is_random(&split->test)))
        return;
    Warning *warning =
        warning_add(model, seed->value->span, "this seed also chooses which rows are held out");
    warning->note = "they are chosen here";
    warning->note_span = split->folds               ? split->folds_span
                         : is_random(&split->valid) ? split->valid.span
                                                    : split->test.span;
    warning->help = arena_format(
        model->arena, "'seed = %llu' in the data block keeps these rows, whatever train.seed is",
        (unsigned long long)split->seed);
}

void warnings_find(Model *model, const Graph *graph) {
    leak_find(model, graph);
    loss_inputs_find(model, graph);
    unused_find(model);
    idle_weights_find(model, graph);
    find_moving_split(model);
    if (model->log->zero_rate.file)
        warning_add(model, model->log->zero_rate,
                    "with a learning rate of 0 the weights never change");
}

void model_warn(const Model *model, Diagnostics *diag) {
    for (const Warning *warning = model->warnings; warning; warning = warning->next) {
        diag_warning(diag, warning->span, "%s", warning->message);
        if (warning->note) diag_note(diag, warning->note_span, "%s", warning->note);
        if (warning->help) diag_help(diag, "%s", warning->help);
    }
}

/* The best of many results on the test rows is too good an estimate for new rows. */
void model_warn_choice(const Model *model, Diagnostics *diag) {
    static const char *const keys[] = {"keep_best", "stop_when"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const Setting *setting = item_setting(model->train, keys[i]);
        if (!setting) continue;
        diag_warning(diag, setting->value->span, "without validation rows, '%s' uses the test rows",
                     keys[i]);
        diag_help(
            diag,
            "the result on the test rows is then too good; 'valid = 0.1' in the data block holds out validation rows");
        return;
    }
}
