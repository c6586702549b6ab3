/* mlc summary: prints the layers and the exact memory of the training step, without running it. */
#include "cli/commands/summarizing.h"
#include "cli/commands/training.h"
#include "cli/session/build.h"
#include "cli/session/commands.h"
#include "engine/build/programs.h"
#include "cli/text/terminal.h"
#include "runtime/train/spread_plan.h"

#include <string.h>

/* Column widths. The minimum widths suit most models, so that summaries look alike. */
typedef struct {
    int layer, op, output;
} Columns;

static void widen(int *width, const char *text) {
    int needed = (int)strlen(text); /* names and shapes are ASCII */
    if (*width < needed) *width = needed;
}

static Columns columns_of(const LayerInfo *layers, uint32_t count) {
    Columns columns = {16, 14, 24};
    char shape[SHAPE_TEXT];
    for (uint32_t i = 0; i < count; i++) {
        widen(&columns.layer, layers[i].name);
        widen(&columns.op, layers[i].op);
        widen(&columns.output, shape_text(layers[i].output.dtype, layers[i].output.shape, shape));
    }
    return columns;
}

static void print_columns(const Columns *columns, const char *layer, const char *op,
                          const char *output, const char *weights, const char *operations) {
    printf("%-*s %-*s %-*s %14s %18s\n", columns->layer, layer, columns->op, op, columns->output,
           output, weights, operations);
}

/* Weights that no step changes: frozen ones, and those that the loss does not depend on. */
static int64_t count_untrained(const Graph *graph) {
    int64_t count = 0;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE && symbol->trainable && !symbol->update)
            count += shape_elements(symbol->shape);
    }
    return count;
}

static void print_layers(const Build *build, const Graph *graph) {
    uint32_t count;
    int64_t weights = 0, operations = 0;
    const LayerInfo *layers = model_layers(build->model, &count);
    Columns columns = columns_of(layers, count);
    char shape[SHAPE_TEXT], text[NUMBER_TEXT], more[NUMBER_TEXT];
    print_columns(&columns, "layer", "op", "output", "weights", "operations/row");
    for (uint32_t i = 0; i < count; i++) {
        print_columns(&columns, layers[i].name, layers[i].op,
                      shape_text(layers[i].output.dtype, layers[i].output.shape, shape),
                      text_count(text, layers[i].weights), text_count(more, layers[i].operations));
        weights += layers[i].weights;
        operations += layers[i].operations;
    }
    print_columns(&columns, "total", "", "", text_count(text, weights),
                  text_count(more, operations));
    if (count_untrained(graph))
        print_columns(&columns, "not trained", "", "", text_count(text, count_untrained(graph)),
                      "");
}

void summary_print_bytes(const char *what, int64_t bytes) {
    char exact[NUMBER_TEXT], rounded[NUMBER_TEXT];
    printf("  %-36s %16s bytes", what, text_count(exact, bytes));
    if (bytes >= 1024) printf("  %s", text_bytes(rounded, bytes));
    putchar('\n');
}

/* The bytes of one row of the source, over all its fields. */
static int64_t row_bytes(const SourceSchema *schema) {
    int64_t bytes = 0;
    for (uint32_t i = 0; i < schema->field_count; i++)
        bytes +=
            shape_elements(schema->fields[i].row) * (int64_t)dtype_bytes(schema->fields[i].dtype);
    return bytes;
}

static uint32_t count_barriers(const Plan *plan) {
    uint32_t barriers = 1; /* the closing one */
    for (uint32_t i = 0; i < plan->kernel_count; i++) barriers += plan->kernels[i].barrier_before;
    return barriers;
}

/* The total is the memory of one program: padded states, activations, outputs, and the scratch
 * memory of every thread. The data are not included: mapped files need not be in memory. */
static void print_step(const Build *build, const Compilation *compilation) {
    const Graph *graph = compilation->graph;
    const Plan *plan = compilation->plan;
    const SourceSchema *schema = &build->info->schema;
    int threads = build_threads(&build->options);
    size_t states = stored_state_bytes(graph, plan->states, plan->state_count);
    char total[64];
    snprintf(total, sizeof total, "total on %d thread%s", threads, threads == 1 ? "" : "s");
    const ModelInfo *info = build->info;
    if (info->replicas > 1)
        printf("\nmemory of the training step, batch %u in %u shares\n", info->batch,
               info->replicas);
    else
        printf("\nmemory of the training step, batch %u\n", info->batch);
    summary_print_bytes("weights", graph_state_bytes(graph, true));
    summary_print_bytes("optimizer state", graph_state_bytes(graph, false));
    summary_print_bytes("weights and optimizer state (padded)", (int64_t)states);
    summary_print_bytes("activations", (int64_t)plan->slab_bytes);
    if (plan->thread_slab_bytes)
        summary_print_bytes("scratch per thread", (int64_t)plan->thread_slab_bytes);
    summary_print_bytes("outputs", (int64_t)plan->output_bytes);
    summary_print_bytes(total,
                        (int64_t)(states + plan->slab_bytes +
                                  plan->thread_slab_bytes * (size_t)threads + plan->output_bytes));
    if (schema->train_rows)
        summary_print_bytes("data (not in the total)",
                            (schema->train_rows + schema->valid_rows + schema->test_rows) *
                                row_bytes(schema));
    uint32_t barriers = count_barriers(plan);
    printf("%u nodes in %u kernels, %u barrier%s\n", graph->node_count - 1, plan->kernel_count,
           barriers, barriers == 1 ? "" : "s");
}

/* -- the exchange of several processes -- */

/* Links for which the time is predicted: seconds before the first byte, and bytes a second. */
#define POST_SECONDS 1e-6
static const NetworkLink links[] = {{"10 Gb/s Ethernet", 20e-6, 1.17e9, POST_SECONDS},
                                    {"100 Gb/s InfiniBand", 2e-6, 11.5e9, POST_SECONDS},
                                    {"one machine", 1e-6, 6e9, POST_SECONDS}};

/* The bytes that the optimizer's states have in a process. */
static size_t owned_bytes(const SpreadPlan *plan, const Graph *share, const Graph *whole,
                          int rank) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < whole->symbol_count; i++) {
        const WeightPlace *place = spread_moment(plan, share, whole->symbols[i].name);
        if (place) bytes += (size_t)part_piece(&plan->parts, place, rank).count * sizeof(float);
    }
    return bytes;
}

static size_t largest_owned(const SpreadPlan *plan, const Graph *share, const Graph *whole) {
    size_t largest = 0;
    for (int rank = 0; rank < plan->parts.processes; rank++) {
        size_t bytes = owned_bytes(plan, share, whole, rank);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static void print_exchange(const ModelInfo *info, const SpreadPlan *plan, size_t owned) {
    char text[NUMBER_TEXT];
    SpreadTraffic traffic = spread_largest_traffic(plan);
    printf("\nexchange of %d processes, which share the %u replicas of a batch\n",
           plan->parts.processes, info->replicas);
    printf("  %-36s %16s\n", "messages a process sends in a step",
           text_count(text, traffic.messages));
    summary_print_bytes("a process sends in a step", traffic.bytes);
    summary_print_bytes("optimizer state in a process", (int64_t)owned);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        printf("  predicted for %-22s %16.3f ms\n", links[i].name,
               1e3 * spread_seconds(&links[i], &traffic));
}

/* Plans the exchange from the graph of a share. whole: that of a training on one process. */
static bool print_spread(const Build *build, const Graph *whole, int processes) {
    const ModelInfo *info = build->info;
    if (!training_check_replicas(info, processes, build->diag)) return false;
    Graph *share = build_graph(build, GRAPH_SHARE, model_batch(info, GRAPH_SHARE));
    if (!share) return false;
    SpreadPlan plan = {
        .cut = {(int64_t)info->batch * info->accumulate, info->batch, info->replicas},
        .accumulate = info->accumulate,
        .parts = {.processes = processes, .whole_blocks = info->clips_norm}};
    spread_plan_gradients(&plan, share);
    spread_plan_carried(&plan, SHARE_FULL, share);
    print_exchange(info, &plan, largest_owned(&plan, share, whole));
    spread_plan_free(&plan);
    graph_free(share);
    return true;
}

Status command_summary(const Options *given, Diagnostics *diag) {
    Build build;
    Compilation compilation;
    bool opened = build_open(&build, given->operands[0], given, diag);
    bool good =
        opened && build_compilation(&build, GRAPH_TRAIN, model_batch(build.info, GRAPH_TRAIN),
                                    PASS_COUNT - 1, &compilation);
    if (good) {
        print_layers(&build, compilation.graph);
        print_step(&build, &compilation);
        if (given->share_count > 1)
            good = print_spread(&build, compilation.graph, (int)given->share_count);
        good = good && summary_print_device(&build);
        compilation_free(&compilation);
    }
    build_close(&build);
    return diag_outcome(diag, good);
}
