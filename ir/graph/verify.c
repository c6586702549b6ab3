/* The rules every graph keeps. They hold by construction when nodes come from the builder; a pass
 * that breaks one is a bug, found here right after it has run. */
#include "ir/graph/shape_rules.h"
#include "ir/graph/text.h"
#include "ir/base/boundary.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool violation(const Graph *graph, NodeId id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool violation(const Graph *graph, NodeId id, const char *format, ...) {
    va_list args;
    if (boundary_active()) return false; /* the caller reports a bug, and nothing is printed */
    fprintf(stderr, "mlc: bug: graph \"%s\": ", graph->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (id) fputs("  ", stderr), text_print_node(graph, id, stderr);
    return false;
}

static bool exists(const Graph *graph, NodeId id) {
    return id != NODE_NONE && id < graph->node_count;
}

/* -- nodes -- */

/* Runs the builder's shape rule again, on a copy of the graph that reports to `diag`. */
static bool verify_type(const Graph *graph, NodeId id, Diagnostics *diag) {
    const Node *node = graph_node(graph, id);
    Graph view = *graph;
    view.diag = diag;
    view.span = (Span){0};
    TensorType type = {node->dtype, node->shape};
    if (!shape_infer(&(ShapeCheck){&view, node->op, node->operands, node->operand_count,
                                   &node->attrs, &type})) {
        if (!boundary_active()) diag_print(diag, stderr);
        diag_clear(diag);
        return violation(graph, id, "the operands are wrong");
    }
    char inferred[SHAPE_TEXT];
    if (type.dtype == node->dtype && shape_equal(type.shape, node->shape)) return true;
    return violation(graph, id, "the type should be %s",
                     shape_text(type.dtype, type.shape, inferred));
}

/* Equality of nodes is equality of bytes: bytes of attributes that the op does not use must be
 * zero. */
static bool verify_attrs(const Graph *graph, NodeId id) {
    const Node *node = graph_node(graph, id);
    const unsigned char *bytes = (const unsigned char *)&node->attrs;
    for (size_t i = attrs_bytes(op_attrs(node->op)); i < sizeof node->attrs; i++)
        if (bytes[i])
            return violation(graph, id, "an attribute that %s does not use is not zero",
                             op_name(node->op));
    for (int i = node->shape.rank; i < SHAPE_MAX_RANK; i++)
        if (node->shape.dim[i])
            return violation(graph, id, "the shape has sizes after its last axis");
    return true;
}

static bool verify_node(const Graph *graph, NodeId id, Diagnostics *diag) {
    const Node *node = graph_node(graph, id);
    if ((unsigned)node->op >= OP_COUNT || (unsigned)node->dtype >= DTYPE_COUNT)
        return violation(graph, NODE_NONE, "node %u has no op or type", id);
    if (node->shape.rank < 0 || node->shape.rank > SHAPE_MAX_RANK)
        return violation(graph, NODE_NONE, "node %u has no rank", id);
    if (op_attrs(node->op) == ATTRS_SYMBOL && node->attrs.symbol >= graph->symbol_count)
        return violation(graph, NODE_NONE, "node %u has no symbol", id);
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (node->operands[i] == NODE_NONE || node->operands[i] >= id)
            return violation(graph, id, "operand %u does not come before the node", i + 1);
    return verify_attrs(graph, id) && verify_type(graph, id, diag);
}

/* -- symbols, outputs, updates -- */

static bool verify_symbol_node(const Graph *graph, NodeId id) {
    const Node *node = graph_node(graph, id);
    if (op_attrs(node->op) != ATTRS_SYMBOL) return true;
    const Symbol *symbol = &graph->symbols[node->attrs.symbol];
    if (symbol->node != id)
        return violation(graph, id, "its symbol belongs to node %u", symbol->node);
    if ((symbol->kind == SYMBOL_STATE) != (node->op == OP_state))
        return violation(graph, id, "its symbol is of another kind");
    if (symbol->dtype != node->dtype || !shape_equal(symbol->shape, node->shape))
        return violation(graph, id, "its symbol has another type");
    if (symbol->kind == SYMBOL_BATCH && symbol->shape.rank == 0)
        return violation(graph, id, "a batch has at least one axis");
    return true;
}

static bool verify_symbol(const Graph *graph, uint32_t index) {
    const Symbol *symbol = &graph->symbols[index];
    if (symbol->node && (!exists(graph, symbol->node) ||
                         op_attrs(graph_node(graph, symbol->node)->op) != ATTRS_SYMBOL ||
                         graph_node(graph, symbol->node)->attrs.symbol != index))
        return violation(graph, NODE_NONE, "node %u is not that of symbol '%s'", symbol->node,
                         symbol->name);
    if (!symbol->update) return true;
    if (symbol->kind != SYMBOL_STATE)
        return violation(graph, symbol->node, "an input has an update");
    if (!symbol->node || !exists(graph, symbol->update))
        return violation(graph, symbol->node, "the update of '%s' lost a node", symbol->name);
    const Node *update = graph_node(graph, symbol->update);
    if (update->dtype == symbol->dtype && shape_equal(update->shape, symbol->shape)) return true;
    return violation(graph, symbol->update, "the update of '%s' has another type", symbol->name);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, because the passes of a deep network verify thousands of states again and again. */
static bool verify_names(const Graph *graph) {
    Arena *scratch = arena_new();
    const char **names = ARENA_ARRAY(scratch, const char *, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++) names[i] = graph->symbols[i].name;
    qsort(names, graph->symbol_count, sizeof *names, compare_names);
    bool valid = true;
    for (uint32_t i = 1; valid && i < graph->symbol_count; i++)
        if (!strcmp(names[i - 1], names[i]))
            valid = violation(graph, NODE_NONE, "two symbols '%s'", names[i]);
    arena_free(scratch);
    return valid;
}

bool graph_verify(const Graph *graph) {
    Diagnostics *diag = diag_new();
    bool valid = true;
    for (NodeId id = 1; valid && id < graph->node_count; id++)
        valid = verify_node(graph, id, diag) && verify_symbol_node(graph, id);
    for (uint32_t i = 0; valid && i < graph->symbol_count; i++) valid = verify_symbol(graph, i);
    diag_free(diag);
    if (!valid || !verify_names(graph)) return false;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (!exists(graph, graph->outputs[i].node))
            return violation(graph, NODE_NONE, "output '%s' lost its node", graph->outputs[i].name);
    return true;
}
