/* mlc eval --ensemble: the means of the predictions of several runs, ready to be measured. */
#include "cli/commands/evaluating.h"

/* Predicts all outputs, with their targets. */
static bool predict(Evaluating *evaluating, Forward *forward) {
    Session *session = &evaluating->session;
    const ModelInfo *info = session->build.info;
    *forward = (Forward){.batch = evaluating->batch,
                         .rows = dataset_split(session->dataset, evaluating->split),
                         .count = evaluating->rows,
                         .outputs = ARENA_ARRAY(session->arena, Predictions, info->output_count),
                         .output_count = info->output_count};
    for (uint32_t i = 0; i < info->output_count; i++)
        forward->outputs[i].output = &info->outputs[i];
    return forward_run(session, GRAPH_EVAL, forward) && units_run(session, forward);
}

static bool add_run(Ensemble *ensemble, const Options *options, Diagnostics *diag) {
    Evaluating other = {.options = options, .diag = diag, .files = options->operand_count > 1};
    Forward forward;
    bool good = evaluating_open(&other) && predict(&other, &forward) &&
                ensemble_add(ensemble, options->operands[0], &other.session, &forward, diag);
    session_close(&other.session);
    return good;
}

bool evaluating_average(Evaluating *evaluating, Arena *arena) {
    EnsembleRuns *found = ARENA_NEW(arena, EnsembleRuns);
    Ensemble ensemble;
    Forward forward;
    Diagnostics *diag = evaluating->diag;
    if (!ensemble_find(evaluating->options, arena, found, diag)) return false;
    evaluating->found = found;
    evaluating->options = &found->options[0];
    evaluating->files = found->options[0].operand_count > 1;
    if (!evaluating_open(evaluating) || !predict(evaluating, &forward)) return false;
    ensemble_begin(&ensemble, found->runs[0], &evaluating->session, &forward, evaluating->files,
                   found->count);
    for (uint32_t i = 1; i < found->count; i++)
        if (!add_run(&ensemble, &found->options[i], diag)) return false;
    if (!ensemble_give(&ensemble, &evaluating->session, diag)) return false;
    ensemble_finish(&ensemble, forward.outputs);
    evaluating->means = forward.outputs;
    return true;
}
