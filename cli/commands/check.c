/* mlc check: the errors of a model file, or what it describes in a few lines. */
#include "cli/session/build.h"
#include "cli/session/commands.h"
#include "cli/text/terminal.h"
#include "ir/base/display.h"
#include "runtime/data/dataset.h"

static int64_t count_weights(const Model *model) {
    uint32_t count;
    const LayerInfo *layers = model_layers(model, &count);
    int64_t weights = 0;
    for (uint32_t i = 0; i < count; i++) weights += layers[i].weights;
    return weights;
}

/* The other graphs are made too: what is wrong in the train block shows there. */
static bool lowers(const Build *build, GraphKind kind) {
    Graph *graph = model_graph(build->model, kind, build->info->batch, build->diag);
    graph_free(graph);
    return graph != NULL;
}

/* "image u8[1,28,28]": the type of one row, without the batch */
static void print_row_type(const char *name, DType dtype, Shape shape, const char *before) {
    char text[SHAPE_TEXT];
    Shape row = shape.rank ? shape_of(shape.rank - 1, shape.dim + 1) : shape;
    printf("%s%s %s", before, name, shape_text(dtype, row, text));
}

static void print_signature(const Graph *graph) {
    const char *before = "  ";
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_BATCH || !symbol->node) continue;
        print_row_type(symbol->name, symbol->dtype, symbol->shape, before);
        before = ", ";
    }
    before = " -> ";
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *node = graph_node(graph, graph->outputs[i].node);
        print_row_type(graph->outputs[i].name, node->dtype, node->shape, before);
        before = ", ";
    }
    putchar('\n');
}

static void print_facts(const Build *build, const Graph *graph, const char *path) {
    char weights[NUMBER_TEXT];
    const ModelInfo *info = build->info;
    shown_text(path, stdout);
    printf(": ok\n  %s: %s weights, data from %s, %u epoch%s in batches of %u, seed %llu\n", info->name,
           text_count(weights, count_weights(build->model)), info->source.reader, info->epochs, info->epochs == 1 ? "" : "s",
           info->batch, (unsigned long long)info->seed);
    print_signature(graph);
}

/* Where the header of the data tells how many rows there are. */
static void warn_of_rows(const Build *build) {
    int64_t rows[SPLIT_COUNT];
    model_warn(build->model, build->diag);
    if (!dataset_expect_rows(&build->info->schema, &build->info->split, rows)) return;
    model_set_training_rows(build->model, rows[SPLIT_TRAIN]);
    model_warn_last_batch(build->model, build->diag);
}

Status command_check(const Options *given, Diagnostics *diag) {
    Build build;
    const char *path = given->operands[0];
    bool lowered = build_open(&build, path, given, diag) && lowers(&build, GRAPH_TRAIN) && lowers(&build, GRAPH_EVAL);
    Graph *graph = lowered ? model_graph(build.model, GRAPH_PREDICT, build.info->batch, diag) : NULL;
    bool good = graph != NULL;
    if (good) print_facts(&build, graph, path);
    if (good) warn_of_rows(&build);
    graph_free(graph);
    build_close(&build);
    return diag_outcome(diag, good);
}
