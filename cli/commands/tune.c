/* mlc tune: measures with which tiles the products of a training step are fastest on this machine,
 * and stores them beside the code cache. No result depends on them. */
#include "cli/commands/tuning.h"
#include "cli/session/commands.h"
#include "ir/base/memory.h"
#include "runtime/program/states.h"

#include <stdlib.h>

/* -- opening the session -- */

static bool open_model(void *context) {
    Tuning *tuning = context;
    return build_open(&tuning->session.build, tuning->options->operands[0], tuning->options,
                      tuning->diag);
}

static bool take_rows(void *context) {
    Tuning *tuning = context;
    Session *session = &tuning->session;
    const ModelInfo *info = session->build.info;
    int64_t rows = dataset_rows(session->dataset, SPLIT_TRAIN);
    model_set_training_rows(session->build.model, rows);
    tuning->cut = (Cut){rows, info->batch, info->replicas};
    return true;
}

/* The programs that are measured keep these states, as their plans are equal. */
static bool make_states(void *context) {
    Session *session = &((Tuning *)context)->session;
    Graph *graph = build_graph(&session->build, GRAPH_TRAIN, session->build.info->batch);
    if (!graph) return false;
    states_keep(session->states, graph);
    graph_free(graph);
    states_initialize(session->states, session->build.info->seed);
    return session_fit_graph(session);
}

/* -- the answer -- */

static void print_tile(ProductTile tile, char text[32]) {
    snprintf(text, 32, "%dx%d/%d", tile.rows, tile.vectors, tile.steps);
}

/* All tiles of a product with their times, as measured. */
static void print_trials(const TunedProduct *product) {
    for (uint32_t i = 0; i < product->count; i++) {
        char tile[32];
        print_tile(product->tiles[i], tile);
        fprintf(stderr, "mlc: %s %s: %.1f us\n", product->product, tile, 1e6 * product->seconds[i]);
    }
}

/* For each product: the tile of the cost model and the best one, with their times. */
static void print_products(const Tuning *tuning) {
    printf("%-48s %10s %10s %10s %10s\n", "product (rows x columns x sum)", "tile", "us",
           "best tile", "us");
    for (uint32_t i = 0; i < tuning->count; i++) {
        const TunedProduct *product = &tuning->products[i];
        char first[32], best[32];
        if (tuning->options->verbose) print_trials(product);
        print_tile(product->tiles[0], first);
        print_tile(product->tiles[product->best], best);
        printf("%-48s %10s %10.1f %10s %10.1f\n", product->product, first,
               1e6 * product->seconds[0], best, 1e6 * product->seconds[product->best]);
    }
    printf("\nstep: %.1f us, with the best tiles %.1f us\n", 1e6 * tuning->before,
           1e6 * tuning->after);
}

/* Stores the best tiles. */
static bool keep(const Tuning *tuning) {
    Path cache;
    CodegenOptions options = build_codegen_options(&tuning->session.build.options, &cache);
    MeasuredTile *tiles = memory_array(tuning->count + 1, sizeof *tiles, "measured tiles");
    for (uint32_t i = 0; i < tuning->count; i++) {
        const TunedProduct *product = &tuning->products[i];
        tiles[i] = (MeasuredTile){product->product, product->tiles[product->best]};
    }
    bool kept = tiles_keep(&options, tiles, tuning->count, tuning->diag);
    if (kept) fputs("the best tiles are stored, and used from now on\n", stdout);
    free(tiles);
    return kept;
}

static bool answer(const Tuning *tuning) {
    print_products(tuning);
    if (tuning->after < tuning->before) return keep(tuning);
    fputs("nothing is stored: the step is as fast with the tiles of the cost model\n", stdout);
    return true;
}

static Status forget(const Options *options, Diagnostics *diag) {
    Path cache;
    BuildOptions how = options_build(options);
    CodegenOptions codegen = build_codegen_options(&how, &cache);
    return diag_outcome(diag, tiles_forget(&codegen, diag));
}

static bool check_usage(const Options *options, Diagnostics *diag) {
    if (options->no_cache) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "'mlc tune' stores its tiles beside the code cache, so it needs one");
        diag_help(diag, "leave out --no-cache");
    } else if (!options->forget && !options->operand_count) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc tune' needs a model file, or --forget");
        diag_help(diag, "mlc tune models/mnist.mdl");
    }
    return !diag_errors(diag);
}

Status command_tune(const Options *options, Diagnostics *diag) {
    Tuning tuning = {.options = options, .diag = diag};
    const SessionHooks hooks = {
        .context = &tuning, .model = open_model, .rows = take_rows, .weights = make_states};
    if (!check_usage(options, diag)) return diag_outcome(diag, false);
    if (options->forget) return forget(options, diag);
    bool good = session_open(&tuning.session, &hooks) && tune_measure(&tuning) && answer(&tuning);
    Status status = diag_outcome(diag, good);
    session_close(&tuning.session);
    return status;
}
