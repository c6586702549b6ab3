/* Opens and closes networks. */
#include "codegen/codegen.h"
#include "ir/base/memory.h"
#include "lib/network/network.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- options -- */

static bool refuse(Diagnostics *diag, const char *name) {
    diag_error(diag, STATUS_USAGE, (Span){0}, "mlc_options.%s is out of range", name);
    return false;
}

/* Options of an older program may be a shorter struct. */
static bool take_options(mlc_network *network, const mlc_options *given, Diagnostics *diag) {
    enum { MAX_ROWS = 65536, MAX_THREADS = 256 };
    mlc_options *options = &network->options;
    if (given) {
        if (given->size < sizeof given->size || given->size > 4096) return refuse(diag, "size");
        memcpy(options, given, given->size < sizeof *options ? given->size : sizeof *options);
    }
    if (!options->rows) options->rows = 1;
    if (!options->threads) options->threads = 1;
    if (options->rows < 0 || options->rows > MAX_ROWS) return refuse(diag, "rows");
    if (options->threads < 0 || options->threads > MAX_THREADS) return refuse(diag, "threads");
    if (options->epoch_rows < 0 || options->epoch_rows > INT32_MAX)
        return refuse(diag, "epoch_rows");
    if (options->setting_count < 0 || (options->setting_count && !options->settings))
        return refuse(diag, "setting_count");
    return true;
}

/* -- the steps of session_open -- */

typedef struct {
    mlc_network *network;
    Diagnostics *diag;
    CheckpointInfo info;
} Opening;

static bool open_model(void *context) {
    Opening *opening = context;
    mlc_network *network = opening->network;
    Session *session = &network->session;
    const char *path = network->path.path;
    const BuildOptions options = {.sets = network->options.settings,
                                  .set_count = (uint32_t)network->options.setting_count,
                                  .level = 2,
                                  .threads = network->options.threads,
                                  .no_cache = network->options.no_cache != 0,
                                  .alone = true};
    if (!path_ends_in(path, ".mdl"))
        return session_load_run(session, path, network->options.best ? RUN_BEST : RUN_LAST,
                                &options, opening->diag);
    if (!build_load(&session->build, path, path_folder(path).path, NULL, &options, opening->diag))
        return false;
    if (!session->build.info->weights) return true;
    diag_error(opening->diag, STATUS_MODEL, (Span){0},
               "the model begins with the weights of '%s'; the interface opens runs and models",
               session->build.info->weights);
    diag_help(opening->diag, "'mlc train' makes a run of it");
    return false;
}

/* The data of an untrained model are read only if transforms are fitted to them. */
static bool open_data(void *context) {
    mlc_network *network = ((Opening *)context)->network;
    Session *session = &network->session;
    if (!session->build.info->fit_count) return true;
    if (session->is_trained)
        network->fitted = session_fitted(session, &network->fitted_count);
    else if (!session_read_data(session))
        return false;
    else {
        network->fitted = dataset_fitted(session->dataset, &network->fitted_count);
        dataset_schema_text(session->dataset); /* made once, for mlc_save */
    }
    return network->fitted || !session->is_trained;
}

static bool want_programs(void *context) {
    Opening *opening = context;
    mlc_network *network = opening->network;
    Session *session = &network->session;
    static const int32_t none = 0;
    session->rows = &none; /* the caller's rows are checked when they come */
    if (network->options.training && !steps_want(network, opening->diag)) return false;
    programs_want(&session->programs, GRAPH_PREDICT,
                  &(Cut){network->options.rows, network->options.rows, 1});
    return true;
}

static bool set_weights(void *context) {
    Opening *opening = context;
    Session *session = &opening->network->session;
    opening->info = (CheckpointInfo){.seed = session->build.info->seed,
                                     .epochs = session->build.info->epochs,
                                     .best = (double)NAN,
                                     .gained = (double)NAN};
    if (session->is_trained) return session_load_weights(session, &opening->info);
    states_initialize(session->states, session->build.info->seed);
    return !session->dataset || session_fit_graph(session);
}

/* -- after it -- */

static void describe_weights(mlc_network *network) {
    const States *states = network->session.states;
    network->weight_count = (int)states_count(states);
    network->weights = ARENA_ARRAY(network->session.arena, mlc_tensor, network->weight_count);
    for (int i = 0; i < network->weight_count; i++) {
        const Symbol *symbol = states_symbol(states, (uint32_t)i);
        mlc_tensor *weight = &network->weights[i];
        weight->name = symbol->name;
        weight->type = symbol->dtype == DTYPE_F32   ? MLC_F32
                       : symbol->dtype == DTYPE_I32 ? MLC_I32
                                                    : MLC_U8;
        weight->rank = symbol->shape.rank;
        memcpy(weight->shape, symbol->shape.dim, (size_t)weight->rank * sizeof *weight->shape);
        weight->elements = shape_elements(symbol->shape);
        weight->for_training = symbol->trainable;
    }
}

static Graph *lowered(const mlc_network *network, GraphKind kind) {
    return model_graph(network->session.build.model, kind, 1, network->session.build.diag);
}

static bool open_predict(mlc_network *network, Diagnostics *diag) {
    Session *session = &network->session;
    Cut cut = {network->options.rows, network->options.rows, 1};
    network->predict_feed.rows = network->options.rows;
    feed_open(network, &network->predict_feed, network->predict_graph,
              network->network_input_count);
    network->predict = runner_new(programs_of_split(&session->programs, GRAPH_PREDICT, &cut).full,
                                  session->states, session->threads, diag);
    return network->predict && feed_bind(&network->predict_feed, &network->predict, 1, diag);
}

static bool check_path(const mlc_network *network, Diagnostics *diag) {
    size_t length = strlen(network->path.path);
    if (length > 0 && length < PATH_MAX - 1) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               length ? "the path is too long" : "there is no path of a run or a model file");
    return false;
}

static bool open_body(mlc_network *network, void *given, Diagnostics *diag) {
    Opening opening = {.network = network, .diag = diag};
    const SessionHooks hooks = {.context = &opening,
                                .model = open_model,
                                .data = open_data,
                                .rows = want_programs,
                                .weights = set_weights};
    if (!check_path(network, diag) || !take_options(network, given, diag) ||
        !session_open(&network->session, &hooks))
        return false;
    bool trains = network->options.training != 0;
    network->predict_graph = lowered(network, GRAPH_PREDICT);
    if (trains) network->step_graph = lowered(network, GRAPH_TRAIN);
    network->info = opening.info;
    if (!network->predict_graph || (trains && !network->step_graph) ||
        !network_describe(network, network->predict_graph, network->step_graph, diag) ||
        !open_predict(network, diag) || (trains && !steps_open(network, diag)))
        return false;
    describe_weights(network);
    return true;
}

static bool close_body(mlc_network *network, void *nothing, Diagnostics *diag) {
    (void)nothing, (void)diag;
    dataset_free(network->predict_feed.dataset);
    dataset_free(network->step_feed.dataset);
    runner_free(network->predict);
    if (network->trainer.options) trainer_close(&network->trainer);
    graph_free(network->predict_graph);
    graph_free(network->step_graph);
    if (network->session.arena) session_close(&network->session);
    return true;
}

/* -- the interface -- */

static mlc_network *network_new(const char *path) {
    mlc_network *network = memory_try_grow(NULL, sizeof *network);
    if (!network) return NULL;
    *network = (mlc_network){.process = getpid(), .boundary = boundary_new()};
    snprintf(network->path.path, sizeof network->path.path, "%s", path ? path : "");
    network->locale = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    if (!network->locale) network->locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (network->boundary && network->locale) return network;
    if (network->locale) freelocale(network->locale);
    boundary_free(network->boundary);
    free(network);
    return NULL;
}

mlc_status mlc_open(const char *path, const mlc_options *options, mlc_network **network) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!network) return MLC_USAGE;
    pthread_once(&once, codegen_begin_inside);
    *network = network_new(path);
    if (!*network) return MLC_NO_MEMORY;
    mlc_status status = network_call(*network, BOUNDARY_CHANGES, open_body, (void *)options);
    (*network)->failed = status;
    return status;
}

void mlc_close(mlc_network *network) {
    if (!network) return;
    network->failed = MLC_OK;
    /* the threads of a network from before a fork are not here */
    if (!network->is_lost && network->process == getpid())
        network_call(network, BOUNDARY_CHANGES, close_body, NULL);
    if (!network->is_lost) diag_free(network->texts);
    boundary_free(network->boundary);
    freelocale(network->locale);
    free(network);
}
