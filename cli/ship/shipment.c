/* Makes a shipment from a run or a model: checks the options, loads it, and compiles the object. */
#include "cli/ship/shipment.h"
#include "cli/ship/ship_names.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "runtime/formats/hash.h"
#include "runtime/program/layouts.h"

#include <stdlib.h>
#include <string.h>

/* -- what the user asked for -- */

static bool choose_name(Shipment *shipment) {
    const char *given = shipment->options->name, *model = shipment->session.build.info->name;
    shipment->name = given ? given : c_name(shipment->arena, model, NULL, 0);
    if (c_prefix_valid(shipment->name)) return true;
    diag_error(shipment->diag, STATUS_USAGE, (Span){0},
               given ? "--name %s: all names begin with it, so it must be a name in C"
                     : "the model's name '%s' cannot begin names in C",
               given ? given : model);
    diag_help(shipment->diag, "for instance: --name digits (small letters, digits and '_', 40 at "
                              "most; no keyword of C or C++)");
    return false;
}

static bool bad_rows(const Shipment *shipment) {
    diag_error(shipment->diag, STATUS_USAGE, (Span){0},
               "--rows takes up to %d different numbers from 1 to 65536, not '%s'", VARIANTS_MAX,
               shipment->options->row_counts);
    diag_help(shipment->diag, "for instance: --rows 1,32");
    return false;
}

static bool add_variant(Shipment *shipment, int64_t rows) {
    for (uint32_t i = 0; i < shipment->variant_count; i++)
        if (shipment->variants[i].rows == rows) return false;
    if (shipment->variant_count == VARIANTS_MAX) return false;
    ShipVariant *variant = &shipment->variants[shipment->variant_count++];
    variant->rows = rows;
    variant->suffix = rows == 1 ? "" : arena_format(shipment->arena, "_%lld", (long long)rows);
    variant->symbol = arena_format(shipment->arena, "%s_run%s", shipment->name, variant->suffix);
    return true;
}

/* The row counts of --rows, "1,32". */
static bool choose_rows(Shipment *shipment) {
    const char *text = shipment->options->row_counts;
    if (!text) return add_variant(shipment, 1);
    for (;;) {
        char number[8];
        int64_t rows;
        size_t length = strcspn(text, ",");
        snprintf(number, sizeof number, "%.*s", (int)(length < 8 ? length : 7), text);
        if (length > 5 || !parse_number(number, 1, 65536, &rows) || !add_variant(shipment, rows))
            return bad_rows(shipment);
        if (!text[length]) return true;
        text += length + 1;
    }
}

/* -- the run, or the model without one -- */

static bool check_set(const Shipment *shipment) {
    if (!shipment->options->set.count || shipment_is_model(shipment)) return true;
    diag_error(shipment->diag, STATUS_USAGE, (Span){0},
               "--set is for a model file, as a run has its settings");
    diag_help(shipment->diag, "'mlc train FILE.mdl --set NAME=VALUE' makes a run with others");
    return false;
}

static bool open_network(Shipment *shipment) {
    Session *session = &shipment->session;
    bool is_model = shipment_is_model(shipment);
    session->arena = shipment->arena = arena_new();
    if (!(is_model ? shipment_open_model(shipment)
                   : session_open_run(session, shipment->options, shipment->diag)))
        return false;
    shipment->graph = model_graph(session->build.model, GRAPH_PREDICT, 1, shipment->diag);
    if (!shipment->graph) return false;
    session->threads = threads_new(1);
    session->states = states_new();
    states_keep(session->states, shipment->graph);
    return (is_model ? shipment_draw_weights(shipment)
                     : session_load_weights(session, &shipment->checkpoint)) &&
           build_hash_model(&session->build, shipment->model_hash);
}

/* -- the object -- */

/* The functions are compiled for the target, and for the threads that a call may have. The network
 * was loaded for one thread of this machine. */
static void fit_to_target(Shipment *shipment) {
    const char *platform = shipment->options->platform;
    BuildOptions *options = &shipment->session.build.options;
    options->threads = (int)shipment->options->parts;
    options->no_vectors = platform && codegen_without_vectors(platform);
    shipment->request.parts = (uint32_t)shipment->options->parts;
}

static bool compile_variants(Shipment *shipment) {
    bool good = true;
    for (uint32_t i = 0; i < shipment->variant_count && good; i++)
        good = build_compilation(&shipment->session.build, GRAPH_PREDICT,
                                 (uint32_t)shipment->variants[i].rows, PASS_COUNT - 1,
                                 &shipment->variants[i].compilation);
    return good;
}

/* The step of a training, for a batch of the model or a share of it. */
static bool open_step(Shipment *shipment) {
    if (!shipment_trains(shipment)) return true;
    shipment->step_rows = model_batch(shipment->session.build.info, GRAPH_TRAIN);
    return build_compilation(&shipment->session.build, GRAPH_TRAIN, (uint32_t)shipment->step_rows,
                             PASS_COUNT - 1, &shipment->step);
}

/* The shipped functions are, in this order and as far as they are wanted: variants with the weights
 * of the object, variants with those of a state, the step (shipment_weights.c). */
ShipSizes shipment_sizes(const Shipment *shipment, uint32_t variant) {
    const ShipSizes *sizes = shipment->shipped.sizes;
    ShipSizes both = sizes[variant];
    if (!shipment_trains(shipment) || shipment_is_web(shipment)) return both;
    const ShipSizes *with_state = &sizes[shipment->variant_count + variant];
    both.stack = both.stack > with_state->stack ? both.stack : with_state->stack;
    if (both.part_stack < with_state->part_stack) both.part_stack = with_state->part_stack;
    return both;
}

const char *shipment_target(const Shipment *shipment) {
    if (shipment_is_source(shipment)) return "C99";
    return arena_format(shipment->arena, "%s, %s%s", shipment->shipped.target,
                        shipment->shipped.cpu, shipment->shipped.has_wide ? " or AVX-512" : "");
}

ShipSizes shipment_step_sizes(const Shipment *shipment) {
    return shipment->shipped.sizes[shipment->request.function_count - 1];
}

static const double *exact_values(const Shipment *shipment, const FittedColumn *column) {
    int64_t count = shape_elements(column->row);
    double *values = ARENA_ARRAY(shipment->arena, double, count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = column->values[i].number;
        if (column->values[i].rest == 0) continue;
        diag_error(shipment->diag, STATUS_MODEL, (Span){0},
                   "'%s' is fitted to whole numbers beyond 2^53, which a double of C cannot hold",
                   column->name);
        diag_help(shipment->diag, "let the data have smaller numbers: seconds instead of "
                                  "nanoseconds, for instance");
        return NULL;
    }
    return values;
}

static bool take_fitted(Shipment *shipment) {
    uint32_t count;
    const FittedColumn *columns = dataset_fitted(shipment->session.dataset, &count);
    ShipFitted *fitted = ARENA_ARRAY(shipment->arena, ShipFitted, count);
    for (uint32_t i = 0; i < count; i++) {
        const double *values = exact_values(shipment, &columns[i]);
        if (!values) return false;
        fitted[i] = (ShipFitted){columns[i].name, values, columns[i].deviation,
                                 shape_elements(columns[i].row)};
    }
    shipment->request.fitted = fitted;
    shipment->request.fitted_count = count;
    return true;
}

/* Checks that options for machine code are not given for another form: a platform, a CPU, and for C
 * source the level of optimization. */
static bool check_form(const Shipment *shipment) {
    static const OptionId others[] = {OPTION_platform, OPTION_ship_cpu, OPTION_level};
    bool source = shipment_is_source(shipment);
    if (!source && !shipment_is_web(shipment)) return true;
    for (size_t i = 0; i < (source ? 3 : 2); i++) {
        char option[OPTION_SPELLING];
        if (!option_given(shipment->options, others[i])) continue;
        diag_error(shipment->diag, STATUS_USAGE, (Span){0}, "%s is for machine code: --form %s",
                   option_spelling(&option_rows[others[i]], option),
                   source                       ? "c makes a source for all platforms"
                   : shipment_is_page(shipment) ? "html makes a page for all browsers"
                                                : "wasm makes modules for all browsers");
        return false;
    }
    return true;
}

/* -- bytes -- */

static bool reject_int8(const Shipment *shipment, const char *what, const char *help) {
    diag_error(shipment->diag, STATUS_USAGE, (Span){0}, "%s", what);
    diag_help(shipment->diag, "%s", help);
    return false;
}

static bool check_int8(const Shipment *shipment) {
    const Options *options = shipment->options;
    bool more = options->max_loss || option_given(options, OPTION_calibrate);
    if (options->int8 && options->with_training)
        return reject_int8(shipment,
                           "--train and --int8 exclude each other, as a training needs f32",
                           "build two libraries, and give each a --name of its own");
    if (!options->int8 && more)
        return reject_int8(shipment,
                           "--max-loss and --calibrate are for --int8, which is not given",
                           "for instance: mlc build RUN --int8 --max-loss 0.5");
    return !options->int8 || quantization_check_options(options, shipment->diag);
}

/* With --int8, replaces all further graphs by those of the network of bytes. */
static bool quantize(Shipment *shipment) {
    if (!shipment->options->int8) return true;
    Build *build = &shipment->session.build;
    shipment->quantization = MEMORY_NEW(Quantization, "a network of bytes");
    if (!quantization_open(shipment->quantization, shipment->options, shipment->diag) ||
        !quantization_check_loss(shipment->quantization))
        return false;
    build->rewrite = quantization_rewrite;
    build->rewrite_context = shipment->quantization;
    Graph *graph = build_graph(build, GRAPH_PREDICT, 1);
    if (graph) states_keep(shipment->session.states, graph);
    quantization_write(shipment->quantization, shipment->session.states);
    graph_free(graph);
    return graph != NULL;
}

/* -- calls in parts -- */

static bool check_parts(const Shipment *shipment) {
    if (!shipment_has_parts(shipment) || !shipment_is_web(shipment)) return true;
    diag_error(shipment->diag, STATUS_USAGE, (Span){0},
               "--threads is for C: modules for browsers run on one thread");
    return false;
}

/* -- weights outside of the library -- */

static bool check_weights(const Shipment *shipment) {
    bool web = shipment_is_web(shipment), given = shipment_takes_weights(shipment);
    if (web && (given || shipment_parts_weights(shipment)))
        diag_error(shipment->diag, STATUS_USAGE, (Span){0}, "--weights %s is for C: %s",
                   given ? "given" : "apart",
                   shipment_is_page(shipment) ? "a page always has its weights in it"
                                              : "modules for browsers have no weights in them");
    else if (given && shipment_trains(shipment))
        diag_error(shipment->diag, STATUS_USAGE, (Span){0},
                   "--weights given and --train exclude each other, as a state holds the weights");
    else
        return true;
    return false;
}

static bool make_source(Shipment *shipment) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    shipment->shipped.sizes =
        memory_array(shipment->request.function_count, sizeof *shipment->shipped.sizes, "a source");
    bool good = codegen_ship_source(&shipment->request, stream.out, shipment->shipped.sizes,
                                    shipment->diag);
    shipment->source = memory_stream_end(&stream);
    return good;
}

static bool make_object(Shipment *shipment) {
    Path cache;
    BuildOptions how = options_build(shipment->options);
    CodegenOptions options = build_codegen_options(&how, &cache);
    const char *cpu = shipment->options->ship_cpu, *platform = shipment->options->platform;
    options.cpu = cpu;
    options.platform = platform ? platform : codegen_platform();
    if (cpu && !strcmp(cpu, "native") && !platform) options.platform = NULL;
    options.also_wide = !cpu;
    if (!take_fitted(shipment) || !shipment_place_weights(shipment)) return false;
    shipment->request.name = shipment->name;
    if (shipment_is_source(shipment)) return make_source(shipment);
    if (shipment_is_web(shipment)) return shipment_make_modules(shipment, &options);
    return codegen_ship(&shipment->request, &options, &shipment->shipped, shipment->diag);
}

bool shipment_open(Shipment *shipment, const Options *options, Diagnostics *diag) {
    *shipment = (Shipment){.options = options, .diag = diag};
    return check_form(shipment) && check_int8(shipment) && check_weights(shipment) &&
           check_parts(shipment) && check_set(shipment) && open_network(shipment) &&
           choose_name(shipment) && choose_rows(shipment) &&
           (fit_to_target(shipment), open_step(shipment)) && quantize(shipment) &&
           shipment_find_inputs(shipment, shipment->step.graph) &&
           shipment_find_outputs(shipment) && compile_variants(shipment) &&
           (!shipment_is_page(shipment) || shipment_prepare_page(shipment)) &&
           shipment_make_rows(shipment) && make_object(shipment) && shipment_run_rows(shipment);
}

void shipment_close(Shipment *shipment) {
    for (uint32_t i = 0; i < shipment->variant_count; i++)
        compilation_free(&shipment->variants[i].compilation);
    compilation_free(&shipment->step);
    shipped_free(&shipment->shipped);
    shipped_free(&shipment->relaxed);
    free(shipment->source);
    free(shipment->weights);
    free(shipment->page.bytes);
    graph_free(shipment->graph);
    if (shipment->quantization) quantization_close(shipment->quantization);
    free(shipment->quantization);
    dataset_free(shipment->data);
    session_close(&shipment->session);
}
