/* Calibrates a quantization on training rows, and measures the network before and after. */
#include "cli/ship/quantize_find.h"
#include "cli/ship/quantize_numbers.h"
#include "cli/results/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- opening the run -- */

static bool open_model(void *context) {
    Quantization *quantization = context;
    return session_open_run(&quantization->session, &quantization->options, quantization->diag);
}

static bool take_rows(void *context) {
    Quantization *quantization = context;
    Session *session = &quantization->session;
    if (!session_split(session, &quantization->options, &quantization->split)) return false;
    session->rows = dataset_split(session->dataset, quantization->split);
    session->row_count = dataset_rows(session->dataset, quantization->split);
    quantization->batch = programs_forward_batch(session->row_count, session->build.info->batch);
    programs_want(&session->programs, GRAPH_EVAL,
                  &(Cut){session->row_count, quantization->batch, 1});
    return true;
}

static bool load_weights(void *context) {
    Quantization *quantization = context;
    return session_load_weights(&quantization->session, &quantization->checkpoint);
}

static Program *compile(Quantization *quantization, GraphKind kind, uint32_t batch) {
    Path cache;
    Compilation compilation;
    const Build *build = &quantization->session.build;
    if (!build_compilation(build, kind, batch, PASS_COUNT - 1, &compilation)) return NULL;
    CodegenOptions options = build_codegen_options(&build->options, &cache);
    Program *program = codegen_compile(compilation.plan, compilation.graph, &options, build->diag);
    if (program) quantization->programs[quantization->program_count++] = program;
    return program;
}

/* -- calibration -- */

/* The name of an output of the calibration: the largest element of a left operand, or of its
 * negative. */
static const char *extreme_name(Arena *arena, uint32_t product, bool high) {
    return arena_format(arena, "%s of product %u", high ? "high" : "low", product);
}

/* For Build.rewrite: lists the products, and adds two outputs for each: the largest element of its
 * left operand, and the largest of its negatives. */
static Graph *watch_products(void *context, Graph *graph) {
    Quantization *quantization = context;
    Found *found = found_new(graph, quantization->arena);
    quantization->ranges = ARENA_ARRAY(quantization->arena, ProductRange, found->product_count);
    for (uint32_t i = 0; i < found->product_count; i++) {
        const Product *product = &found->products[i];
        const char *weight = product->weight;
        quantization->ranges[quantization->range_count++] = (ProductRange){
            arena_copy_string(quantization->arena, weight, strlen(weight)), product->use, 0, 0};
        NodeId left = graph_node(graph, product->node)->operands[0];
        uint32_t axes = (1u << graph_node(graph, left)->shape.rank) - 1;
        NodeId negative = build_unary(graph, OP_neg, left);
        graph_output(graph, extreme_name(quantization->arena, i, true),
                     build_reduce_axes(graph, OP_reduce_max, left, axes));
        graph_output(graph, extreme_name(quantization->arena, i, false),
                     build_reduce_axes(graph, OP_reduce_max, negative, axes));
    }
    return graph;
}

/* Extends the ranges by a batch. The conditions are such that a NaN is kept. */
static void see_batch(void *context, const Runner *runner, int64_t first, int64_t count) {
    Quantization *quantization = context;
    (void)first, (void)count;
    for (uint32_t i = 0; i < quantization->range_count; i++) {
        ProductRange *range = &quantization->ranges[i];
        const float *high = runner_output(runner, extreme_name(quantization->arena, i, true)),
                    *low = runner_output(runner, extreme_name(quantization->arena, i, false));
        if (!(*high <= range->high)) range->high = *high;
        if (!(-*low >= range->low)) range->low = -*low;
    }
}

/* Training rows at equal distances, so that the order of the data does not matter. */
static int32_t *calibration_rows(Quantization *quantization) {
    const Session *session = &quantization->session;
    const int32_t *rows = dataset_split(session->dataset, SPLIT_TRAIN);
    int64_t all = dataset_rows(session->dataset, SPLIT_TRAIN),
            count = quantization->options.calibrate < all ? quantization->options.calibrate : all;
    int32_t *chosen = ARENA_ARRAY(quantization->arena, int32_t, count);
    for (int64_t i = 0; i < count; i++) chosen[i] = rows[i * all / count];
    quantization->calibration = count;
    return chosen;
}

static bool check_ranges(const Quantization *quantization) {
    for (uint32_t i = 0; i < quantization->range_count; i++) {
        const ProductRange *range = &quantization->ranges[i];
        if (isfinite(range->low) && isfinite(range->high)) continue;
        diag_error(quantization->diag, STATUS_NONFINITE, (Span){0},
                   "--int8: on the calibration rows, the layer of '%s' gets a number that is not "
                   "finite",
                   range->weight);
        return false;
    }
    if (quantization->range_count) return true;
    diag_error(quantization->diag, STATUS_MODEL, (Span){0},
               "--int8: the network has no layer that could be computed with bytes");
    diag_help(quantization->diag,
              "dense and convolutional layers can, unless they have groups or "
              "sums of more than %d products",
              BYTES_MAX_K);
    return false;
}

/* Runs the predictions of the calibration rows, and notes the range of each left operand. */
static bool run_calibration(Quantization *quantization, const int32_t *rows) {
    Session *session = &quantization->session;
    int64_t batch = session->build.info->batch;
    if (batch > quantization->calibration) batch = quantization->calibration;
    session->build.rewrite = watch_products;
    session->build.rewrite_context = quantization;
    Program *program = compile(quantization, GRAPH_PREDICT, (uint32_t)batch);
    Runner *runner =
        program ? runner_new(program, session->states, session->threads, quantization->diag) : NULL;
    bool good = runner && forward_bind(runner, session, program->graph);
    if (good) runner_rows(runner, rows, quantization->calibration, see_batch, quantization);
    runner_free(runner);
    return good && check_ranges(quantization);
}

static bool calibrate(Quantization *quantization) {
    int64_t rows = dataset_rows(quantization->session.dataset, SPLIT_TRAIN);
    if (rows) return run_calibration(quantization, calibration_rows(quantization));
    diag_error(quantization->diag, STATUS_USAGE, (Span){0},
               "--int8 calibrates with training rows, but the data have none");
    return false;
}

/* -- measuring -- */

static bool evaluate(Quantization *quantization, const SplitPrograms *programs,
                     Evaluation *result) {
    Session *session = &quantization->session;
    const ModelInfo *info = session->build.info;
    Metrics metrics = {info->metrics, info->metric_count, session->finish};
    return evaluation_run(session->dataset, quantization->split, programs, session->states,
                          session->threads, &metrics, quantization->arena, result,
                          quantization->diag) &&
           diag_errors(quantization->diag) == 0;
}

static bool measure_before(Quantization *quantization) {
    const Session *session = &quantization->session;
    SplitPrograms programs = programs_of_split(&session->programs, GRAPH_EVAL,
                                               &(Cut){session->row_count, quantization->batch, 1});
    return evaluate(quantization, &programs, &quantization->before);
}

static bool compile_after(Quantization *quantization, uint32_t batch, const Program **program) {
    if (!batch) return true;
    *program = compile(quantization, GRAPH_EVAL, batch);
    return *program && states_bind(quantization->session.states, *program, quantization->diag);
}

static bool measure_after(Quantization *quantization) {
    Session *session = &quantization->session;
    SplitPrograms programs = {.batch = quantization->batch, .replicas = 1};
    session->build.rewrite = quantization_rewrite;
    uint32_t full = session->row_count >= programs.batch ? programs.batch : 0,
             last = (uint32_t)(session->row_count % programs.batch);
    if (!compile_after(quantization, full, &programs.full) ||
        !compile_after(quantization, last, &programs.last))
        return false;
    quantization_write(quantization, session->states);
    return evaluate(quantization, &programs, &quantization->after);
}

bool quantization_open(Quantization *quantization, const Options *options, Diagnostics *diag) {
    const SessionHooks hooks = {
        .context = quantization, .model = open_model, .rows = take_rows, .weights = load_weights};
    *quantization = (Quantization){.options = *options, .diag = diag};
    quantization->options.threads = 0;
    if (!session_open(&quantization->session, &hooks)) return false;
    quantization->arena = quantization->session.arena;
    const Symbol *bad = states_nonfinite(quantization->session.states);
    if (bad) {
        diag_error(diag, STATUS_NONFINITE, (Span){0},
                   "--int8: '%s' has a number that is not finite", bad->name);
        return false;
    }
    return calibrate(quantization) && measure_before(quantization) && measure_after(quantization);
}

void quantization_close(Quantization *quantization) {
    for (uint32_t i = 0; i < quantization->program_count; i++)
        program_free(quantization->programs[i]);
    session_close(&quantization->session);
}

/* -- the loss -- */

uint32_t quantization_metric(const Quantization *quantization) {
    const ModelInfo *info = quantization->session.build.info;
    uint32_t metric = 0;
    while (metric < info->metric_count && !info->answers[metric]) metric++;
    return metric;
}

bool quantization_check_options(const Options *options, Diagnostics *diag) {
    char *end;
    const char *text = options->max_loss;
    double points = text ? strtod(text, &end) : 0;
    if (!text || (*text && !*end && points >= 0 && points <= 100)) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               "--max-loss takes percentage points from 0 to 100, not '%s'", text);
    diag_help(diag, "for instance: --max-loss 0.5");
    return false;
}

/* The difference of the numbers of right answers, which are whole numbers. */
double quantization_points(const Quantization *quantization, uint32_t metric) {
    double answers = (double)(quantization->session.build.info->answers[metric] *
                              quantization->session.row_count);
    double before = quantization->before.metrics[metric],
           after = quantization->after.metrics[metric];
    return 100 * (rint(after * answers) - rint(before * answers)) / answers;
}

bool quantization_check_loss(const Quantization *quantization) {
    const ModelInfo *info = quantization->session.build.info;
    const char *most = quantization->options.max_loss;
    uint32_t metric = quantization_metric(quantization);
    if (!most) return true;
    if (metric == info->metric_count) {
        diag_error(quantization->diag, STATUS_USAGE, (Span){0},
                   "--max-loss needs a metric that is a percentage, such as accuracy");
        diag_help(quantization->diag, "metrics = [accuracy(...)] in the train block adds it");
        return false;
    }
    double points = -quantization_points(quantization, metric);
    if (points <= strtod(most, NULL)) return true;
    diag_error(quantization->diag, STATUS_EXPECT, (Span){0},
               "%s falls by %.2f points, and --max-loss allows %s", info->metrics[metric], points,
               most);
    return false;
}
