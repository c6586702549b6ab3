/* What train, eval and predict have in common. */
#include "cli/session.h"

static const char *const split_names[SPLIT_COUNT] = {[SPLIT_TRAIN] = "train", [SPLIT_VALID] = "valid", [SPLIT_TEST] = "test"};

const char *split_name(Split split) {
    return split_names[split];
}

static SplitRequest split_request(const ModelInfo *info) {
    return (SplitRequest){
        .valid_is_count = info->valid.is_count,
        .valid = info->valid.amount,
        .test_is_count = info->test.is_count,
        .test = info->test.amount,
        .seed = info->data_seed,
    };
}

bool session_expect_rows(const Session *session, int64_t rows[SPLIT_COUNT]) {
    SplitRequest request = split_request(session->build.info);
    return dataset_expect_rows(&session->build.info->schema, &request, rows);
}

static bool check_classes(const Session *session) {
    const ModelInfo *info = session->build.info;
    bool good = true;
    for (uint32_t i = 0; i < info->class_use_count; i++) {
        const ClassUse *use = &info->class_uses[i];
        good &= dataset_check_classes(session->dataset, use->field, use->columns, use->span, session->build.diag);
    }
    return good;
}

bool session_open_data(Session *session) {
    const ModelInfo *info = session->build.info;
    SplitRequest request = split_request(info);
    session->arena = arena_new();
    session->dataset = dataset_open(&info->source, &request, session->build.diag);
    if (session->dataset && session->build.options->verbose)
        fprintf(stderr, "mlc: data read in %.0f ms\n", dataset_seconds(session->dataset) * 1e3);
    return session->dataset && check_classes(session);
}

bool session_start(Session *session) {
    if (!programs_compile(&session->programs, &session->build)) return false;
    session->finish = model_graph(session->build.model, GRAPH_METRICS, session->build.info->batch, session->build.diag);
    session->states = states_new();
    session->threads = threads_new(build_threads(session->build.options));
    for (uint32_t i = 0; i < session->programs.count; i++)
        if (!states_bind(session->states, session->programs.items[i].program, session->build.diag)) return false;
    return session->finish != NULL;
}

bool session_open_run(Session *session, const Options *options, Diagnostics *diag) {
    return run_open_model(&session->build, options->operands[0], options, diag) && session_open_data(session);
}

bool session_load_weights(Session *session, CheckpointInfo *info) {
    const Options *options = session->build.options;
    Path path = path_join(options->operands[0], options->checkpoint == 0 ? RUN_LAST : RUN_BEST);
    return checkpoint_load(path.path, session->states, true, info, session->build.diag);
}

void session_close(Session *session) {
    threads_free(session->threads);
    states_free(session->states);
    programs_free(&session->programs);
    graph_free(session->finish);
    dataset_free(session->dataset);
    build_close(&session->build);
    arena_free(session->arena);
}

/* The choices of --split in options.def, in their order, which is also the order of preference */
static const Split choices[] = {SPLIT_TEST, SPLIT_VALID, SPLIT_TRAIN};

bool session_split(const Session *session, Split *split) {
    int choice = session->build.options->split;
    bool asked = option_given(session->build.options, OPTION_split);
    while (!asked && choice < SPLIT_COUNT - 1 && dataset_rows(session->dataset, choices[choice]) == 0) choice++;
    *split = choices[choice];
    if (dataset_rows(session->dataset, *split) > 0) return true;
    diag_error(session->build.diag, STATUS_USAGE, (Span){0}, "the model has no %s rows", split_name(*split));
    diag_help(session->build.diag, "its data block says which rows are held out: valid = 0.1");
    return false;
}
