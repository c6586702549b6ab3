/* mlc check: prints the errors of a model file, or a few lines about a model without errors. */
#include "cli/session/build.h"
#include "cli/session/commands.h"
#include "cli/text/terminal.h"
#include "frontend/syntax/ast_print.h"
#include "ir/base/display.h"
#include "ir/data/derived.h"
#include "runtime/data/dataset.h"

#include <stdlib.h>
#include <string.h>

/* Lowers a graph only to find its errors: those of the train block appear in GRAPH_TRAIN and
 * GRAPH_EVAL. */
static bool lowers(const Build *build, GraphKind kind) {
    Graph *graph = model_graph(build->model, kind, model_batch(build->info, kind), build->diag);
    graph_free(graph);
    return graph != NULL;
}

/* "image f32[1,28,28]": the type of one row, without the batch */
static void print_row_type(const char *name, const Node *node) {
    char text[SHAPE_TEXT];
    Shape row =
        node->shape.rank ? shape_of(node->shape.rank - 1, node->shape.dim + 1) : node->shape;
    printf("%s %s", name, shape_text(node->dtype, row, text));
}

/* The number of table columns that a node depends on; 0 if the data are not a table. */
static uint32_t count_columns(const SourceSchema *schema, const Graph *graph, NodeId node) {
    Arena *arena = arena_new();
    bool *reached = ARENA_ARRAY(arena, bool, graph->node_count),
         *read = ARENA_ARRAY(arena, bool, schema->field_count);
    uint32_t columns = 0, count;
    reached[node] = true;
    for (NodeId id = node; id > 0; id--) { /* operands come before the nodes that use them */
        const Node *at = graph_node(graph, id);
        if (!reached[id]) continue;
        for (uint32_t i = 0; i < at->operand_count; i++) reached[at->operands[i]] = true;
        const uint32_t *fields = NULL;
        if (at->op == OP_input)
            fields = source_reads(schema, graph->symbols[at->attrs.symbol].name, arena, &count);
        for (uint32_t i = 0; fields && i < count; i++) {
            columns += schema->fields[fields[i]].is_column && !read[fields[i]];
            read[fields[i]] = true;
        }
    }
    arena_free(arena);
    return columns;
}

/* Prints the inputs of the model and its outputs: "x f32[22] (from 7 columns of sales.csv) -> price
 * f32[1]". */
static void print_signature(const ModelInfo *info, const Graph *fields, const Graph *graph) {
    const char *before = "  ";
    for (uint32_t i = 0; i < info->input_count; i++) {
        NodeId id = graph_output_node(fields, info->inputs[i]);
        if (!id) continue;
        fputs(before, stdout);
        print_row_type(info->inputs[i], graph_node(fields, id));
        uint32_t columns = count_columns(&info->schema, fields, id);
        for (uint32_t j = 0; columns && j < info->source.arg_count; j++) {
            if (strcmp(info->source.args[j].name, "path")) continue;
            printf(" (from %u column%s of ", columns, columns == 1 ? "" : "s");
            display_text(info->source.args[j].text, stdout);
            putchar(')');
        }
        before = ", ";
    }
    before = " -> ";
    for (uint32_t i = 0; i < graph->output_count; i++) {
        fputs(before, stdout);
        print_row_type(graph->outputs[i].name, graph_node(graph, graph->outputs[i].node));
        before = ", ";
    }
    putchar('\n');
}

static void print_facts(const Build *build, const Graph *fields, const Graph *graph,
                        const char *path) {
    char text[NUMBER_TEXT];
    const ModelInfo *info = build->info;
    uint32_t count;
    const LayerInfo *layers = model_layers(build->model, &count);
    int64_t weights = 0;
    for (uint32_t i = 0; i < count; i++) weights += layers[i].weights;
    display_text(path, stdout);
    printf(": ok\n  %s: %s weights, data from %s, %u epoch%s in batches of %u, seed %llu\n",
           info->name, text_count(text, weights), info->source.reader, info->epochs,
           info->epochs == 1 ? "" : "s", info->batch, (unsigned long long)info->seed);
    print_signature(info, fields, graph);
}

/* Some warnings need the number of training rows. It is known here if a file's header states it. */
static void print_warnings(const Build *build) {
    int64_t rows[SPLIT_COUNT];
    model_warn(build->model, build->diag);
    if (!dataset_expect_rows(&build->info->schema, &build->info->split, rows)) return;
    model_set_training_rows(build->model, rows[SPLIT_TRAIN]);
    model_warn_last_batch(build->model, build->diag);
}

static Status print_tree(const char *path, Diagnostics *diag) {
    size_t length;
    char *text = build_read_text(path, &length, diag);
    bool good = text && ast_print(path, text, length, stdout, diag);
    free(text);
    return diag_outcome(diag, good);
}

Status command_check(const Options *given, Diagnostics *diag) {
    Build build;
    const char *path = given->operands[0];
    if (given->ast) return print_tree(path, diag);
    bool lowered = build_open(&build, path, given, diag) && lowers(&build, GRAPH_TRAIN) &&
                   lowers(&build, GRAPH_EVAL);
    Graph *fields =
        lowered ? model_graph(build.model, GRAPH_FIELDS, build.info->batch, diag) : NULL;
    Graph *graph = fields ? model_graph(build.model, GRAPH_PREDICT, build.info->batch, diag) : NULL;
    bool good = graph != NULL;
    if (good) print_facts(&build, fields, graph, path);
    if (good) print_warnings(&build);
    graph_free(fields);
    graph_free(graph);
    build_close(&build);
    return diag_outcome(diag, good);
}
