/* Opens a session of train, eval or predict; session_open lists the steps in order. */
#include "engine/session/session.h"
#include "engine/build/device.h"
#include "ir/base/clock.h"
#include "ir/base/files.h"
#include "runtime/data/data_cache.h"
#include "runtime/train/fit.h"

#include <string.h>

enum { FIT_BATCH = 1024 };

/* Computes the derived columns, and checks that no cell is missing in a column used as an index. */
static bool check_numbers(const Session *session) {
    const ModelInfo *info = session->build.info;
    Diagnostics *diag = session->build.diag;
    for (uint32_t i = 0; i < info->derived_count; i++)
        if (!dataset_derive(session->dataset, info->derived[i].name, info->derived[i].span, diag))
            return false;
    for (uint32_t i = 0; i < info->present_count; i++) {
        const DataUse *use = &info->presents[i];
        if (dataset_check_present(session->dataset, use->name, use->span, diag)) continue;
        if (use->compared)
            diag_help(
                diag,
                "x == x tests for a missing number: select(x == x, ..., 0.0) in the loss leaves such rows out");
        return false;
    }
    return true;
}

bool session_check_classes(const Session *session) {
    const ModelInfo *info = session->build.info;
    bool there = check_numbers(session), good = there;
    for (uint32_t i = 0; i < info->class_use_count && there; i++) {
        const ClassUse *use = &info->class_uses[i];
        good &= dataset_check_classes(session->dataset, use->field, use->columns, use->spans,
                                      session->build.diag);
    }
    return good;
}

static Path checkpoint_path(const Session *session) {
    return path_join(session->run, session->checkpoint);
}

const FittedColumn *session_fitted(const Session *session, uint32_t *count) {
    const Build *build = &session->build;
    return checkpoint_fitted(checkpoint_path(session).path, build->info->fits,
                             build->info->fit_count, session->arena, count, build->diag);
}

bool session_fit_columns(Session *session) {
    const Build *build = &session->build;
    uint32_t count;
    if (!session->is_trained)
        return dataset_fit(session->dataset, build->info->fits, build->info->fit_count,
                           build->diag);
    const FittedColumn *fitted = session_fitted(session, &count);
    if (fitted) dataset_set_fitted(session->dataset, fitted, count);
    return fitted != NULL;
}

bool session_read_data(Session *session) {
    const ModelInfo *info = session->build.info;
    session->dataset = data_cache_open(session->build.data_cache, &info->source, &info->split,
                                       session->build.diag);
    session->data_time = seconds_now();
    bool series = info->field_looks.from || info->field_looks.to;
    if (session->dataset && session->build.options.verbose)
        fprintf(stderr, "mlc: data read in %.0f ms\n", dataset_seconds(session->dataset) * 1e3);
    /* data that are read now would have been kept if the stock had been filled */
    Stock *stock = session->programs.stock;
    if (session->dataset && stock && stock->is_strict)
        stock->lacks |= data_cache_count(session->build.data_cache) > stock->data_count;
    return session->dataset && !(stock && stock->lacks) &&
           dataset_drop_incomplete(session->dataset, &info->looks, series, session->build.diag) &&
           session_fit_columns(session) && session_check_classes(session);
}

/* Adds the states that a graph has, but no program. */
static bool keep_states(Session *session, GraphKind kind, Diagnostics *diag) {
    uint32_t rows = kind == GRAPH_TRAIN ? model_batch(session->build.info, kind) : 1;
    Graph *graph = model_graph(session->build.model, kind, rows, diag);
    if (graph) states_keep(session->states, graph);
    graph_free(graph);
    return graph != NULL;
}

static bool bind_states(Session *session, Diagnostics *diag) {
    const Programs *programs = &session->programs;
    bool good = programs_fit(programs, &session->build, diag);
    for (uint32_t i = 0; i < programs->count && good; i++) {
        bool has_own_states = programs->items[i].kind == GRAPH_UPDATE;
        good = programs->items[i].program &&
               (has_own_states || states_bind(session->states, programs->items[i].program, diag));
    }
    if (!good) return false;
    /* The parts of a step lack the states of a step that is not finished. */
    if (session->is_spread && !keep_states(session, GRAPH_TRAIN, diag)) return false;
    /* Without held-out rows only programs of the training exist. They lack the weights of outputs
     * that the loss does not use. */
    for (uint32_t i = 0; i < session->programs.count; i++)
        if (!graph_trains(session->programs.items[i].kind)) return true;
    return keep_states(session, GRAPH_PREDICT, diag);
}

/* Called on a compiler thread when all programs are compiled, often while the data are still being
 * read. Errors are dropped here: session_open binds the states again and reports them. */
static void make_states(void *context) {
    Session *session = context;
    Diagnostics *diag = diag_new();
    if (bind_states(session, diag) && session->trains_anew)
        states_initialize(session->states, session->build.info->seed);
    diag_free(diag);
}

/* The graph is interpreted: it runs once over the training rows, and compiling would take
 * longer. */
bool session_fit_graph(Session *session) {
    const Build *build = &session->build;
    Compilation compilation;
    int64_t rows = dataset_rows(session->dataset, SPLIT_TRAIN);
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < build->info->fit_count; i++) outputs += !build->info->fits[i].column;
    if (outputs == 0) return true;
    if (!build_compilation(build, GRAPH_FIT, rows < FIT_BATCH ? (uint32_t)rows : FIT_BATCH,
                           PASS_functions, &compilation))
        return false;
    Program *program = program_interpret(compilation.graph);
    bool good = fits_run(program, session->dataset, session->states, session->threads,
                         build->info->fits, build->info->fit_count, build->diag);
    program_free(program);
    compilation_free(&compilation);
    return good;
}

bool session_load_run(Session *session, const char *run, const char *checkpoint,
                      const BuildOptions *options, Diagnostics *diag) {
    session->run = run;
    session->checkpoint = checkpoint;
    session->is_trained = true;
    Path path = checkpoint_path(session);
    if (file_is_there(path_join(run, RUN_MODEL).path) && !file_is_there(path.path)) {
        diag_error(diag, STATUS_FILE, (Span){0}, "the run '%s' has no %s", run, checkpoint);
        diag_help(diag, strcmp(checkpoint, RUN_BEST) != 0
                            ? "the training ended before its first checkpoint"
                            : "a training writes it if rows are held out");
        return false;
    }
    bool like = checkpoint_schema(path.path, session->arena, &session->like);
    return run_open_model(&session->build, run, like ? &session->like : NULL, options, diag);
}

bool session_load_weights(Session *session, CheckpointInfo *info) {
    char hash[65];
    Path path = checkpoint_path(session);
    if (!checkpoint_load(path.path, session->states, true, info, session->build.diag)) return false;
    if (!build_hash_model(&session->build, hash)) return false;
    if (*info->model_hash && strcmp(info->model_hash, hash))
        diag_warning(session->build.diag, (Span){0}, "'%s' was written by another model than '%s'",
                     path.path, path_join(session->run, RUN_MODEL).path);
    return true;
}

/* -- the steps of session_open -- */

/* Starts to compile programs for the row counts that a file header states. With windows over
 * series, the header does not tell the number of rows. */
static bool begin_expected(Session *session, const SessionHooks *hooks) {
    const ModelInfo *info = session->build.info;
    int64_t rows[SPLIT_COUNT];
    bool row_by_row = !info->looks.from && !info->looks.to && info->looks.stride == 1;
    if (hooks->expect && row_by_row && dataset_expect_rows(&info->schema, &info->split, rows))
        hooks->expect(hooks->context, rows);
    session->states = states_new();
    session->programs.compiled = make_states;
    session->programs.context = session;
    return programs_begin(&session->programs, &session->build);
}

static bool check_rows(Session *session) {
    if (session->rows)
        return session_check_choices(session, session->rows, session->row_count, NULL);
    bool good = true;
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT && good; split++)
        good = session_check_choices(session, dataset_split(session->dataset, split),
                                     dataset_rows(session->dataset, split), NULL);
    return good;
}

bool session_open(Session *session, const SessionHooks *hooks) {
    session->arena = arena_new();
    Programs *programs = &session->programs;
    const Build *build = &session->build;
    bool good = hooks->model(hooks->context) && build_open_device(&session->build);
    /* Expected programs are compiled while the data are read. */
    good = good && begin_expected(session, hooks) &&
           (hooks->data ? hooks->data(hooks->context) : session_read_data(session)) &&
           programs_compile(programs, build);
    /* The rows to run may need further programs. */
    good = good && hooks->rows(hooks->context) && programs_compile(programs, build);
    if (good)
        session->finish = model_graph(build->model, GRAPH_METRICS, build->info->batch, build->diag);
    if (!session->finish) return false;
    session->threads = threads_new(build_threads(&build->options));
    return bind_states(session, build->diag) && hooks->weights(hooks->context) &&
           check_rows(session);
}

void session_close(Session *session) {
    threads_free(session->threads);
    programs_free(&session->programs); /* waits for a thread that may still use the states */
    states_free(session->states);
    graph_free(session->finish);
    dataset_free(session->dataset);
    build_close(&session->build);
    arena_free(session->arena);
}

bool session_find_split(const Session *session, const Split *wanted, Split *split) {
    *split = wanted ? *wanted : SPLIT_TEST;
    if (!wanted) {
        if (dataset_rows(session->dataset, SPLIT_TEST) == 0) *split = SPLIT_VALID;
        if (dataset_rows(session->dataset, *split) == 0) *split = SPLIT_TRAIN;
    }
    if (dataset_rows(session->dataset, *split) > 0) return true;
    diag_error(session->build.diag, STATUS_USAGE, (Span){0}, "the model has no %s rows",
               split_name(*split));
    diag_help(session->build.diag, "the data block holds rows out, for instance: %s = 0.1",
              *split == SPLIT_TRAIN ? "test" : split_name(*split));
    return false;
}
