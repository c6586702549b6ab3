/* Derives facts about the values of the forward graph. Where a local derivative can be infinite or
 * NaN, a gradient of exactly 0 must stay 0. For instance, in select(z > 0, log(z), 0), the branch
 * that is not chosen gets the gradient 0. At z = 0, 0 / z would turn it into NaN. */
#include "passes/graph/gradients.h"

#include <math.h>

/* A square overflows only from 1.8e19 on, so it counts as finite; a product of three values does
 * not. */
enum { DEGREE_FINITE = 2 };

static bool is_real(const Node *node) { return node->dtype == DTYPE_F32; }

/* The facts of a value that is an element of a or b, or a sum of such elements. */
static ValueFacts facts_joined(const ValueFacts *a, const ValueFacts *b) {
    return (ValueFacts){.open = a->open || b->open,
                        .degree = a->degree > b->degree ? a->degree : b->degree,
                        .not_negative = a->not_negative && b->not_negative,
                        .positive = a->positive && b->positive};
}

static ValueFacts facts_of_constant(float value) {
    return (ValueFacts){
        .open = !isfinite(value), .not_negative = value >= 0, .positive = value > 0};
}

static ValueFacts facts_of_product(const ValueFacts *a, const ValueFacts *b, bool same) {
    int degree = a->degree + b->degree;
    return (ValueFacts){.open = a->open || b->open || degree > DEGREE_FINITE,
                        .degree = (uint8_t)(degree > DEGREE_FINITE ? DEGREE_FINITE : degree),
                        .not_negative = same || (a->not_negative && b->not_negative)};
}

/* The denominator of a mean is a constant, that of layer_norm the root of a sum with eps: neither
 * is 0. */
static ValueFacts facts_of_quotient(const Graph *graph, const Node *node, const ValueFacts *a,
                                    const ValueFacts *b) {
    return (ValueFacts){.open =
                            a->open || b->open || gradient_may_be_zero(graph, node->operands[1], b),
                        .degree = a->degree,
                        .not_negative = a->not_negative && b->not_negative};
}

static ValueFacts facts_of_root(const ValueFacts *a) {
    return (ValueFacts){.open = a->open || !a->not_negative,
                        .degree = (uint8_t)((a->degree + 1) / 2),
                        .not_negative = true,
                        .positive = a->positive};
}

static ValueFacts facts_of_power(const Graph *graph, const Node *node, const ValueFacts *a) {
    const Node *exponent = graph_operand(graph, node, 1);
    bool constant = exponent->op == OP_constant;
    if (constant && exponent->attrs.value.f == 1) return *a;
    if (constant && exponent->attrs.value.f == 2) return facts_of_product(a, a, true);
    return (ValueFacts){.open = true, .degree = DEGREE_FINITE, .not_negative = a->not_negative};
}

static ValueFacts facts_of_operands(const Graph *graph, const Node *node, const ValueFacts *facts) {
    ValueFacts result = {.not_negative = true, .positive = true};
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (is_real(graph_operand(graph, node, i)))
            result = facts_joined(&result, &facts[node->operands[i]]);
    return result;
}

/* Whole numbers and bytes are never infinite. */
static ValueFacts facts_of_conversion(const Graph *graph, const Node *node,
                                      const ValueFacts *facts) {
    const Node *from = graph_operand(graph, node, 0);
    if (is_real(from)) return facts[node->operands[0]];
    return (ValueFacts){.not_negative = from->dtype != DTYPE_I32};
}

/* Facts that follow from those of the operands, joined. */
static ValueFacts facts_of_function(Op op, ValueFacts joined) {
    switch (op) {
    case OP_abs:
    case OP_relu:
        return (ValueFacts){.open = joined.open, .degree = joined.degree, .not_negative = true};
    case OP_sigmoid:
    case OP_normal_cdf:
    case OP_tanh_slope:
    case OP_sigmoid_slope:
    case OP_softmax: return (ValueFacts){.open = joined.open, .not_negative = true};
    case OP_tanh:
    case OP_erf: return (ValueFacts){.open = joined.open};
    case OP_sin:
    case OP_cos: return (ValueFacts){.open = true};
    case OP_exp: return (ValueFacts){.open = true, .degree = DEGREE_FINITE, .not_negative = true};
    case OP_expm1: return (ValueFacts){.open = true, .degree = DEGREE_FINITE};
    case OP_log: return (ValueFacts){.open = joined.open || !joined.positive, .degree = 1};
    case OP_log1p:
        return (ValueFacts){.open = joined.open || !joined.not_negative,
                            .degree = 1,
                            .not_negative = joined.not_negative};
    case OP_pad:
    case OP_scatter_add: joined.positive = false; return joined;
    case OP_sub:
    case OP_neg:
    case OP_floor:
    case OP_rint:
    case OP_log_softmax: return (ValueFacts){.open = joined.open, .degree = joined.degree};
    default: return joined; /* elements are moved, chosen or added */
    }
}

/* Rows of data may hold NaN for missing numbers. Weights are finite, or the training has stopped
 * before. If an operand of a product is not finite, the gradient of the product is NaN anyway. So a
 * product counts as finite. */
static ValueFacts facts_of_node(const Graph *graph, const Node *node, const ValueFacts *facts) {
    const NodeId *in = node->operands;
    ValueFacts joined = facts_of_operands(graph, node, facts), plain = {.degree = 1};
    switch (node->op) {
    case OP_input: plain.open = true; return plain;
    case OP_state:
    case OP_matmul:
    case OP_conv:
    case OP_conv_weights: return plain;
    case OP_constant: return facts_of_constant(node->attrs.value.f);
    case OP_convert: return facts_of_conversion(graph, node, facts);
    case OP_mul: return facts_of_product(&facts[in[0]], &facts[in[1]], in[0] == in[1]);
    case OP_fma: {
        ValueFacts product = facts_of_product(&facts[in[0]], &facts[in[1]], in[0] == in[1]);
        return facts_joined(&product, &facts[in[2]]);
    }
    case OP_div: return facts_of_quotient(graph, node, &facts[in[0]], &facts[in[1]]);
    case OP_remainder: return (ValueFacts){.open = true, .degree = joined.degree};
    case OP_sqrt: return facts_of_root(&facts[in[0]]);
    case OP_pow: return facts_of_power(graph, node, &facts[in[0]]);
    case OP_add:
        joined.positive = joined.not_negative && (facts[in[0]].positive || facts[in[1]].positive);
        return joined;
    case OP_max:
        joined.not_negative = facts[in[0]].not_negative || facts[in[1]].not_negative;
        joined.positive = facts[in[0]].positive || facts[in[1]].positive;
        return joined;
    default: return facts_of_function(node->op, joined);
    }
}

bool gradient_may_be_zero(const Graph *graph, NodeId id, const ValueFacts *facts) {
    const Node *node = graph_node(graph, id);
    return !(facts->positive || (node->op == OP_constant && node->attrs.value.f != 0));
}

ValueFacts *gradient_facts(const Graph *graph, NodeId last, Arena *arena) {
    ValueFacts *facts = ARENA_ARRAY(arena, ValueFacts, last + 1);
    for (NodeId id = 1; id <= last; id++) {
        const Node *node = graph_node(graph, id);
        if (is_real(node)) facts[id] = facts_of_node(graph, node, facts);
    }
    return facts;
}
