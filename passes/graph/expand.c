/* The passes expand and functions. expand replaces composites, such as softmax, by functions and
 * reductions; functions replaces functions, such as exp, by primitives. */
#include "passes/graph/formula.h"
#include "passes/pass_list.h"
#include "passes/graph/softmax.h"

#include <assert.h>

static ExpandRule *const rules[OP_COUNT] = {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = expand_##expand,
#include "ir/ops/ops.def"
};

/* Never called: primitives are copied. */
NodeId expand_none(const Formula *f) {
    assert(0 && "a primitive has no expansion");
    return f->operands[0];
}

static NodeId expand_node(Graph *to, const Graph *from, NodeId id, const NodeId *map,
                          ExpandRule *rule) {
    const Node *node = graph_node(from, id);
    NodeId operands[4];
    assert(node->operand_count <= 4);
    for (uint32_t i = 0; i < node->operand_count; i++) {
        operands[i] = map[node->operands[i]];
        if (!operands[i]) return NODE_NONE;
    }
    to->span = node->span;
    return rule(&(Formula){to, *node, operands});
}

/* Expands the ops of a class, each by its rule; or one op of it, by the rule `by`. */
static Graph *expand_some(Graph *from, OpClass class, Op only, ExpandRule *by) {
    Graph *to = graph_like(from);
    Arena *scratch = arena_new();
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    for (NodeId id = 1; id < from->node_count; id++) {
        Op op = graph_node(from, id)->op;
        bool rewrite =
            op_class(op) == class && rules[op] != expand_none && (only == OP_COUNT || only == op);
        map[id] = rewrite ? expand_node(to, from, id, map, by ? by : rules[op])
                          : graph_copy_node(to, from, id, map);
    }
    graph_finish(to, from, map);
    to = graph_in_order(to, map, from->node_count);
    arena_free(scratch);
    return to;
}

static void expand_one(Compilation *compilation, Op op, ExpandRule *by) {
    Graph *from = compilation->graph;
    compilation->graph = expand_some(from, CLASS_COMPOSITE, op, by);
    graph_free(from);
}

void passes_expand_exported(Compilation *compilation) {
    expand_one(compilation, OP_random, NULL);
    expand_one(compilation, OP_conv_weights, expand_weights_in_order);
}

Graph *pass_expand(Graph *from, const PassOptions *options) {
    (void)options;
    return expand_some(from, CLASS_COMPOSITE, OP_COUNT, NULL);
}

Graph *pass_functions(Graph *from, const PassOptions *options) {
    (void)options;
    return expand_some(from, CLASS_ELEMENTWISE, OP_COUNT, NULL);
}

/* -- composites -- */

NodeId expand_softmax(const Formula *f) {
    int axis = f->node.attrs.axis;
    SoftmaxPowers powers = softmax_powers(f->graph, f->operands[0], axis);
    return f_div(f, powers.exp, build_reduce(f->graph, OP_sum, powers.exp, axis, true));
}

/* d - log(sum of e^d). One of the largest elements adds exactly 1 to the sum, so the logarithm is
 * log1p of the rest. */
NodeId expand_log_softmax(const Formula *f) {
    Graph *graph = f->graph;
    int axis = f->node.attrs.axis;
    SoftmaxPowers powers = softmax_powers(graph, f->operands[0], axis);
    SoftmaxSum sum = softmax_sum(graph, powers, axis);
    NodeId one = build_f32(graph, 1, graph_node(graph, sum.ties)->shape);
    NodeId beyond =
        build_binary(graph, OP_add, sum.others, build_binary(graph, OP_sub, sum.ties, one));
    return f_sub(f, powers.below, build_unary(graph, OP_log1p, beyond));
}

/* -- the smallest functions -- */

/* detach matters for gradients only, and these are built before. */
NodeId expand_detach(const Formula *f) { return f->operands[0]; }

/* The IEEE maximum with +0 turns -0 into +0 and keeps NaN. */
NodeId expand_relu(const Formula *f) { return f_max(f, f->operands[0], f_real(f, 0)); }
