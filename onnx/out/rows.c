/* Finds the sizes that grow with the batch: the same network is built for two numbers of rows, and
 * the graphs are compared node by node. A size is a in one graph and b in the other. It is a number
 * if a == b, and size * N if a / b is the ratio of the numbers of rows. */
#include "onnx/out/rows.h"
#include "ir/ops/ops.h"

#include <string.h>

typedef struct {
    const Graph *graph, *other;
    int64_t rows, other_rows;
    const NodeId *as; /* [node of `other`]: the node of `graph` that it equals */
} GraphPair;

/* The number of rows that a graph was built for; 0: it has no input with rows. */
static int64_t rows_of(const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH && graph->symbols[i].node)
            return graph->symbols[i].shape.dim[0];
    return 0;
}

static bool compare_size(const GraphPair *both, int64_t a, int64_t b, Size *size) {
    *size = (Size){a, false};
    if (a == b) return true;
    *size = (Size){a / both->rows, true};
    return a % both->rows == 0 && b == size->size * both->other_rows;
}

/* A slice may take all rows; any other part of the batch depends on its size. */
static bool same_range(const GraphPair *both, const Node *a, const Node *b) {
    const Node *from = graph_operand(both->graph, a, 0);
    for (int i = 0; i < a->shape.rank; i++) {
        Size stop;
        if (a->attrs.range.start[i] != b->attrs.range.start[i] ||
            a->attrs.range.step[i] != b->attrs.range.step[i] ||
            !compare_size(both, a->attrs.range.stop[i], b->attrs.range.stop[i], &stop) ||
            (stop.rows && (a->attrs.range.start[i] || a->attrs.range.step[i] != 1 ||
                           a->attrs.range.stop[i] != from->shape.dim[i])))
            return false;
    }
    return true;
}

static bool same_attrs(const GraphPair *both, const Node *a, const Node *b) {
    AttrsKind kind = op_attrs(a->op);
    if (kind == ATTRS_SYMBOL)
        return !strcmp(both->graph->symbols[a->attrs.symbol].name,
                       both->other->symbols[b->attrs.symbol].name);
    return kind == ATTRS_RANGE ? same_range(both, a, b)
                               : !memcmp(&a->attrs, &b->attrs, attrs_bytes(kind));
}

static bool same_node(const GraphPair *both, const Node *a, const Node *b, Sizes *sizes) {
    bool same = a->op == b->op && a->dtype == b->dtype && a->shape.rank == b->shape.rank &&
                a->operand_count == b->operand_count && same_attrs(both, a, b);
    for (uint32_t i = 0; same && i < a->operand_count; i++)
        same = both->as[b->operands[i]] == a->operands[i];
    for (int i = 0; same && i < a->shape.rank; i++)
        same = compare_size(both, a->shape.dim[i], b->shape.dim[i], &sizes->size[i]);
    return same;
}

/* The next node that is needed, or the end. */
static NodeId next_live(const Graph *graph, const bool *live, NodeId id) {
    do id++;
    while (id < graph->node_count && !live[id]);
    return id;
}

static Sizes *numbers(const Graph *graph, Arena *arena) {
    Sizes *sizes = ARENA_ARRAY(arena, Sizes, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++)
        for (int i = 0; i < SHAPE_MAX_RANK; i++)
            sizes[id].size[i].size = graph->nodes[id].shape.dim[i];
    return sizes;
}

Sizes *rows_find(const Graph *graph, const Graph *other, Arena *arena, Span *differs) {
    if (!other) return numbers(graph, arena);
    const bool *live = graph_live(graph), *other_live = graph_live(other);
    NodeId *as = ARENA_ARRAY(arena, NodeId, other->node_count);
    GraphPair both = {graph, other, rows_of(graph), rows_of(other), as};
    Sizes *sizes = ARENA_ARRAY(arena, Sizes, graph->node_count);
    *differs = (Span){0};
    if (!both.rows || !both.other_rows) return NULL;
    NodeId a = next_live(graph, live, 0), b = next_live(other, other_live, 0);
    while (a < graph->node_count && b < other->node_count) {
        const Node *node = graph_node(graph, a);
        *differs = node->span;
        if (!same_node(&both, node, graph_node(other, b), &sizes[a])) return NULL;
        as[b] = a;
        a = next_live(graph, live, a);
        b = next_live(other, other_live, b);
    }
    return a == graph->node_count && b == other->node_count ? sizes : NULL;
}
