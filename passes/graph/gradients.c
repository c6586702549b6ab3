/* The gradients pass: reverse-mode differentiation. One sweep goes from a scalar back to the values
 * whose gradients are wanted.
 *
 * The gradient of a node is the sum of the contributions of its users. Their order is fixed: users
 * from the last built to the first, and the operands of a user from the first to the last. */
#include "passes/graph/gradients.h"
#include "passes/pass_list.h"

static GradientRule *const rules[OP_COUNT] = {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = gradient_##gradient,
#include "ir/ops/ops.def"
};

/* The gradient through such an op is zero: the sweep stops here. */
void gradient_none(const Backward *at) { (void)at; }

void gradient_contribute(const Backward *at, uint32_t operand, NodeId contribution) {
    NodeId *total = &at->total[gradient_operand(at, operand)];
    *total = *total ? build_binary(at->graph, OP_add, *total, contribution) : contribution;
}

/* select(gradient == 0 and product is NaN, 0, product). The product is kept wherever it is a
 * number, so that a gradient of this gradient is right where this one is 0. */
NodeId gradient_masked(const Backward *at, NodeId gradient, NodeId product) {
    const Node *known = graph_node(at->graph, gradient);
    if (known->op == OP_constant && known->attrs.value.f != 0) return product;
    NodeId zero = build_f32(at->graph, 0, graph_node(at->graph, product)->shape);
    NodeId none = build_binary(at->graph, OP_eq, gradient, zero),
           undefined = build_binary(at->graph, OP_ne, product, product);
    NodeId hidden = build_binary(at->graph, OP_and, none, undefined);
    return build_ternary(at->graph, OP_select, hidden, zero, product);
}

NodeId gradient_times(const Backward *at, NodeId gradient, NodeId factor) {
    NodeId product = build_binary(at->graph, OP_mul, gradient, factor);
    const ValueFacts *known = &at->facts[factor];
    return known->open || known->degree > 1 ? gradient_masked(at, gradient, product) : product;
}

/* Whether the gradient of an operand is wanted, and the op has one. */
static bool depends_on_wanted(const Node *node, const bool *wanted) {
    if (node->dtype != DTYPE_F32 || rules[node->op] == gradient_none) return false;
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (wanted[node->operands[i]]) return true;
    return false;
}

/* Visits the nodes from y backwards. The rule of each adds to the gradients of its operands. */
static void sweep(Graph *graph, NodeId y, const bool *wanted, const ValueFacts *facts,
                  NodeId *total) {
    if (wanted[y]) total[y] = build_f32(graph, 1, (Shape){0});
    for (NodeId id = y; id > 0; id--) {
        if (!total[id] || !depends_on_wanted(graph_node(graph, id), wanted)) continue;
        Backward at = {graph, *graph_node(graph, id), id, total[id], wanted, facts, total};
        graph->span = at.node.span;
        rules[at.node.op](&at);
    }
}

void gradients_build(Graph *graph, NodeId y, const NodeId *by, uint32_t count, NodeId *result) {
    Span span = graph->span;
    Arena *scratch = arena_new();
    bool *wanted = ARENA_ARRAY(scratch, bool, y + 1);
    NodeId *total = ARENA_ARRAY(scratch, NodeId, y + 1);
    /* wanted[id], id <= y: the gradient by node id is requested, or needed for a requested one. */
    for (uint32_t i = 0; i < count; i++)
        if (by[i] <= y) wanted[by[i]] = true;
    for (NodeId id = 1; id <= y; id++)
        if (!wanted[id]) wanted[id] = depends_on_wanted(graph_node(graph, id), wanted);
    wanted[NODE_NONE] = false;
    sweep(graph, y, wanted, gradient_facts(graph, y, scratch), total);
    graph->span = span;
    for (uint32_t i = 0; i < count; i++) {
        NodeId gradient = by[i] <= y ? total[by[i]] : NODE_NONE;
        result[i] =
            gradient || !by[i] ? gradient : build_f32(graph, 0, graph_node(graph, by[i])->shape);
    }
    arena_free(scratch);
}

/* -- the pass -- */

/* The grad nodes of each scalar, as lists in ascending order: first[scalar], then next[grad]. */
typedef struct {
    NodeId *first, *next;
} GradLists;

/* Lists the grad nodes of each scalar that is differentiated. */
static GradLists list_grads(const Graph *graph, Arena *arena) {
    GradLists lists = {ARENA_ARRAY(arena, NodeId, graph->node_count),
                       ARENA_ARRAY(arena, NodeId, graph->node_count)};
    for (NodeId id = graph->node_count - 1; id > 0; id--) {
        const Node *node = graph_node(graph, id);
        if (node->op != OP_grad) continue;
        lists.next[id] = lists.first[node->operands[0]];
        lists.first[node->operands[0]] = id;
    }
    return lists;
}

/* Rewrites grad node `id`, and in the same sweep all later ones of its scalar whose operands are in
 * the new graph. A value that the scalar depends on always is. */
static void rewrite_grads(Graph *to, const Graph *from, NodeId id, const GradLists *lists,
                          NodeId *map, Arena *scratch) {
    uint32_t count = 0;
    for (NodeId grad = id; grad; grad = lists->next[grad]) count++;
    NodeId *grads = ARENA_ARRAY(scratch, NodeId, count), *by = ARENA_ARRAY(scratch, NodeId, count);
    NodeId *result = ARENA_ARRAY(scratch, NodeId, count);
    count = 0;
    for (NodeId grad = id; grad; grad = lists->next[grad]) {
        if (map[grad] || !map[graph_node(from, grad)->operands[1]]) continue;
        by[count] = map[graph_node(from, grad)->operands[1]];
        grads[count++] = grad;
    }
    to->span = graph_node(from, id)->span;
    gradients_build(to, map[graph_node(from, id)->operands[0]], by, count, result);
    for (uint32_t i = 0; i < count; i++) map[grads[i]] = result[i];
}

/* Rewrites the gradients in the order of their ids, so that one inside another comes first. */
Graph *pass_gradients(Graph *from, const PassOptions *options) {
    (void)options;
    Graph *to = graph_like(from);
    Arena *scratch = arena_new();
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    GradLists lists = list_grads(from, scratch);
    for (NodeId id = 1; id < from->node_count; id++) {
        if (graph_node(from, id)->op != OP_grad)
            map[id] = graph_copy_node(to, from, id, map);
        else if (!map[id])
            rewrite_grads(to, from, id, &lists, map, scratch);
    }
    graph_finish(to, from, map);
    arena_free(scratch);
    return to;
}
