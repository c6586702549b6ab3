/* Fills the stock of programs that the trainings of a sweep share. */
#include "cli/commands/training.h"
#include "ir/base/memory.h"

#include <stdlib.h>

/* Opens the models with other values, and leaves out those with errors. */
static void open_others(Stock *stock, Options *options, const TrainingOrder *order,
                        const OptionList *sets, uint32_t count, Build *builds, int64_t rows,
                        Diagnostics *diag) {
    stock->others = builds;
    for (uint32_t i = 0; i < count; i++) {
        Build *build = &builds[stock->other_count];
        options[i].set = sets[i];
        if (build_open_shared(build, order->model, order->source, stock->data, &options[i], diag)) {
            model_set_training_rows(build->model, rows);
            stock->other_count++;
        } else
            build_close(build);
    }
}

/* Compiles the programs of a model whose data have been read. */
static void fill_programs(Session *session, const Options *given, const TrainingOrder *order,
                          const OptionList *sets, uint32_t count) {
    int64_t rows[SPLIT_COUNT];
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++)
        rows[split] = dataset_rows(session->dataset, split);
    Build *builds = memory_array(count + 1, sizeof *builds, "the models of a sweep");
    Options *options = memory_array(count + 1, sizeof *options, "the models of a sweep");
    for (uint32_t i = 0; i < count; i++) options[i] = *given;
    model_set_training_rows(session->build.model, rows[SPLIT_TRAIN]);
    open_others(order->stock, options, order, sets, count, builds, rows[SPLIT_TRAIN],
                session->build.diag);
    training_want_programs(session, rows);
    if (programs_compile(&session->programs, &session->build)) programs_put(&session->programs);
    for (uint32_t i = 0; i < order->stock->other_count; i++) build_close(&builds[i]);
    order->stock->others = NULL;
    order->stock->other_count = 0;
    free(options);
    free(builds);
}

static void fill(const Options *given, const TrainingOrder *order, const OptionList *sets,
                 uint32_t count) {
    Session session = {.arena = arena_new(), .programs.stock = order->stock};
    Diagnostics *diag = diag_new();
    if (build_open_shared(&session.build, order->model, order->source, order->stock->data, given,
                          diag) &&
        session_read_data(&session))
        fill_programs(&session, given, order, sets, count);
    session_close(&session);
    diag_free(diag);
    data_cache_forget(order->stock->data);
    order->stock->data_count = data_cache_count(order->stock->data);
}

const TrialTraining training_of_trials = {training_run, fill};
