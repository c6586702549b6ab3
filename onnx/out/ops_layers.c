/* Sums, products, convolutions, and operations along one axis. */
#include "onnx/out/out.h"

#include <string.h>

static const Node *core_of(const Out *out, NodeId id, const Form *form) {
    return graph_node(out->graph, form->core ? form->core : id);
}

/* -- along an axis -- */

static int64_t axis_of(const Out *out, NodeId id) { return graph_node(out->graph, id)->attrs.axis; }

bool write_sum(Out *out, NodeId id, const Form *form) {
    int64_t axis = core_of(out, id, form)->attrs.axis;
    const char *x = value_full(out, form->operands[0]), *axes = constant_list(out, &axis, 1),
               *name = value_name(out, id, form->op);
    OutNode node = put_begin(out, form->op);
    put_input(&node, x);
    put_input(&node, axes);
    put_int(&node, "keepdims", 0);
    value_set(out, id, put_end(&node, name));
    return true;
}

/* Opset 18 takes the axes as an input. */
bool write_reduce(Out *out, NodeId id, const Form *form) {
    if (out->opset >= OPSET_BITS) return write_sum(out, id, form);
    int64_t axis = core_of(out, id, form)->attrs.axis;
    const char *x = value_full(out, form->operands[0]), *name = value_name(out, id, form->op);
    OutNode node = put_begin(out, form->op);
    put_input(&node, x);
    put_ints(&node, "axes", &axis, 1);
    put_int(&node, "keepdims", 0);
    value_set(out, id, put_end(&node, name));
    return true;
}

bool write_argmax(Out *out, NodeId id, const Form *form) {
    const char *x = value_full(out, form->operands[0]);
    OutNode node = put_begin(out, form->op);
    put_input(&node, x);
    put_int(&node, "axis", axis_of(out, id));
    put_int(&node, "keepdims", 0);
    const char *wide = put_end(&node, NULL), *name = value_name(out, id, "Cast");
    value_set(out, id, put_cast(out, name, wide, ONNX_INT32));
    return true;
}

bool write_axiswise(Out *out, NodeId id, const Form *form) {
    const char *x = value_full(out, form->operands[0]), *name = value_name(out, id, form->op);
    OutNode node = put_begin(out, form->op);
    put_input(&node, x);
    put_int(&node, "axis", axis_of(out, id));
    value_set(out, id, put_end(&node, name));
    return true;
}

bool write_cumsum(Out *out, NodeId id, const Form *form) {
    const char *x = value_full(out, form->operands[0]),
               *axis = constant_i32(out, (int32_t)axis_of(out, id));
    value_set(out, id, put_call(out, value_name(out, id, form->op), form->op, 2, x, axis));
    return true;
}

/* -- products -- */

static const char *exchanged(Out *out, NodeId id) {
    int64_t perm[SHAPE_MAX_RANK];
    const char *x = value_full(out, id);
    int rank = graph_node(out->graph, id)->shape.rank;
    for (int i = 0; i < rank; i++) perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    OutNode node = put_begin(out, "Transpose");
    put_input(&node, x);
    put_ints(&node, "perm", perm, (size_t)rank);
    return put_end(&node, NULL);
}

bool write_matmul(Out *out, NodeId id, const Form *form) {
    const Node *node = graph_node(out->graph, id);
    bool first = node->attrs.matmul.transpose_a, second = node->attrs.matmul.transpose_b;
    const char *a = first ? exchanged(out, form->operands[0]) : value_full(out, form->operands[0]),
               *b = second ? exchanged(out, form->operands[1]) : value_full(out, form->operands[1]);
    const char *op = node->dtype == DTYPE_I32 ? "MatMulInteger" : form->op;
    value_set(out, id, put_call(out, value_name(out, id, op), op, 2, a, b));
    return true;
}

/* Operands: a, b, and perhaps a bias, which is broadcast to the product. */
bool write_dense(Out *out, NodeId id, const Form *form) {
    const Node *product = core_of(out, id, form);
    const char *a = value_full(out, form->operands[0]), *b = value_full(out, form->operands[1]),
               *name = value_name(out, id, form->op);
    OutNode node = put_begin(out, form->op);
    put_input(&node, a);
    put_input(&node, b);
    if (form->count > 2) put_input(&node, value_of(out, form->operands[2])->name);
    if (product->attrs.matmul.transpose_a) put_int(&node, "transA", 1);
    if (product->attrs.matmul.transpose_b) put_int(&node, "transB", 1);
    value_set(out, id, put_end(&node, name));
    return true;
}

/* -- layers whose operands all have their full size -- */

/* Begins the node of the layer, with its inputs; *name is that of its output. */
static OutNode layer_begin(Out *out, NodeId id, const Form *form, const char **name) {
    const char **inputs = ARENA_ARRAY(out->arena, const char *, form->count);
    for (uint32_t i = 0; i < form->count; i++) inputs[i] = value_full(out, form->operands[i]);
    *name = value_name(out, id, form->op);
    OutNode node = put_begin(out, form->op);
    for (uint32_t i = 0; i < form->count; i++) put_input(&node, inputs[i]);
    return node;
}

static void write_window(OutNode *node, const int64_t *kernel, const int64_t *stride,
                         const int64_t *dilation, const int64_t *pads) {
    put_ints(node, "kernel_shape", kernel, 2);
    put_ints(node, "strides", stride, 2);
    if (dilation[0] != 1 || dilation[1] != 1) put_ints(node, "dilations", dilation, 2);
    if (pads[0] || pads[1] || pads[2] || pads[3]) put_ints(node, "pads", pads, 4);
}

/* Operands: x, filters, and perhaps a bias. */
bool write_conv(Out *out, NodeId id, const Form *form) {
    const Node *conv = core_of(out, id, form);
    const Shape filters = graph_node(out->graph, form->operands[1])->shape;
    const char *name;
    OutNode node = layer_begin(out, id, form, &name);
    write_window(&node, &filters.dim[2], conv->attrs.conv.stride, conv->attrs.conv.dilation,
                 form->pads);
    if (conv->attrs.conv.groups != 1) put_int(&node, "group", conv->attrs.conv.groups);
    value_set(out, id, put_end(&node, name));
    return true;
}

/* Operands as those of conv; the filters are [C, O / groups, height, width]. */
bool write_conv_transposed(Out *out, NodeId id, const Form *form) {
    const Node *conv = core_of(out, id, form);
    const Shape filters = graph_node(out->graph, form->operands[1])->shape;
    const char *name;
    OutNode node = layer_begin(out, id, form, &name);
    write_window(&node, &filters.dim[2], form->stride, conv->attrs.conv.dilation, form->pads);
    if (form->extra[0] || form->extra[1]) put_ints(&node, "output_padding", form->extra, 2);
    if (conv->attrs.conv.groups != 1) put_int(&node, "group", conv->attrs.conv.groups);
    value_set(out, id, put_end(&node, name));
    return true;
}

/* Zeros of the padding count in an average; in a maximum they are below all numbers. */
bool write_pool(Out *out, NodeId id, const Form *form) {
    const Window *window = &core_of(out, id, form)->attrs.window;
    const char *name;
    OutNode node = layer_begin(out, id, form, &name);
    write_window(&node, window->kernel, window->stride, window->dilation, form->pads);
    if (!strcmp(form->op, "AveragePool")) put_int(&node, "count_include_pad", 1);
    value_set(out, id, put_end(&node, name));
    return true;
}

/* -- normalization -- */

static bool write_norm(Out *out, NodeId id, const Form *form, int64_t axis) {
    const char *name;
    OutNode node = layer_begin(out, id, form, &name);
    put_float(&node, "epsilon", form->number);
    if (axis) put_int(&node, "axis", axis);
    value_set(out, id, put_end(&node, name));
    return true;
}

/* Operands: x, weight, bias, mean, variance. */
bool write_batch_norm(Out *out, NodeId id, const Form *form) {
    return write_norm(out, id, form, 0);
}

/* Operands: x, weight, and perhaps a bias. */
bool write_layer_norm(Out *out, NodeId id, const Form *form) {
    return write_norm(out, id, form, -1);
}
