/* Recognizes layers that ONNX has as one operation. A simple layer is recognized by its nodes. For
 * a layer of many nodes a guess of its operands is made, and the layer is built from them again: a
 * graph never holds the same computation twice, so the layer is there if its last node is the
 * result. */
#include "onnx/out/out.h"

#include <math.h>
#include <string.h>

static const Node *node_of(const Out *out, NodeId id) { return graph_node(out->graph, id); }
static NodeId operand(const Out *out, NodeId id, uint32_t i) {
    return node_of(out, id)->operands[i];
}
static bool is_op(const Out *out, NodeId id, Op op) { return node_of(out, id)->op == op; }

static NodeId before_broadcasts(const Out *out, NodeId id) {
    while (is_op(out, id, OP_broadcast)) id = operand(out, id, 0);
    return id;
}

static bool has_perm(const Out *out, NodeId id, int64_t a, int64_t b, int64_t c, int64_t d) {
    const Node *node = node_of(out, id);
    int64_t perm[] = {a, b, c, d};
    return node->op == OP_transpose && node->shape.rank == 4 &&
           !memcmp(node->attrs.perm, perm, sizeof perm);
}

/* -- dense -- */

bool match_dense(Out *out, NodeId id, Form *form) {
    for (uint32_t i = 0; i < 2; i++) {
        NodeId product = operand(out, id, i),
               bias = before_broadcasts(out, operand(out, id, 1 - i));
        bool own = is_op(out, product, OP_matmul) && node_of(out, product)->shape.rank == 2 &&
                   out->uses[product] == 1;
        if (!own || bias == operand(out, id, 1 - i) || node_of(out, bias)->shape.rank != 1)
            continue;
        form_operands(out, form, 3,
                      (NodeId[]){operand(out, product, 0), operand(out, product, 1), bias});
        form->core = product;
        return true;
    }
    return false;
}

bool match_product(Out *out, NodeId id, Form *form) {
    const Node *node = node_of(out, id);
    if (node->shape.rank != 2 ||
        !(node->attrs.matmul.transpose_a || node->attrs.matmul.transpose_b))
        return false;
    form_operands(out, form, 2, node->operands);
    return true;
}

/* -- convolution -- */

/* Removes zeros around height and width: they become attributes of the layer, whose operand is
 * x. */
static NodeId without_pads(const Out *out, NodeId id, int64_t pads[4]) {
    const Node *node = node_of(out, id);
    if (node->op != OP_pad || node->shape.rank != 4) return id;
    for (int axis = 0; axis < 2; axis++)
        if (node->attrs.pad.before[axis] || node->attrs.pad.after[axis]) return id;
    memcpy(pads, &node->attrs.pad.before[2], 2 * sizeof *pads);
    memcpy(pads + 2, &node->attrs.pad.after[2], 2 * sizeof *pads);
    return node->operands[0];
}

static bool set_conv(Out *out, NodeId conv, NodeId bias, Form *form) {
    NodeId x = without_pads(out, operand(out, conv, 0), form->pads);
    form_operands(out, form, bias ? 3 : 2, (NodeId[]){x, operand(out, conv, 1), bias});
    form->core = conv;
    return true;
}

bool match_conv_pads(Out *out, NodeId id, Form *form) { return set_conv(out, id, NODE_NONE, form); }

NodeId biased_image(const Out *out, NodeId id, NodeId *bias) {
    if (!has_perm(out, id, 0, 3, 1, 2)) return NODE_NONE;
    NodeId sum = operand(out, id, 0);
    if (!is_op(out, sum, OP_add) || out->uses[sum] != 1) return NODE_NONE;
    NodeId last = operand(out, sum, 0);
    *bias = before_broadcasts(out, operand(out, sum, 1));
    if (!has_perm(out, last, 0, 2, 3, 1) || out->uses[last] != 1 ||
        node_of(out, *bias)->shape.rank != 1 || out->uses[operand(out, last, 0)] != 1)
        return NODE_NONE;
    return operand(out, last, 0);
}

bool match_conv_bias(Out *out, NodeId id, Form *form) {
    NodeId bias, conv = biased_image(out, id, &bias);
    return conv && is_op(out, conv, OP_conv) && set_conv(out, conv, bias, form);
}

/* -- pooling -- */

/* max_pool pads with minus infinity where a padded `true` is false. Such a select becomes the pads
 * of the pool. */
bool match_max_pool_pads(Out *out, NodeId id, Form *form) {
    NodeId x = operand(out, id, 0);
    const Node *node = node_of(out, x);
    if (node->op == OP_select) {
        const Node *below = node_of(out, before_broadcasts(out, node->operands[2])),
                   *inside = node_of(out, node->operands[0]),
                   *padded = node_of(out, node->operands[1]);
        if (below->op == OP_constant && below->attrs.value.f == -INFINITY && inside->op == OP_pad &&
            padded->op == OP_pad && !memcmp(&inside->attrs, &padded->attrs, sizeof inside->attrs) &&
            is_op(out, inside->operands[0], OP_constant))
            x = without_pads(out, node->operands[1], form->pads);
    }
    form_operands(out, form, 1, &x);
    return true;
}

/* The zeros of the padding are counted. */
bool match_avg_pool(Out *out, NodeId id, Form *form) {
    if (!has_perm(out, id, 0, 3, 1, 2) || !is_op(out, operand(out, id, 0), OP_mul)) return false;
    NodeId sum = operand(out, operand(out, id, 0), 0),
           factor = operand(out, operand(out, id, 0), 1);
    if (!is_op(out, sum, OP_sum) || !is_op(out, operand(out, sum, 0), OP_reshape) ||
        !is_op(out, factor, OP_constant))
        return false;
    NodeId windows = operand(out, operand(out, sum, 0), 0);
    if (!is_op(out, windows, OP_windows) || !has_perm(out, operand(out, windows, 0), 0, 2, 3, 1))
        return false;
    int64_t taps = shape_product(node_of(out, windows)->shape, 3, 5);
    const Node *merged = node_of(out, operand(out, sum, 0));
    if (merged->shape.rank != 5 || merged->shape.dim[3] != taps ||
        node_of(out, sum)->attrs.axis != 3 ||
        node_of(out, factor)->attrs.value.f != (float)(1 / (double)taps))
        return false;
    NodeId x = without_pads(out, operand(out, operand(out, windows, 0), 0), form->pads);
    form_operands(out, form, 1, &x);
    form->core = windows;
    return true;
}

/* -- batch_norm: (x - mean) * (1 / sqrt(variance + eps) * weight) + bias, channels last -- */

/* The value before a reshape to [N, rest, channels], or back. */
static NodeId before_channels(const Out *out, NodeId id, bool back, int rank) {
    Op first = back ? OP_transpose : OP_reshape, second = back ? OP_reshape : OP_transpose;
    for (int i = 0; i < 2; i++) {
        const Node *node = node_of(out, id);
        if (node->op != (i ? second : first)) continue;
        for (int axis = 0; node->op == OP_transpose && axis < rank; axis++) {
            int64_t last = back               ? axis == 0   ? 0
                                                : axis == 1 ? rank - 1
                                                            : axis - 1
                           : axis == 0        ? 0
                           : axis == rank - 1 ? 1
                                              : axis + 1;
            if (node->shape.rank != rank || node->attrs.perm[axis] != last) return NODE_NONE;
        }
        id = node->operands[0];
    }
    return id;
}

/* Splits op(a, b), where b is broadcast from one number a channel. */
static bool split_channels(const Out *out, NodeId id, Op op, NodeId *a, NodeId *b) {
    if (!id || !is_op(out, id, op)) return false;
    *a = operand(out, id, 0);
    *b = before_broadcasts(out, operand(out, id, 1));
    return node_of(out, *b)->shape.rank == 1;
}

bool match_batch_norm(Out *out, NodeId id, Form *form) {
    Graph *graph = out->graph;
    Shape shape = node_of(out, id)->shape;
    NodeId product, distance, values, mean, scale, bias, reciprocal, weight;
    NodeId sum = before_channels(out, id, true, shape.rank);
    if (!split_channels(out, sum, OP_add, &product, &bias) ||
        !split_channels(out, product, OP_mul, &distance, &scale) ||
        !split_channels(out, distance, OP_sub, &values, &mean) ||
        !split_channels(out, scale, OP_mul, &reciprocal, &weight) ||
        !is_op(out, reciprocal, OP_div) || !is_op(out, operand(out, reciprocal, 1), OP_sqrt))
        return false;
    NodeId x = before_channels(out, values, false, shape.rank), root = operand(out, reciprocal, 1),
           shifted = operand(out, root, 0);
    if (!x || !shape_equal(node_of(out, x)->shape, shape) || !is_op(out, shifted, OP_add) ||
        !is_op(out, operand(out, shifted, 1), OP_constant))
        return false;
    form->number = node_of(out, operand(out, shifted, 1))->attrs.value.f;
    NodeId variance = operand(out, shifted, 0), one = build_f32(graph, 1, (Shape){0});
    form_operands(out, form, 5, (NodeId[]){x, weight, bias, mean, variance});
    return build_binary(graph, OP_div, one, root) == reciprocal;
}

/* -- layer_norm -- */

static NodeId unary(Graph *graph, Op op, NodeId a) { return build_unary(graph, op, a); }
static NodeId binary(Graph *graph, Op op, NodeId a, NodeId b) {
    return build_binary(graph, op, a, b);
}

/* mean(x, axis = -1, keep = true) */
static NodeId build_mean(Graph *graph, NodeId x) {
    Shape kept = graph_node(graph, x)->shape;
    int last = kept.rank - 1;
    double count = (double)kept.dim[last];
    NodeId sum = build_reduce_axes(graph, OP_sum, x, 1u << last);
    kept.dim[last] = 1;
    return binary(graph, OP_div, build_reshape(graph, sum, kept),
                  build_f32(graph, count, (Shape){0}));
}

/* distances(x, axis = -1) of the standard library */
static NodeId build_distances(Graph *graph, NodeId x) {
    Shape first = graph_node(graph, x)->shape;
    int64_t zeros[SHAPE_MAX_RANK] = {0};
    first.dim[first.rank - 1] = 1;
    NodeId start = unary(graph, OP_detach, build_slice(graph, x, zeros, first.dim, NULL));
    NodeId shift = build_mean(graph, binary(graph, OP_sub, x, start));
    NodeId near = unary(graph, OP_detach, binary(graph, OP_add, start, shift));
    NodeId back = binary(graph, OP_sub, near, unary(graph, OP_detach, start));
    NodeId lost = binary(graph, OP_sub, start, binary(graph, OP_sub, near, back));
    NodeId rest =
        binary(graph, OP_add, unary(graph, OP_detach, lost), binary(graph, OP_sub, shift, back));
    return binary(graph, OP_sub, binary(graph, OP_sub, x, near), rest);
}

/* The operand and eps of a division that may be the end of layer_norm. */
static bool guess_normalized(const Out *out, NodeId id, NodeId *x, float *eps) {
    if (!is_op(out, id, OP_div) || !is_op(out, operand(out, id, 0), OP_sub)) return false;
    NodeId near = operand(out, operand(out, id, 0), 0),
           root = before_broadcasts(out, operand(out, id, 1));
    if (!is_op(out, near, OP_sub) || !is_op(out, root, OP_sqrt)) return false;
    NodeId shifted = operand(out, root, 0);
    if (!is_op(out, shifted, OP_add) || !is_op(out, operand(out, shifted, 1), OP_constant))
        return false;
    *x = operand(out, near, 0);
    *eps = node_of(out, operand(out, shifted, 1))->attrs.value.f;
    return true;
}

/* A layer_norm with a weight, or with a weight and a bias. The normalized x is guessed; building it
 * again shows whether it is right. */
bool match_layer_norm(Out *out, NodeId id, Form *form) {
    Graph *graph = out->graph;
    NodeId product = id, bias = NODE_NONE, normalized, weight, x;
    if (is_op(out, id, OP_add) && !split_channels(out, id, OP_add, &product, &bias)) return false;
    if (!split_channels(out, product, OP_mul, &normalized, &weight) ||
        !guess_normalized(out, normalized, &x, &form->number))
        return false;
    form_operands(out, form, bias ? 3 : 2, (NodeId[]){x, weight, bias});
    NodeId eps = build_f32(graph, (double)form->number, (Shape){0});
    NodeId centered = build_distances(graph, x);
    NodeId variance = build_mean(graph, binary(graph, OP_mul, centered, centered));
    NodeId deviation = unary(graph, OP_sqrt, binary(graph, OP_add, variance, eps));
    return binary(graph, OP_div, centered, deviation) == normalized;
}

/* A sum along an axis, divided by the size of the axis. */
bool match_mean(Out *out, NodeId id, Form *form) {
    NodeId sum = operand(out, id, 0), count = operand(out, id, 1);
    if (!is_op(out, sum, OP_sum) || out->uses[sum] != 1 || !is_op(out, count, OP_constant))
        return false;
    NodeId x = operand(out, sum, 0);
    int64_t size = node_of(out, x)->shape.dim[node_of(out, sum)->attrs.axis];
    form_operands(out, form, 1, &x);
    form->core = sum;
    return node_of(out, count)->attrs.value.f == (float)size;
}

/* -- functions -- */

/* The factor c of c * x; 1 for other nodes. */
static float factor_of(const Out *out, NodeId id, NodeId *x) {
    *x = id;
    if (!is_op(out, id, OP_mul) || !is_op(out, operand(out, id, 0), OP_constant)) return 1;
    *x = operand(out, id, 1);
    return node_of(out, operand(out, id, 0))->attrs.value.f;
}

static NodeId build_positive(Graph *graph, NodeId x) {
    return binary(graph, OP_lt, build_f32(graph, 0, (Shape){0}), x);
}

/* x times 1 is x: imported networks have such products. */
bool match_once(Out *out, NodeId id, Form *form) {
    for (uint32_t i = 0; i < 2; i++) {
        const Node *factor = node_of(out, operand(out, id, i));
        NodeId x = operand(out, id, 1 - i);
        if (factor->op != OP_constant || factor->dtype != DTYPE_F32 || factor->attrs.value.f != 1)
            continue;
        form_operands(out, form, 1, &x);
        return true;
    }
    return false;
}

/* x where it is positive, c times x elsewhere */
bool match_leaky_relu(Out *out, NodeId id, Form *form) {
    NodeId x = operand(out, id, 1), of;
    if (node_of(out, id)->dtype != DTYPE_F32) return false;
    form->number = factor_of(out, operand(out, id, 2), &of);
    form_operands(out, form, 1, &x);
    return of == x && of != operand(out, id, 2) &&
           build_positive(out->graph, x) == operand(out, id, 0);
}

/* x where it is positive, c (exp(x) - 1) elsewhere */
bool match_elu(Out *out, NodeId id, Form *form) {
    NodeId x = operand(out, id, 1), of;
    if (node_of(out, id)->dtype != DTYPE_F32) return false;
    form->number = factor_of(out, operand(out, id, 2), &of);
    form_operands(out, form, 1, &x);
    if (!is_op(out, of, OP_expm1)) return false;
    NodeId positive = build_positive(out->graph, x), zero = build_f32(out->graph, 0, (Shape){0});
    return positive == operand(out, id, 0) &&
           build_ternary(out->graph, OP_select, positive, zero, x) == operand(out, of, 0);
}

/* max(x, 0) + log1p(exp(-abs(x))) */
bool match_softplus(Out *out, NodeId id, Form *form) {
    Graph *graph = out->graph;
    NodeId most = operand(out, id, 0), log = operand(out, id, 1);
    if (!is_op(out, most, OP_max)) return false;
    NodeId x = operand(out, most, 0), zero = build_f32(graph, 0, (Shape){0});
    NodeId inside = unary(graph, OP_exp, unary(graph, OP_neg, unary(graph, OP_abs, x)));
    form_operands(out, form, 1, &x);
    return unary(graph, OP_log1p, inside) == log && binary(graph, OP_max, x, zero) == most;
}
