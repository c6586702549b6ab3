/* The zeros pass: marks products whose operand comes from bytes of the data. In images of
 * handwritten digits, four of five pixels are 0. A term 0 * w with a finite w changes no bit of a
 * sum, which is never -0 (ir/eval/eval_fma.c). The kernel checks that w is finite. For every block
 * of rows it lists the columns in which a row is not zero, and visits only those. */
#include "passes/pass_list.h"
#include "passes/plan/planning.h"

#include <math.h>

/* Whether 0 times this node, and 0 divided by it, is 0. */
static bool is_factor(const Node *node) {
    return node->op == OP_constant && node->dtype == DTYPE_F32 && isfinite(node->attrs.value.f) &&
           node->attrs.value.f != 0;
}

/* Whether a node is 0 wherever the byte that it is computed from is 0; zero[] tells the same of its
 * operands. */
static bool keeps_zero(const Graph *graph, const Node *node, const bool *zero) {
    const NodeId *in = node->operands;
    bool all = true;
    for (uint32_t i = 0; i < node->operand_count; i++) all &= zero[in[i]];
    if (node->op == OP_input) return node->dtype == DTYPE_U8;
    if (node->op == OP_convert && node->dtype != DTYPE_F32 && node->dtype != DTYPE_I32)
        return false;
    switch (op_zero(node->op)) {
    case ZERO_NONE: return false;
    case ZERO_ALL: return all;
    case ZERO_QUOTIENT: return zero[in[0]] && is_factor(graph_node(graph, in[1]));
    case ZERO_PRODUCT: break;
    }
    bool left = zero[in[0]] && (zero[in[1]] || is_factor(graph_node(graph, in[1])));
    bool right = zero[in[1]] && is_factor(graph_node(graph, in[0]));
    return (left || right) && (node->operand_count == 2 || zero[in[2]]);
}

/* The list of a block of rows pays only if several tiles of columns use it. The check that columns
 * are finite pays only if several tiles of rows use it. */
enum { MIN_ROWS = 9, MIN_COLUMNS = 64 };

static bool is_worth_it(const Graph *graph, const Kernel *kernel) {
    const Node *root = graph_node(graph, kernel->root);
    if (root->shape.rank != 2) return false;
    return root->shape.dim[kernel->product.swapped ? 1 : 0] >= MIN_ROWS &&
           root->shape.dim[kernel->product.swapped ? 0 : 1] >= MIN_COLUMNS;
}

bool pass_zeros(Compilation *compilation, const PassOptions *options) {
    (void)options;
    Plan *plan = compilation->plan;
    const Graph *graph = compilation->graph;
    Arena *scratch = arena_new();
    bool *zero = ARENA_ARRAY(scratch, bool, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++)
        zero[id] = keeps_zero(graph, graph_node(graph, id), zero);
    for (uint32_t i = 0; i < plan->kernel_count; i++) {
        Kernel *kernel = &plan->kernels[i];
        if (kernel->kind != KERNEL_MATMUL) continue;
        const Node *root = graph_node(graph, kernel->root);
        kernel->product.skips_zeros =
            zero[root->operands[kernel->product.swapped ? 1 : 0]] && is_worth_it(graph, kernel);
    }
    arena_free(scratch);
    return true;
}
