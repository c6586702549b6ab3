/* Builds the graph with products of bytes. A node of the old graph may be needed as f32 (`real`) or
 * as bytes of a scale.
 *
 *     real(product)        convert_f32(sums) * step[channel]
 *     bytes(product, s)    convert_u8(scale(sums, multiplier[channel], shift) + s.zero)
 *     sums                 bytes(left operand) @ weights + bias[channel]
 *     bytes(f32, s)        convert_u8(rint(x * (1 / s.scale)) + s.zero)
 *
 * Here a product includes the addends and factors after it, one of each for a channel. Bytes
 * saturate, so that relu costs nothing if s.zero is 0. */
#include "cli/ship/quantize_numbers.h"

#include <math.h>
#include <string.h>

typedef struct {
    Quantization *quantization;
    Found *found;
    const Graph *from;
    Graph *to;
    NodeId *real;                   /* [from->node_count] */
    bool *needs_real, *needs_bytes; /* [from->node_count] */
    bool good;
} Rewriting;

static const Node *from_node(const Rewriting *r, NodeId id) { return graph_node(r->from, id); }
static Shape to_shape(const Rewriting *r, NodeId id) { return graph_node(r->to, id)->shape; }

/* -- which nodes are needed as f32, and which as bytes -- */

/* The operand of an affine node that is affine too. */
static NodeId affine_operand(const Rewriting *r, const Node *node) {
    return node->operands[r->found->affine[node->operands[0]].product ? 0 : 1];
}

static bool is_product(const Rewriting *r, NodeId id) {
    uint32_t product = r->found->affine[id].product;
    return product && r->found->products[product - 1].node == id;
}

static void need_operands(Rewriting *r, NodeId id, bool *needs) {
    const Node *node = from_node(r, id);
    for (uint32_t i = 0; i < node->operand_count; i++) needs[node->operands[i]] = true;
}

/* Every node comes after its operands, so one walk from the last node to the first finds all. */
static void find_needs(Rewriting *r) {
    for (uint32_t i = 0; i < r->from->output_count; i++)
        r->needs_real[r->from->outputs[i].node] = true;
    for (NodeId id = r->from->node_count - 1; id > 0; id--) {
        ByteScale native;
        if (r->needs_bytes[id] && !r->found->affine[id].product) {
            if (found_passes_bytes(from_node(r, id)) && !found_native(r->found, id, &native))
                need_operands(r, id, r->needs_bytes);
            else
                r->needs_real[id] = true;
        }
        uint32_t product = r->found->affine[id].product;
        if (product && (r->needs_real[id] || r->needs_bytes[id])) {
            const Node *node = from_node(r, r->found->products[product - 1].node);
            r->needs_bytes[node->operands[0]] = true;
        } else if (r->needs_real[id])
            need_operands(r, id, r->needs_real);
    }
}

/* -- products -- */

static NodeId bytes_of(Rewriting *r, NodeId id, ByteScale scale);

/* From [rows, channels] to the shape of the product. */
static NodeId product_shaped(Rewriting *r, const Product *product, NodeId rows) {
    const Node *node = from_node(r, product->node);
    if (node->op == OP_matmul) return rows;
    int64_t dims[] = {node->shape.dim[0], node->shape.dim[2], node->shape.dim[3],
                      node->shape.dim[1]};
    return build_channels_first(r->to, build_reshape(r->to, rows, shape_of(4, dims)));
}

/* A state of the new graph for a number of each channel, repeated for all rows. */
static NodeId channel_state(Rewriting *r, const char *name, Shape shape) {
    const QuantizedState *state = quantized_find(r->quantization, name);
    NodeId node =
        graph_state(r->to, name, state->dtype, state->shape, (Init){.kind = INIT_CONSTANT}, false);
    return build_broadcast(r->to, node, shape);
}

/* The sums of a product in i32, with the bias: rows of bytes by weights of bytes. The rows are
 * those of a matrix, or the windows of pictures. */
static NodeId product_sums(Rewriting *r, const Product *product, const ProductNumbers *numbers) {
    const Node *node = from_node(r, product->node);
    NodeId rows = product->bytes;
    if (node->op != OP_matmul) {
        Window window = conv_window(&node->attrs, graph_operand(r->from, node, 1)->shape);
        rows = build_windows(r->to, build_channels_last(r->to, rows), &window);
        int64_t count = shape_elements(node->shape) / product->channels;
        rows = build_reshape(r->to, rows, shape_of(2, (int64_t[]){count, product->k}));
    }
    NodeId weights = graph_state(r->to, numbers->weights, DTYPE_I8,
                                 shape_of(2, (int64_t[]){product->k, product->channels}),
                                 (Init){.kind = INIT_CONSTANT}, false);
    NodeId sums = build_matmul(r->to, rows, weights, false, false);
    return build_binary(r->to, OP_add, sums, channel_state(r, numbers->bias, to_shape(r, sums)));
}

static NodeId real_number(Rewriting *r, float value, Shape shape) {
    return build_f32(r->to, (double)value, shape);
}

/* Adds the zero and converts to bytes, which saturates. */
static NodeId whole_bytes(Rewriting *r, NodeId whole, ByteScale scale) {
    NodeId zero = build_i32(r->to, scale.zero, to_shape(r, whole));
    return build_convert(r->to, build_binary(r->to, OP_add, whole, zero), DTYPE_U8);
}

/* The result of a product as bytes of `scale`: its sums, multiplied and shifted in whole
 * numbers. */
static NodeId product_bytes(Rewriting *r, const Affine *affine, ByteScale scale) {
    Product *product = &r->found->products[affine->product - 1];
    const ProductNumbers *numbers = numbers_of(r->quantization, r->found, affine);
    if (!numbers) return r->good = false, NODE_NONE;
    NodeId sums = product_sums(r, product, numbers);
    SumScale to = numbers_scaled_to(r->quantization, numbers, scale);
    NodeId multiplier = channel_state(r, to.multiplier, to_shape(r, sums)),
           shift = build_i32(r->to, to.shift, to_shape(r, sums));
    NodeId whole = build_ternary(r->to, OP_scale, sums, multiplier, shift);
    return product_shaped(r, product, whole_bytes(r, whole, scale));
}

/* The result of a product in f32: its sums, each times the step of its channel. */
static NodeId product_real(Rewriting *r, const Affine *affine) {
    Product *product = &r->found->products[affine->product - 1];
    const ProductNumbers *numbers = numbers_of(r->quantization, r->found, affine);
    if (!numbers) return r->good = false, NODE_NONE;
    NodeId sums = build_convert(r->to, product_sums(r, product, numbers), DTYPE_F32);
    NodeId real =
        build_binary(r->to, OP_mul, sums, channel_state(r, numbers->step, to_shape(r, sums)));
    return product_shaped(r, product, real);
}

/* A product after the transposes and reshapes between its node and `id`. */
static NodeId moved(Rewriting *r, NodeId id, NodeId product) {
    const Node *node = from_node(r, id);
    if (is_product(r, id)) return product;
    NodeId inner = moved(r, affine_operand(r, node), product);
    if (!inner || op_class(node->op) != CLASS_VIEW) return inner;
    return graph_add(r->to, node->op, &inner, 1, &node->attrs,
                     &(TensorType){graph_node(r->to, inner)->dtype, node->shape});
}

/* -- bytes -- */

/* The largest byte of each window. The maximum is taken in f32, which keeps the order of bytes; the
 * operands are stored as bytes. */
static NodeId pooled(Rewriting *r, const Node *node, NodeId bytes) {
    NodeId elements = build_window_elements(r->to, bytes, &node->attrs.window);
    NodeId largest =
        build_reduce(r->to, OP_reduce_max, build_convert(r->to, elements, DTYPE_F32), 3, false);
    return build_channels_first(r->to, build_convert(r->to, largest, DTYPE_U8));
}

/* Pads with zeros, for which the byte `zero` stands. */
static NodeId padded(Rewriting *r, const Node *node, NodeId bytes, ByteScale scale) {
    if (scale.zero == 0)
        return build_pad(r->to, bytes, node->attrs.pad.before, node->attrs.pad.after);
    NodeId whole = build_convert(r->to, bytes, DTYPE_I32);
    whole = build_binary(r->to, OP_sub, whole, build_i32(r->to, scale.zero, to_shape(r, whole)));
    return whole_bytes(r, build_pad(r->to, whole, node->attrs.pad.before, node->attrs.pad.after),
                       scale);
}

/* relu: bytes below the zero become the zero. There are none if it is 0. */
static NodeId above_zero(Rewriting *r, NodeId bytes, ByteScale scale) {
    if (scale.zero == 0) return bytes;
    NodeId whole = build_convert(r->to, bytes, DTYPE_I32);
    whole = build_binary(r->to, OP_max, whole, build_i32(r->to, scale.zero, to_shape(r, whole)));
    return build_convert(r->to, whole, DTYPE_U8);
}

/* A node that moves or compares numbers, computed with bytes. */
static NodeId passed(Rewriting *r, const Node *node, ByteScale scale) {
    NodeId *in = ARENA_ARRAY(r->found->arena, NodeId, node->operand_count);
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (!(in[i] = bytes_of(r, node->operands[i], scale))) return NODE_NONE;
    switch (node->op) {
    case OP_relu: return above_zero(r, in[0], scale);
    case OP_max_pool: return pooled(r, node, in[0]);
    case OP_pad: return padded(r, node, in[0], scale);
    default:
        return graph_add(r->to, node->op, in, node->operand_count, &node->attrs,
                         &(TensorType){DTYPE_U8, node->shape});
    }
}

/* Bytes of the data, after the nodes that move and compare them up to `id`. */
static NodeId native_bytes(Rewriting *r, NodeId id, ByteScale scale) {
    const Node *node = from_node(r, id);
    if (node->op == OP_convert) return r->real[node->operands[0]];
    if (!found_passes_bytes(node)) return native_bytes(r, node->operands[0], scale);
    NodeId bytes = native_bytes(r, node->operands[0], scale);
    if (node->op == OP_relu) return bytes;
    if (node->op == OP_max_pool) return pooled(r, node, bytes);
    return graph_add(r->to, node->op, &bytes, 1, &node->attrs,
                     &(TensorType){DTYPE_U8, node->shape});
}

/* The value of a node as bytes of `scale`: from a product, from data that are such bytes, through
 * an operation that only moves elements, or rounded from f32. */
static NodeId bytes_of(Rewriting *r, NodeId id, ByteScale scale) {
    const Affine *affine = &r->found->affine[id];
    ByteScale native;
    r->to->span = from_node(r, id)->span;
    if (affine->product) return moved(r, id, product_bytes(r, affine, scale));
    if (found_native(r->found, id, &native) && !memcmp(&native, &scale, sizeof scale))
        return native_bytes(r, id, scale);
    if (found_passes_bytes(from_node(r, id))) return passed(r, from_node(r, id), scale);
    /* convert_u8(rint(x * (1 / scale)) + zero) */
    NodeId real = r->real[id];
    Shape shape = to_shape(r, real);
    NodeId steps = build_binary(r->to, OP_mul, real, real_number(r, 1 / scale.scale, shape));
    NodeId sum = build_binary(r->to, OP_add, build_unary(r->to, OP_rint, steps),
                              real_number(r, scale.zero, shape));
    return build_convert(r->to, sum, DTYPE_U8);
}

/* -- the graph -- */

/* Builds what the new graph needs of a node: its f32 value, and for a product the bytes of its left
 * operand. */
static void build_node(Rewriting *r, NodeId id) {
    const Affine *affine = &r->found->affine[id];
    if (is_product(r, id) && r->needs_bytes[from_node(r, id)->operands[0]]) {
        Product *product = &r->found->products[affine->product - 1];
        product->bytes = bytes_of(r, from_node(r, id)->operands[0], product->input);
    }
    if (!r->needs_real[id] || !r->good) return;
    r->to->span = from_node(r, id)->span;
    r->real[id] = affine->product ? moved(r, id, product_real(r, affine))
                                  : graph_copy_node(r->to, r->from, id, r->real);
}

static Graph *rewrite(Rewriting *r) {
    r->to = graph_like(r->from);
    find_needs(r);
    for (NodeId id = 1; id < r->from->node_count && r->good; id++) build_node(r, id);
    if (r->good) graph_finish(r->to, r->from, r->real);
    if (r->good) return graph_in_order(r->to, NULL, 0);
    graph_free(r->to);
    return NULL;
}

Graph *quantization_rewrite(void *context, Graph *from) {
    Quantization *quantization = context;
    Arena *arena = arena_new();
    Rewriting r = {.quantization = quantization,
                   .found = found_new(from, arena),
                   .from = from,
                   .real = ARENA_ARRAY(arena, NodeId, from->node_count),
                   .needs_real = ARENA_ARRAY(arena, bool, from->node_count),
                   .needs_bytes = ARENA_ARRAY(arena, bool, from->node_count),
                   .good = true};
    numbers_keep_ranged(quantization, r.found);
    bool ready = found_follow(r.found, quantization->session.states) &&
                 numbers_choose_scales(quantization, r.found);
    Graph *to = ready ? rewrite(&r) : NULL;
    graph_free(from);
    arena_free(arena);
    return to;
}
