/* The functions whose gradients are tested. */
#include "tests/support/gradient_cases.h"

#include <math.h>

#define S(...)                                                                                     \
    {                                                                                              \
        .rank = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), .dim = { __VA_ARGS__ }         \
    }
#define DIMS(...) ((int64_t[]){__VA_ARGS__})

#define UNARY_BODY(op)                                                                             \
    { return build_unary(g, OP_##op, in[0]); }
#define BINARY_BODY(op)                                                                            \
    { return build_binary(g, OP_##op, in[0], in[1]); }
#define UNARY(op) static NodeId case_##op(Graph *g, const NodeId *in) UNARY_BODY(op)
#define BINARY(op) static NodeId case_##op(Graph *g, const NodeId *in) BINARY_BODY(op)
#define PUBLIC_UNARY(op) NodeId case_##op(Graph *g, const NodeId *in) UNARY_BODY(op)
#define PUBLIC_BINARY(op) NodeId case_##op(Graph *g, const NodeId *in) BINARY_BODY(op)
UNARY(neg)
PUBLIC_UNARY(abs)
PUBLIC_UNARY(sqrt)
PUBLIC_UNARY(relu)
UNARY(exp)
UNARY(expm1)
PUBLIC_UNARY(log)
UNARY(log1p)
UNARY(tanh)
UNARY(sigmoid)
UNARY(tanh_slope)
UNARY(sigmoid_slope)
UNARY(erf)
UNARY(normal_cdf)
UNARY(sin)
UNARY(cos)
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
PUBLIC_BINARY(max)
PUBLIC_BINARY(min)
PUBLIC_BINARY(pow)
BINARY(remainder)

static NodeId case_square(Graph *g, const NodeId *in) {
    return build_binary(g, OP_mul, in[0], in[0]);
}
static NodeId case_fma(Graph *g, const NodeId *in) {
    return build_ternary(g, OP_fma, in[0], in[1], in[2]);
}
static NodeId case_select(Graph *g, const NodeId *in) {
    return build_ternary(g, OP_select, build_binary(g, OP_lt, in[0], in[1]), in[1], in[2]);
}
static NodeId case_convert(Graph *g, const NodeId *in) {
    return graph_add(g, OP_convert, in, 1, NULL, &(TensorType){.dtype = DTYPE_F32});
}
static NodeId case_constant_power(Graph *g, const NodeId *in) {
    return build_binary(g, OP_pow, in[0], build_f32(g, 3, (Shape){0}));
}
static NodeId case_shared(Graph *g, const NodeId *in) {
    NodeId y = build_unary(g, OP_tanh, in[0]), product = build_binary(g, OP_mul, y, in[0]);
    return build_binary(g, OP_add, build_binary(g, OP_div, product, y),
                        build_binary(g, OP_mul, product, y));
}

/* The indices take some elements several times and some never; a few lie outside. */
static NodeId case_gather(Graph *g, const NodeId *in) {
    NodeId index = build_iota(g, shape_of(3, DIMS(2, 7, 3)), 1);
    index = build_binary(
        g, OP_sub, build_binary(g, OP_mul, index, build_iota(g, shape_of(3, DIMS(2, 7, 3)), 2)),
        build_i32(g, 2, (Shape){0}));
    return build_gather(g, in[0], index, 1);
}
static NodeId case_reshape(Graph *g, const NodeId *in) {
    return build_reshape(g, in[0], shape_of(2, DIMS(6, 4)));
}
static NodeId case_broadcast(Graph *g, const NodeId *in) {
    return build_broadcast(g, in[0], shape_of(4, DIMS(2, 3, 2, 4)));
}
static NodeId case_broadcast_scalar(Graph *g, const NodeId *in) {
    return build_broadcast(g, in[0], shape_of(2, DIMS(3, 2)));
}
static NodeId case_transpose(Graph *g, const NodeId *in) {
    return build_transpose(g, in[0], DIMS(2, 0, 1));
}
static NodeId case_slice(Graph *g, const NodeId *in) {
    return build_slice(g, in[0], DIMS(1, 0, 2), DIMS(2, 3, 4), NULL);
}
static NodeId case_slice_steps(Graph *g, const NodeId *in) {
    return build_slice(g, in[0], DIMS(1, 0, 2), DIMS(5, 7, 9), DIMS(3, 2, 4));
}
static NodeId case_slice_rank_6(Graph *g, const NodeId *in) {
    return build_slice(g, in[0], DIMS(0, 1, 0, 0, 1, 0), DIMS(2, 2, 3, 1, 3, 3),
                       DIMS(1, 1, 2, 1, 5, 2));
}
static NodeId case_pad(Graph *g, const NodeId *in) {
    return build_pad(g, in[0], DIMS(1, 0, 2), DIMS(0, 3, 1));
}
static NodeId case_concat(Graph *g, const NodeId *in) { return build_concat(g, in, 3, 1); }

static NodeId case_sum(Graph *g, const NodeId *in) {
    return build_reduce(g, OP_sum, in[0], 1, false);
}
static NodeId case_reduce_max(Graph *g, const NodeId *in) {
    return build_reduce(g, OP_reduce_max, in[0], 1, false);
}
static NodeId case_softmax(Graph *g, const NodeId *in) {
    return build_axiswise(g, OP_softmax, in[0], 1);
}
/* The indices add several elements at some places and none at others; a few lie outside. */
static NodeId case_scatter_add(Graph *g, const NodeId *in) {
    NodeId index = build_iota(g, shape_of(3, DIMS(2, 4, 3)), 1);
    index = build_binary(
        g, OP_sub, build_binary(g, OP_mul, index, build_iota(g, shape_of(3, DIMS(2, 4, 3)), 2)),
        build_i32(g, 1, (Shape){0}));
    return build_scatter_add(g, in[0], index, 1, 5);
}
static NodeId case_cumsum(Graph *g, const NodeId *in) {
    return build_axiswise(g, OP_cumsum, in[0], 1);
}
static NodeId case_log_softmax(Graph *g, const NodeId *in) {
    return build_axiswise(g, OP_log_softmax, in[0], 1);
}

static NodeId case_matmul(Graph *g, const NodeId *in) {
    return build_matmul(g, in[0], in[1], false, false);
}
static NodeId case_matmul_ta(Graph *g, const NodeId *in) {
    return build_matmul(g, in[0], in[1], true, false);
}
static NodeId case_matmul_tb(Graph *g, const NodeId *in) {
    return build_matmul(g, in[0], in[1], false, true);
}
static NodeId case_matmul_tatb(Graph *g, const NodeId *in) {
    return build_matmul(g, in[0], in[1], true, true);
}

static NodeId case_reverse(Graph *g, const NodeId *in) { return build_reverse(g, in[0], 1); }
static NodeId case_windows_apart(Graph *g, const NodeId *in) {
    return build_windows(g, in[0], &(Window){{2, 3}, {3, 3}, {1, 1}});
}
static NodeId case_windows_overlap(Graph *g, const NodeId *in) {
    return build_windows(g, in[0], &(Window){{3, 2}, {2, 1}, {1, 2}});
}
static NodeId case_pool_apart(Graph *g, const NodeId *in) {
    return build_max_pool(g, in[0], &(Window){{2, 2}, {2, 2}, {1, 1}});
}
static NodeId case_pool_overlap(Graph *g, const NodeId *in) {
    return build_max_pool(g, in[0], &(Window){{3, 2}, {2, 1}, {1, 2}});
}
static NodeId case_conv(Graph *g, const NodeId *in) {
    return build_conv(g, in[0], in[1], &(Window){{0}, {1, 1}, {1, 1}}, 1);
}
static NodeId case_conv_weights(Graph *g, const NodeId *in) {
    return build_conv_weights(g, in[0], in[1]);
}
static NodeId case_conv_strides(Graph *g, const NodeId *in) {
    return build_conv(g, in[0], in[1], &(Window){{0}, {2, 3}, {1, 2}}, 1);
}
static NodeId case_conv_groups(Graph *g, const NodeId *in) {
    return build_conv(g, in[0], in[1], &(Window){{0}, {2, 1}, {1, 2}}, 2);
}
static NodeId case_depthwise(Graph *g, const NodeId *in) {
    return build_conv(g, in[0], in[1], &(Window){{0}, {1, 2}, {2, 1}}, 3);
}
static NodeId case_conv_padded(Graph *g, const NodeId *in) {
    NodeId padded = build_pad(g, in[0], DIMS(0, 0, 1, 2), DIMS(0, 0, 2, 1));
    return build_conv(g, padded, in[1], &(Window){{0}, {1, 1}, {1, 1}}, 1);
}
static NodeId case_conv_transposed(Graph *g, const NodeId *in) {
    return build_conv_transposed(g, in[0], in[1], &(Window){{0}, {2, 3}, {1, 2}}, 1,
                                 shape_of(4, DIMS(2, 3, 9, 11)));
}

/* A classifier of x with two matrices: the logarithm of the first class's probability. */
static NodeId case_network(Graph *g, const NodeId *in) {
    NodeId hidden = build_unary(g, OP_relu, build_matmul(g, in[0], in[1], false, true));
    NodeId logits = build_matmul(g, hidden, in[2], false, true);
    NodeId loss = build_axiswise(g, OP_log_softmax, logits, 1);
    return build_slice(g, loss, DIMS(0, 0), DIMS(4, 1), NULL);
}

#define ONE(name, op, low, high, ...)                                                              \
    { #name, OP_##op, 1, low, high, {__VA_ARGS__ }, case_##name, false }
#define TWO(name, op, low, high, shape)                                                            \
    { #name, OP_##op, 2, low, high, {shape, shape }, case_##name, false }
#define PRODUCT(name, a, b)                                                                        \
    { #name, OP_matmul, 2, -1, 1, {a, b }, case_##name, false }
#define CONV(name, a, b)                                                                           \
    { #name, OP_conv, 2, -1, 1, {a, b }, case_##name, false }
#define PAIR S(3, 2)

const GradientCase gradient_cases[] = {
    TWO(add, add, -2, 2, PAIR),
    TWO(sub, sub, -2, 2, PAIR),
    TWO(mul, mul, -2, 2, PAIR),
    TWO(div, div, 0.5, 2, PAIR),
    {"max", OP_max, 2, -2, 2, {PAIR, PAIR}, case_max, true},
    {"min", OP_min, 2, -2, 2, {PAIR, PAIR}, case_min, true},
    TWO(pow, pow, 0.5, 2, PAIR),
    {"remainder", OP_remainder, 2, 0.5, 2, {PAIR, PAIR}, case_remainder, true},
    {"fma", OP_fma, 3, -2, 2, {PAIR, PAIR, PAIR}, case_fma, false},
    {"select", OP_select, 3, -2, 2, {PAIR, PAIR, PAIR}, case_select, true},
    ONE(square, mul, -2, 2, PAIR),
    ONE(shared, tanh, 0.5, 2, PAIR),
    ONE(constant_power, pow, -2, 2, PAIR),
    ONE(neg, neg, -2, 2, PAIR),
    {"abs", OP_abs, 1, -2, 2, {PAIR}, case_abs, true},
    ONE(sqrt, sqrt, 0.5, 2, PAIR),
    {"relu", OP_relu, 1, -2, 2, {PAIR}, case_relu, true},
    ONE(exp, exp, -2, 2, PAIR),
    ONE(expm1, expm1, -2, 2, PAIR),
    ONE(log, log, 0.5, 2, PAIR),
    ONE(log1p, log1p, -0.5, 2, PAIR),
    ONE(tanh, tanh, -2, 2, PAIR),
    ONE(sigmoid, sigmoid, -3, 3, PAIR),
    ONE(tanh_slope, tanh_slope, -2, 2, PAIR),
    ONE(sigmoid_slope, sigmoid_slope, -3, 3, PAIR),
    ONE(erf, erf, -2, 2, PAIR),
    ONE(normal_cdf, normal_cdf, -2, 2, PAIR),
    ONE(sin, sin, -3, 3, PAIR),
    ONE(cos, cos, -3, 3, PAIR),
    ONE(convert, convert, -2, 2, PAIR),
    ONE(reshape, reshape, -2, 2, S(2, 3, 4)),
    ONE(broadcast, broadcast, -2, 2, S(3, 1, 4)),
    ONE(broadcast_scalar, broadcast, -2, 2, {0}),
    ONE(transpose, transpose, -2, 2, S(2, 3, 4)),
    ONE(slice, slice, -2, 2, S(3, 3, 4)),
    ONE(slice_steps, slice, -2, 2, S(5, 8, 9)),
    ONE(slice_rank_6, slice, -2, 2, S(2, 2, 3, 1, 3, 3)),
    ONE(pad, pad, -2, 2, S(2, 1, 3)),
    {"concat", OP_concat, 3, -2, 2, {S(2, 1, 3), S(2, 4, 3), S(2, 2, 3)}, case_concat, false},
    {"gather", OP_gather, 1, -2, 2, {S(2, 4, 3)}, case_gather, false},
    ONE(sum, sum, -2, 2, S(2, 5, 3)),
    ONE(cumsum, cumsum, -2, 2, S(2, 5, 3)),
    {"scatter_add", OP_scatter_add, 1, -2, 2, {S(2, 4, 3)}, case_scatter_add, false},
    {"reduce_max", OP_reduce_max, 1, -2, 2, {S(2, 5, 3)}, case_reduce_max, true},
    ONE(softmax, softmax, -2, 2, S(2, 4, 3)),
    ONE(log_softmax, log_softmax, -2, 2, S(2, 4, 3)),
    {"network", OP_matmul, 3, -1, 1, {S(4, 5), S(6, 5), S(3, 6)}, case_network, false},
    ONE(reverse, reverse, -2, 2, S(2, 3, 2)),
    ONE(windows_apart, windows, -2, 2, S(2, 7, 7, 2)),
    ONE(windows_overlap, windows, -2, 2, S(2, 6, 5, 2)),
    {"pool_apart", OP_max_pool, 1, -2, 2, {S(2, 3, 5, 4)}, case_pool_apart, true},
    {"pool_overlap", OP_max_pool, 1, -2, 2, {S(2, 3, 6, 5)}, case_pool_overlap, true},
    CONV(conv, S(2, 3, 5, 4), S(4, 3, 3, 2)),
    {"conv_weights",
     OP_conv_weights,
     2,
     -1,
     1,
     {S(2, 3, 5, 4), S(2, 4, 3, 2)},
     case_conv_weights,
     false},
    CONV(conv_strides, S(2, 3, 6, 8), S(4, 3, 3, 2)),
    CONV(conv_groups, S(2, 4, 6, 5), S(6, 2, 3, 2)),
    CONV(depthwise, S(2, 3, 6, 6), S(3, 1, 3, 2)),
    CONV(conv_padded, S(2, 3, 5, 4), S(4, 3, 3, 3)),
    CONV(conv_transposed, S(2, 4, 4, 3), S(4, 3, 3, 2)),
    PRODUCT(matmul, S(2, 3), S(3, 4)),
    PRODUCT(matmul_ta, S(3, 2), S(3, 4)),
    PRODUCT(matmul_tb, S(2, 3), S(4, 3)),
    PRODUCT(matmul_tatb, S(3, 2), S(4, 3)),
    PRODUCT(matmul, S(2, 5, 2, 3), S(2, 5, 3, 4)),
    PRODUCT(matmul_ta, S(2, 5, 3, 2), S(2, 5, 3, 4)),
    PRODUCT(matmul_tb, S(2, 5, 2, 3), S(2, 5, 4, 3)),
    PRODUCT(matmul_tatb, S(2, 5, 3, 2), S(2, 5, 4, 3)),
};
const int gradient_case_count = sizeof gradient_cases / sizeof *gradient_cases;
