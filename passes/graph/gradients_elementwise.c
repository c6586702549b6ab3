/* Gradient rules of elementwise ops: the gradient g that reaches y = f(a, b, ...) goes to a as g *
 * df/da, and so on. */
#include "passes/graph/gradients.h"

static NodeId binary(const Backward *at, Op op, NodeId a, NodeId b) {
    return build_binary(at->graph, op, a, b);
}
static NodeId times(const Backward *at, NodeId a, NodeId b) { return binary(at, OP_mul, a, b); }
static NodeId masked(const Backward *at, NodeId product) {
    return gradient_masked(at, at->gradient, product);
}
static bool is_open(const Backward *at, NodeId id) { return at->facts[id].open; }
static NodeId negative(const Backward *at, NodeId a) { return build_unary(at->graph, OP_neg, a); }
static NodeId number(const Backward *at, double value) {
    return build_f32(at->graph, value, at->node.shape);
}
static NodeId fused(const Backward *at, NodeId a, NodeId b, NodeId c) {
    return build_ternary(at->graph, OP_fma, a, b, c);
}
static NodeId choose(const Backward *at, NodeId condition, NodeId a, NodeId b) {
    return build_ternary(at->graph, OP_select, condition, a, b);
}

/* -- arithmetic -- */

void gradient_add(const Backward *at) {
    for (uint32_t i = 0; i < 2; i++)
        if (gradient_wanted(at, i)) gradient_contribute(at, i, at->gradient);
}

void gradient_sub(const Backward *at) {
    if (gradient_wanted(at, 0)) gradient_contribute(at, 0, at->gradient);
    if (gradient_wanted(at, 1)) gradient_contribute(at, 1, negative(at, at->gradient));
}

void gradient_mul(const Backward *at) {
    for (uint32_t i = 0; i < 2; i++)
        if (gradient_wanted(at, i))
            gradient_contribute(at, i,
                                gradient_times(at, at->gradient, gradient_operand(at, 1 - i)));
}

/* d(a/b)/da = 1/b, d(a/b)/db = -(a/b)/b; the quotient g/b serves both. */
void gradient_div(const Backward *at) {
    NodeId b = gradient_operand(at, 1), quotient = binary(at, OP_div, at->gradient, b);
    if (is_open(at, b) || gradient_may_be_zero(at->graph, b, &at->facts[b]))
        quotient = masked(at, quotient);
    if (gradient_wanted(at, 0)) gradient_contribute(at, 0, quotient);
    if (gradient_wanted(at, 1))
        gradient_contribute(at, 1, negative(at, gradient_times(at, quotient, at->id)));
}

/* y = a - floor(a/b) b: dy/da = 1 and dy/db = -floor(a/b), where floor(a/b) is (a - y) / b
 * rounded. */
void gradient_remainder(const Backward *at) {
    NodeId b = gradient_operand(at, 1);
    if (gradient_wanted(at, 0)) gradient_contribute(at, 0, at->gradient);
    if (!gradient_wanted(at, 1)) return;
    NodeId whole = binary(at, OP_div, binary(at, OP_sub, gradient_operand(at, 0), at->id), b);
    NodeId product = times(at, at->gradient, negative(at, build_unary(at->graph, OP_rint, whole)));
    gradient_contribute(at, 1, masked(at, product));
}

void gradient_fma(const Backward *at) {
    for (uint32_t i = 0; i < 2; i++)
        if (gradient_wanted(at, i))
            gradient_contribute(at, i,
                                gradient_times(at, at->gradient, gradient_operand(at, 1 - i)));
    if (gradient_wanted(at, 2)) gradient_contribute(at, 2, at->gradient);
}

void gradient_neg(const Backward *at) { gradient_contribute(at, 0, negative(at, at->gradient)); }

void gradient_abs(const Backward *at) {
    NodeId a = gradient_operand(at, 0), zero = number(at, 0);
    NodeId below = binary(at, OP_lt, a, zero), above = binary(at, OP_lt, zero, a);
    NodeId opposite = negative(at, at->gradient);
    gradient_contribute(at, 0, choose(at, above, at->gradient, choose(at, below, opposite, zero)));
}

/* d sqrt(a)/da = 1 / (2 sqrt(a)) */
void gradient_sqrt(const Backward *at) {
    NodeId quotient = binary(at, OP_div, at->gradient, binary(at, OP_add, at->id, at->id));
    bool finite = at->facts[at->id].positive && !is_open(at, at->id);
    gradient_contribute(at, 0, finite ? quotient : masked(at, quotient));
}

/* The gradient goes to the operand that is the maximum (or minimum); equal operands get half
 * each. */
static void gradient_extreme(const Backward *at, bool smaller_loses) {
    NodeId half = times(at, at->gradient, number(at, 0.5)), zero = number(at, 0);
    NodeId tie = binary(at, OP_eq, gradient_operand(at, 0), gradient_operand(at, 1));
    for (uint32_t i = 0; i < 2; i++) {
        if (!gradient_wanted(at, i)) continue;
        NodeId mine = gradient_operand(at, i), other = gradient_operand(at, 1 - i);
        NodeId loses =
            smaller_loses ? binary(at, OP_lt, mine, other) : binary(at, OP_lt, other, mine);
        gradient_contribute(at, i, choose(at, loses, zero, choose(at, tie, half, at->gradient)));
    }
}

void gradient_max(const Backward *at) { gradient_extreme(at, true); }
void gradient_min(const Backward *at) { gradient_extreme(at, false); }

void gradient_select(const Backward *at) {
    NodeId condition = gradient_operand(at, 0), zero = number(at, 0);
    if (gradient_wanted(at, 1))
        gradient_contribute(at, 1, choose(at, condition, at->gradient, zero));
    if (gradient_wanted(at, 2))
        gradient_contribute(at, 2, choose(at, condition, zero, at->gradient));
}

/* Only a conversion from f32 to itself lets a gradient pass; the sweep does not enter others. */
void gradient_convert(const Backward *at) { gradient_contribute(at, 0, at->gradient); }

/* -- functions -- */

/* y > 0 where a > 0. y is tested, as it is in memory for the backward pass. */
void gradient_relu(const Backward *at) {
    NodeId zero = number(at, 0), above = binary(at, OP_lt, zero, at->id);
    gradient_contribute(at, 0, choose(at, above, at->gradient, zero));
}

void gradient_exp(const Backward *at) {
    gradient_contribute(at, 0, gradient_times(at, at->gradient, at->id));
}

/* exp(a), not y + 1: for a far below 0, y is rounded to -1 and y + 1 to 0. */
void gradient_expm1(const Backward *at) {
    NodeId product =
        times(at, at->gradient, build_unary(at->graph, OP_exp, gradient_operand(at, 0)));
    gradient_contribute(at, 0, masked(at, product));
}

void gradient_log(const Backward *at) {
    NodeId a = gradient_operand(at, 0), quotient = binary(at, OP_div, at->gradient, a);
    bool finite = at->facts[a].positive && !is_open(at, a);
    gradient_contribute(at, 0, finite ? quotient : masked(at, quotient));
}

void gradient_log1p(const Backward *at) {
    NodeId a = gradient_operand(at, 0);
    NodeId quotient = binary(at, OP_div, at->gradient, binary(at, OP_add, number(at, 1), a));
    bool finite = at->facts[a].not_negative && !is_open(at, a);
    gradient_contribute(at, 0, finite ? quotient : masked(at, quotient));
}

/* g * slope, where the slope is finite for a finite operand. */
static void contribute_slope(const Backward *at, NodeId slope) {
    NodeId product = times(at, at->gradient, slope);
    gradient_contribute(at, 0, is_open(at, at->id) ? masked(at, product) : product);
}

/* The slopes are ops: 1 - y^2 and y (1 - y) would lose all digits where y is near 1. */
void gradient_tanh(const Backward *at) {
    contribute_slope(at, build_unary(at->graph, OP_tanh_slope, gradient_operand(at, 0)));
}

void gradient_sigmoid(const Backward *at) {
    contribute_slope(at, build_unary(at->graph, OP_sigmoid_slope, gradient_operand(at, 0)));
}

/* -2 tanh(a) (1 - tanh^2 a) */
void gradient_tanh_slope(const Backward *at) {
    NodeId tanh = build_unary(at->graph, OP_tanh, gradient_operand(at, 0));
    contribute_slope(at, times(at, times(at, number(at, -2), tanh), at->id));
}

/* y (1 - y) (1 - 2 y), where 1 - 2 y is -tanh(a / 2) */
void gradient_sigmoid_slope(const Backward *at) {
    NodeId tanh =
        build_unary(at->graph, OP_tanh, times(at, gradient_operand(at, 0), number(at, 0.5)));
    contribute_slope(at, times(at, negative(at, tanh), at->id));
}

void gradient_sin(const Backward *at) {
    contribute_slope(at, build_unary(at->graph, OP_cos, gradient_operand(at, 0)));
}

void gradient_cos(const Backward *at) {
    contribute_slope(at, negative(at, build_unary(at->graph, OP_sin, gradient_operand(at, 0))));
}

/* g * scale * exp(-weight a^2). a^2 has two parts: exp(-high) (1 - low). The result is 0 well
 * before |a| = 20. */
static void contribute_bell(const Backward *at, double scale, double weight) {
    NodeId a = binary(at, OP_max, binary(at, OP_min, gradient_operand(at, 0), number(at, 20)),
                      number(at, -20));
    NodeId minus = negative(at, times(at, a, a)), low = fused(at, a, a, minus),
           factor = number(at, weight);
    NodeId bell = build_unary(at->graph, OP_exp, times(at, minus, factor));
    bell = fused(at, negative(at, times(at, low, factor)), bell, bell);
    NodeId product = times(at, times(at, at->gradient, number(at, scale)), bell);
    gradient_contribute(at, 0, is_open(at, at->id) ? masked(at, product) : product);
}

/* 2 / sqrt(pi) exp(-a^2) */
void gradient_erf(const Backward *at) { contribute_bell(at, 1.1283791670955126, 1); }
/* 1 / sqrt(2 pi) exp(-a^2 / 2) */
void gradient_normal_cdf(const Backward *at) { contribute_bell(at, 0.3989422804014327, 0.5); }

/* a^(b-1). With b - 1 rounded, the result would be wrong by log2(a) / 2 ulp. So the rounding error
 * is corrected by the factor a^lost = 1 + lost log(a). */
static NodeId next_lower_power(const Backward *at, NodeId a, NodeId b) {
    NodeId lower = binary(at, OP_sub, b, number(at, 1)), power = binary(at, OP_pow, a, lower);
    /* The rounding error of b - 1: 0 for b from 1/2 to 2, half an ulp of -1.7 for b = -0.7. */
    NodeId back = binary(at, OP_sub, lower, b);
    NodeId lost_of_b = binary(at, OP_sub, b, binary(at, OP_sub, lower, back));
    NodeId lost = binary(at, OP_add, lost_of_b, binary(at, OP_sub, number(at, -1), back));
    const Node *known = graph_node(at->graph, lost);
    if (known->op == OP_constant && known->attrs.value.f == 0) return power;
    NodeId log = build_unary(at->graph, OP_log, build_unary(at->graph, OP_abs, a));
    /* log is infinite for 0 and infinity */
    NodeId bounded = binary(at, OP_max, binary(at, OP_min, log, number(at, 89)), number(at, -104));
    return times(at, power, fused(at, lost, bounded, number(at, 1)));
}

/* d a^b/da = b a^(b-1), and 0 for b = 0 even where a^(b-1) is infinite.
 * d a^b/db = a^b log(a), and 0 for a = 0 and b >= 0, where 0^b is constant to the right. */
void gradient_pow(const Backward *at) {
    NodeId a = gradient_operand(at, 0), b = gradient_operand(at, 1), zero = number(at, 0);
    if (gradient_wanted(at, 0)) {
        NodeId product = times(at, at->gradient, times(at, b, next_lower_power(at, a, b)));
        if (is_open(at, at->id)) product = masked(at, product);
        product = choose(at, binary(at, OP_eq, b, zero), zero, product);
        gradient_contribute(at, 0, product);
    }
    if (gradient_wanted(at, 1)) {
        NodeId at_zero = binary(at, OP_eq, a, zero), not_below = binary(at, OP_le, zero, b);
        NodeId flat = binary(at, OP_and, at_zero, not_below);
        NodeId slope = times(at, at->id, build_unary(at->graph, OP_log, a));
        slope = choose(at, flat, zero, slope);
        gradient_contribute(at, 1, masked(at, times(at, at->gradient, slope)));
    }
}
