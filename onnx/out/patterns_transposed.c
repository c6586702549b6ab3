/* Recognizes transposed convolutions. The graph has them as convolutions: of an operand with zeros
 * between and around its elements, and of reversed filters (build_conv_transposed). */
#include "onnx/out/out.h"

#include <string.h>

static const Node *node_of(const Out *out, NodeId id) { return graph_node(out->graph, id); }
static NodeId operand(const Out *out, NodeId id) { return node_of(out, id)->operands[0]; }

/* The operand of a node if it has this op; else the node itself. */
static NodeId before(const Out *out, NodeId id, Op op) {
    return node_of(out, id)->op == op ? operand(out, id) : id;
}

/* Guesses the operand: building the layer again shows whether it is right. build_spread puts zeros
 * between elements along axis 2 + i; stride[i] is their distance. */
static NodeId guess_operand(const Out *out, NodeId conv, int64_t stride[2]) {
    NodeId x = operand(out, conv);
    for (int i = 1; i >= 0; i--) {
        x = before(out, before(out, x, OP_pad), OP_slice);
        NodeId padded = before(out, x, OP_reshape), apart = before(out, padded, OP_pad),
               narrow = before(out, apart, OP_reshape);
        stride[i] = 1;
        if (padded == x || apart == padded || narrow == apart ||
            node_of(out, narrow)->shape.rank != 4)
            continue;
        stride[i] = node_of(out, x)->shape.dim[2 + i] / node_of(out, narrow)->shape.dim[2 + i];
        x = narrow;
    }
    return x;
}

static NodeId guess_filters(const Out *out, NodeId conv) {
    static const Op steps[] = {OP_reverse, OP_reverse, OP_reshape, OP_transpose, OP_reshape};
    NodeId filters = node_of(out, conv)->operands[1];
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        filters = before(out, filters, steps[i]);
    return filters;
}

/* Whether `conv` is what build_conv_transposed makes of some x and filters: guesses both, builds it
 * again and compares. */
static bool is_transposed(Out *out, NodeId conv, NodeId *x, NodeId *filters, Form *form) {
    Window window;
    const Node *node = node_of(out, conv);
    if (node->op != OP_conv || node_of(out, node->operands[1])->op != OP_reverse) return false;
    *x = guess_operand(out, conv, window.stride);
    *filters = guess_filters(out, conv);
    Shape full = node->shape, from = node_of(out, *x)->shape,
          kernel = node_of(out, *filters)->shape;
    if (from.rank != 4 || kernel.rank != 4) return false;
    for (int i = 0; i < 2; i++) {
        window.dilation[i] = node->attrs.conv.dilation[i];
        form->stride[i] = window.stride[i];
        form->extra[i] = full.dim[2 + i] - (from.dim[2 + i] - 1) * window.stride[i] -
                         window.dilation[i] * (kernel.dim[2 + i] - 1) - 1;
        if (form->extra[i] < 0) return false;
    }
    form->core = conv;
    return build_conv_transposed(out->graph, *x, *filters, &window, node->attrs.conv.groups,
                                 full) == conv;
}

/* The convolution whose border a slice removes; the node itself if it is no such slice. */
static NodeId before_cut(const Out *out, NodeId id, int64_t pads[4]) {
    const Node *node = node_of(out, id);
    if (node->op != OP_slice || node->shape.rank != 4) return id;
    Shape full = node_of(out, node->operands[0])->shape;
    for (int axis = 0; axis < 4; axis++) {
        int64_t start = node->attrs.range.start[axis], stop = node->attrs.range.stop[axis];
        if (node->attrs.range.step[axis] != 1 || (axis < 2 && stop - start != full.dim[axis]))
            return id;
        if (axis < 2) continue;
        pads[axis - 2] = start;
        pads[axis] = full.dim[axis] - stop;
    }
    return node->operands[0];
}

static bool match_with(Out *out, NodeId id, NodeId bias, Form *form) {
    NodeId x, filters, conv = before_cut(out, id, form->pads);
    if ((conv != id && out->uses[conv] != 1) || !is_transposed(out, conv, &x, &filters, form))
        return false;
    form_operands(out, form, bias ? 3 : 2, (NodeId[]){x, filters, bias});
    return true;
}

bool match_transposed(Out *out, NodeId id, Form *form) {
    return match_with(out, id, NODE_NONE, form);
}

bool match_transposed_bias(Out *out, NodeId id, Form *form) {
    NodeId bias, sum = biased_image(out, id, &bias);
    return sum && match_with(out, sum, bias, form);
}
