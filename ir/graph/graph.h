/* The graph: an array of nodes in topological order. A node has an op, a dtype, a static shape,
 * operands (ids of earlier nodes), attributes and a place in the source. Building a node checks its
 * operands, infers its shape, folds constants and returns the existing equal node; a graph
 * therefore never holds the same computation twice. Passes build new graphs. */
#ifndef MLC_IR_GRAPH_GRAPH_H
#define MLC_IR_GRAPH_GRAPH_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/ops/ops.h"
#include "ir/ops/shapes.h"

typedef struct {
    const char *name;
    NodeId node;
} Output;

typedef struct Graph {
    const char *name;
    Arena *arena; /* owned: everything below lives in it */
    Diagnostics *diag;
    Span span;   /* given to the nodes built from now on */
    Node *nodes; /* nodes[1 .. node_count); nodes[0] is unused */
    uint32_t node_count, node_capacity;
    Symbol *symbols;
    uint32_t symbol_count, symbol_capacity;
    Output *outputs;
    uint32_t output_count, output_capacity;
    struct NodeTable *table; /* for finding the existing equal node */
} Graph;

Graph *graph_new(const char *name, Diagnostics *diag);
void graph_free(Graph *graph); /* NULL is allowed */

static inline const Node *graph_node(const Graph *graph, NodeId id) { return &graph->nodes[id]; }
static inline const Node *graph_operand(const Graph *graph, const Node *node, uint32_t i) {
    return &graph->nodes[node->operands[i]];
}

/* -- building: one function for all ops, and short forms -- */

/* Adds a node or finds the equal one. `result` gives the shape and dtype where the op cannot infer
 * them (leaves, reshape, broadcast, convert, bitcast); else NULL. Reports a model error at
 * graph->span and returns NODE_NONE on bad operands. */
NodeId graph_add(Graph *graph, Op op, const NodeId *operands, uint32_t count, const Attrs *attrs,
                 const TensorType *result);

NodeId graph_input(Graph *graph, SymbolKind kind, const char *name, DType dtype, Shape shape);
NodeId graph_state(Graph *graph, const char *name, DType dtype, Shape shape, Init init,
                   bool trainable);
void graph_output(Graph *graph, const char *name, NodeId node);
/* The node of the output of that name, or NODE_NONE. */
NodeId graph_output_node(const Graph *graph, const char *name);
void graph_update(Graph *graph, NodeId state, NodeId value);
/* The symbol of that name, or NULL. */
const Symbol *graph_symbol(const Graph *graph, const char *name);
/* The rows of a batch for which the graph was built; 0: no input has rows. */
int64_t graph_batch_rows(const Graph *graph);

NodeId build_f32(Graph *graph, double value, Shape shape); /* a constant, rounded to f32 */
NodeId build_i32(Graph *graph, int32_t value, Shape shape);
NodeId build_constant(Graph *graph, TensorType type, uint32_t bits);
NodeId build_iota(Graph *graph, Shape shape, int axis);
NodeId build_unary(Graph *graph, Op op, NodeId a);
/* Elementwise ops with numpy's broadcasting: broadcast nodes are added where shapes differ. */
NodeId build_binary(Graph *graph, Op op, NodeId a, NodeId b);
NodeId build_ternary(Graph *graph, Op op, NodeId a, NodeId b, NodeId c);
NodeId build_convert(Graph *graph, NodeId a, DType dtype); /* a itself if it has that dtype */
NodeId build_bitcast(Graph *graph, NodeId a, DType dtype);
NodeId build_reshape(Graph *graph, NodeId a, Shape shape);
NodeId build_broadcast(Graph *graph, NodeId a, Shape shape);
/* perm NULL: exchange the last two axes */
NodeId build_transpose(Graph *graph, NodeId a, const int64_t *perm);
/* step NULL: 1 */
NodeId build_slice(Graph *graph, NodeId a, const int64_t *start, const int64_t *stop,
                   const int64_t *step);
NodeId build_pad(Graph *graph, NodeId a, const int64_t *before, const int64_t *after);
NodeId build_concat(Graph *graph, const NodeId *parts, uint32_t count, int axis);
/* The index is i32. Its shape is that of a, except along `axis`; where it has size 1 it is
 * broadcast. */
NodeId build_gather(Graph *graph, NodeId a, NodeId index, int axis);
/* The index has the shape of a; `size` is that of the result along the axis. */
NodeId build_scatter_add(Graph *graph, NodeId a, NodeId index, int axis, int64_t size);
/* 32 random bits an element, as random_bits (ir/ops/random.h) makes them. The operands are i32
 * scalars: the low and the high word of the seed, the draw, and a row. Each draw gives other
 * numbers. Element e is number i of its draw: word i % 4 of the block with the counter (i / 4,
 * draw), where
 *
 *     i = (row * numbers->row mod 2^32) + e */
NodeId build_random(Graph *graph, const NodeId low_high_draw_row[4], const RandomNumbers *numbers,
                    Shape shape);
/* axis from 0. keep: the axis stays, with size 1. */
NodeId build_reduce(Graph *graph, Op op, NodeId a, int axis, bool keep);
/* sum or reduce_max over a set of axes (bit i: axis i), which are removed. Neighbouring axes are
 * merged first; a sum over all axes keeps axis 0 apart from the others. Then the last axis is
 * reduced before those in front of it: this order is the meaning of a sum over several axes. */
NodeId build_reduce_axes(Graph *graph, Op op, NodeId a, uint32_t axes);
NodeId build_matmul(Graph *graph, NodeId a, NodeId b, bool transpose_a, bool transpose_b);
NodeId build_axiswise(Graph *graph, Op op, NodeId a, int axis);
NodeId build_grad(Graph *graph, NodeId scalar, NodeId by);
NodeId build_reverse(Graph *graph, NodeId a, int axis);

/* -- windows and convolutions (build_window.c); images are [N, C, H, W] unless stated otherwise
 * -- */

NodeId build_windows(Graph *graph, NodeId a, const Window *window); /* of [N, H, W, C] */
NodeId build_max_pool(Graph *graph, NodeId a, const Window *window);
/* The elements of each window side by side, [N, OH, OW, KH * KW, C], as a pool compares them. */
NodeId build_window_elements(Graph *graph, NodeId a, const Window *window);
/* The kernel's size is that of the weights; window->kernel is ignored. */
/* The window of a convolution with these attributes and weights [M, C / groups, kH, kW]. */
Window conv_window(const Attrs *attrs, Shape weights);
NodeId build_conv(Graph *graph, NodeId x, NodeId weights, const Window *window, int64_t groups);
/* A convolution of pictures [N, H, W, C] with transformed filters: see ir/ops/winograd.h. */
NodeId build_winograd(Graph *graph, NodeId pictures, NodeId filters);
/* The gradient of the weights of a convolution without strides, from its operand x and the gradient
 * of its result; and a part of it, for pictures [N, H, W, C]. */
NodeId build_conv_weights(Graph *graph, NodeId x, NodeId gradient);
NodeId build_winograd_weights(Graph *graph, NodeId pictures, NodeId gradient);
/* The transpose of a convolution, as a linear map from its result y to its operand of shape
 * `result`. It is a convolution itself: of y with zeros between and around its elements. Elements
 * of the operand that no window covers are 0. */
NodeId build_conv_transposed(Graph *graph, NodeId y, NodeId weights, const Window *window,
                             int64_t groups, Shape result);
/* From [N, C, H, W] to [N, H, W, C], the order in which kernels compute, and back. */
NodeId build_channels_last(Graph *graph, NodeId a);
NodeId build_channels_first(Graph *graph, NodeId a);
/* Puts step - 1 zeros after every element along an axis. */
NodeId build_spread(Graph *graph, NodeId a, int axis, int64_t step);

/* -- text form, checks -- */

/* Prints every node, output and update in the text form (docs/how-it-works.md describes it). */
void graph_print(const Graph *graph, FILE *out);
/* Graphviz. */
void graph_print_dot(const Graph *graph, FILE *out);
/* Reads the text form; NULL after reporting errors (STATUS_MODEL). print(read(print(g))) ==
 * print(g). A text has at most 16 MB, 10,000 inputs and states, and GRAPH_MAX_NODES nodes. */
Graph *graph_read(const char *name, const char *text, size_t length, Diagnostics *diag);
/* Checks every rule that a graph must keep. A violation is a bug in a pass: it is printed to stderr
 * with its node, and false is returned. */
bool graph_verify(const Graph *graph);

/* For passes. graph_like starts a graph with the name, diagnostics and symbols of `from`, without
 * nodes. graph_copy_node adds a copy of node `id`, with its operands mapped by
 * map[from->node_count], which is zeroed before the first use. graph_finish maps outputs and
 * updates. */
Graph *graph_like(const Graph *from);
NodeId graph_copy_node(Graph *to, const Graph *from, NodeId id, const NodeId *map);
void graph_finish(Graph *to, const Graph *from, const NodeId *map);
/* Copies the graph and numbers its nodes anew, in the order of roots[count]: before each root come
 * the nodes that it needs and that have not come yet. NODE_NONE among the roots is skipped. Nodes
 * that no root needs are left out; all outputs and updates must be among the roots. roots NULL: all
 * outputs, then all updates, then the inputs and states that are left. Frees `from`. Builders that
 * nest calls need this: C leaves open in which order arguments are evaluated. But texts and sums of
 * gradients depend on the numbers of nodes, which must not vary with the compiler. */
Graph *graph_in_order(Graph *from, const NodeId *roots, uint32_t count);
/* live[id]: an output or update needs node id, or it is a state with an update. From the graph's
 * arena. */
bool *graph_live(const Graph *graph);

#endif
