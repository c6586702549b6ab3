/* The straighten pass, before fusion. a @ transpose(b) needs an operand whose columns are
 * contiguous. A state can be stored that way. If both operands are computed, neither has contiguous
 * columns. Then b gets a transposed copy, which fusion computes in its own kernel or in the kernel
 * that computes b.
 *
 * A convolution with few filters would leave most lanes of its columns empty, so its tile runs
 * along the images of the batch, or along the windows. Its image gets a copy [H,W,C,N] or
 * [N,C,H,W], in which neighbouring images or windows are neighbours in memory. */
#include "passes/pass_list.h"
#include "ir/base/integers.h"
#include "passes/plan/planning.h"

/* -- products of windows -- */

enum {
    FEW_FILTERS = LANES / 2,
    ENOUGH_TAPS = 9, /* elements of a window from which on a copy of the image pays */
    /* along two vectors of images: filters that make enough sums, and sums of a row of results,
     * which wait on the stack */
    IMAGES = 2 * LANES,
    ENOUGH_FILTERS = 4,
    MOST_IN_ROW = 512
};

static int64_t lanes_taken(int64_t columns) { return round_up(columns, LANES); }

bool product_runs_along_windows(const Graph *graph, const Node *product, const Node *windows) {
    Shape each = windows->shape, left = graph_operand(graph, product, 0)->shape;
    int64_t filters = product->shape.dim[product->shape.rank - 1];
    bool one_matrix = shape_elements(left) == left.dim[left.rank - 2] * left.dim[left.rank - 1];
    bool copy_pays = each.dim[5] == 1 || each.dim[3] * each.dim[4] >= ENOUGH_TAPS;
    /* the windows fill at least one and a half times as many lanes as the filters:
     * run / lanes(run) >= 1.5 filters / lanes(filters) */
    int64_t run = each.dim[2];
    bool fills_lanes = 2 * run * lanes_taken(filters) >= 3 * filters * lanes_taken(run);
    return one_matrix && copy_pays && fills_lanes && !product->attrs.matmul.transpose_a &&
           windows->attrs.window.stride[1] == 1 && filters <= FEW_FILTERS;
}

bool product_runs_along_images(const Graph *graph, const NodeId *buffer, const Node *product,
                               const Node *windows) {
    Shape each = windows->shape, left = graph_operand(graph, product, 0)->shape;
    int64_t filters = product->shape.dim[product->shape.rank - 1];
    bool one_matrix = shape_elements(left) == left.dim[left.rank - 2] * left.dim[left.rank - 1];
    bool plain = !product->attrs.matmul.transpose_a && !product->attrs.matmul.transpose_b &&
                 product->dtype == DTYPE_F32 &&
                 !node_is_leaf(graph_node(graph, buffer[product->operands[1]]));
    return plain && one_matrix && each.dim[0] % IMAGES == 0 && each.dim[5] > 1 &&
           each.dim[3] * each.dim[4] >= ENOUGH_TAPS && filters >= ENOUGH_FILTERS &&
           filters <= FEW_FILTERS && each.dim[2] * filters <= MOST_IN_ROW;
}

/* -- straightening -- */

typedef struct {
    const Graph *graph;
    const NodeId *buffer;
    bool along_images; /* the target has code for products along images */
} Straightening;

static bool is_matrix_state(const Node *node) {
    return node->op == OP_state && node->shape.rank == 2;
}

/* Whether a node is a @ transpose(b) of two computed matrices. */
static bool right_needs_copy(const Graph *graph, const Node *node) {
    if (node->op != OP_matmul || !node->attrs.matmul.transpose_b || node->attrs.matmul.transpose_a)
        return false;
    return !is_matrix_state(graph_operand(graph, node, 0)) &&
           !is_matrix_state(graph_operand(graph, node, 1));
}

static bool runs_along_images(const Straightening *s, const Node *product, const Node *windows) {
    return s->along_images && product_runs_along_images(s->graph, s->buffer, product, windows);
}

/* The windows whose image needs a copy; NODE_NONE if operand 0 is something else or needs none. */
static NodeId windows_to_copy(const Straightening *s, const Node *node) {
    NodeId id = product_windows(s->graph, s->buffer, node);
    const Node *windows = graph_node(s->graph, id);
    if (!id) return NODE_NONE;
    bool copies = windows->shape.dim[5] > 1 && product_runs_along_windows(s->graph, node, windows);
    return copies || runs_along_images(s, node, windows) ? id : NODE_NONE;
}

static bool needs_copies(const Straightening *s, const Node *node) {
    return right_needs_copy(s->graph, node) || windows_to_copy(s, node) != NODE_NONE;
}

static bool any_needs_copies(const Straightening *s) {
    for (NodeId id = 1; id < s->graph->node_count; id++)
        if (needs_copies(s, graph_node(s->graph, id))) return true;
    return false;
}

/* Copies a product; it gets copies of operands that need one, in another order in memory. */
static NodeId copy_product(const Straightening *s, Graph *to, const Node *node, const NodeId *map) {
    NodeId windows = windows_to_copy(s, node), left = map[node->operands[0]],
           right = map[node->operands[1]];
    bool copies_right = right_needs_copy(s->graph, node);
    to->span = node->span;
    if (windows) {
        /* The same windows of the image transposed to another order and back. The product will read
         * the transposed copy (windows_image). */
        static const int64_t there[2][4] = {{0, 3, 1, 2}, {1, 2, 3, 0}},
                             back[2][4] = {{0, 2, 3, 1}, {3, 0, 1, 2}};
        const Node *taken = graph_node(s->graph, windows);
        bool images_last = runs_along_images(s, node, taken);
        NodeId copy = build_transpose(to, map[taken->operands[0]], there[images_last]);
        NodeId image = build_transpose(to, copy, back[images_last]);
        left = build_reshape(to, build_windows(to, image, &taken->attrs.window),
                             graph_operand(s->graph, node, 0)->shape);
    }
    if (copies_right) right = build_transpose(to, right, NULL);
    return build_matmul(to, left, right, node->attrs.matmul.transpose_a,
                        node->attrs.matmul.transpose_b && !copies_right);
}

/* OpenBLAS reads every operand as it is. */
Graph *pass_straighten(Graph *from, const PassOptions *options) {
    Arena *scratch = arena_new();
    Straightening s = {from, buffer_nodes(from, scratch), !options->no_vectors && !options->on_gpu};
    if (options->external_gemm || !any_needs_copies(&s)) {
        arena_free(scratch);
        return from;
    }
    Graph *to = graph_like(from);
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    for (NodeId id = 1; id < from->node_count; id++) {
        const Node *node = graph_node(from, id);
        map[id] = needs_copies(&s, node) ? copy_product(&s, to, node, map)
                                         : graph_copy_node(to, from, id, map);
    }
    graph_finish(to, from, map);
    arena_free(scratch);
    return to;
}
