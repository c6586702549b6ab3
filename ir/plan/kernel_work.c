/* Counts the work of a kernel. */
#include "ir/plan/kernel_work.h"
#include "ir/base/memory.h"
#include "ir/ops/winograd.h"

#include <math.h>
#include <stdlib.h>

static double node_bytes(const Node *node) {
    return (double)shape_elements(node->shape) * (double)dtype_bytes(node->dtype);
}

/* `used` elements of the node are needed. */
static double node_operations(const Graph *graph, const Node *node, double used) {
    const Node *first = node->operand_count ? graph_operand(graph, node, 0) : NULL;
    double elements = (double)shape_elements(node->shape);
    switch (op_class(node->op)) {
    case CLASS_MATRIX: {
        int rank = first->shape.rank;
        return 2 * elements *
               (double)first->shape.dim[node->attrs.matmul.transpose_a ? rank - 2 : rank - 1];
    }
    case CLASS_WINOGRAD:
        return (double)winograd_tiles(first->shape) *
               (double)winograd_operations(first->shape.dim[3], node->shape.dim[3]);
    case CLASS_REDUCE:
    case CLASS_SCAN: return (double)shape_elements(first->shape);
    case CLASS_ELEMENTWISE: return used * (node->op == OP_fma ? 2 : 1);
    default: return 0;
    }
}

/* Divisions and square roots take many times as long as other operations. */
static void count_slow(KernelWork *work, const Node *node, double used) {
    if (node->dtype != DTYPE_F32) return;
    if (node->op == OP_div) work->divisions += used;
    if (node->op == OP_sqrt) work->roots += used;
}

static bool in_memory(const Plan *plan, NodeId id) {
    const Node *node = graph_node(plan->graph, id);
    return node->op != OP_constant && node->op != OP_iota && plan->storage[id].kind != STORAGE_NONE;
}

/* How many elements of an operand are used for some elements of a node. A slice of a large array
 * reads few of its elements. */
static double used_of(const Node *node, const Node *operand, double used) {
    OpClass class = op_class(node->op);
    double all = (double)shape_elements(operand->shape);
    return class == CLASS_ELEMENTWISE || class == CLASS_VIEW ? fmin(used, all) : all;
}

/* Slices are of different elements, up to the whole array. Other nodes use the same ones. */
static double with_use(double before, const Node *node, const Node *operand, double used) {
    double more = used_of(node, operand, used);
    if (node->op != OP_slice) return fmax(before, more);
    return fmin(before + more, (double)shape_elements(operand->shape));
}

/* Fills in how many elements of the nodes of a kernel and of their operands are used: all that is
 * stored, and what the nodes after them use. */
static void count_used(const Plan *plan, const Kernel *kernel, double *used) {
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        NodeId stored = kernel->stores[i].node;
        used[stored] = (double)shape_elements(graph_node(plan->graph, stored)->shape);
    }
    for (uint32_t i = kernel->node_count; i-- > 0;) {
        const Node *node = graph_node(plan->graph, kernel->nodes[i]);
        for (uint32_t j = 0; j < node->operand_count; j++) {
            NodeId id = node->operands[j];
            used[id] =
                with_use(used[id], node, graph_node(plan->graph, id), used[kernel->nodes[i]]);
        }
    }
}

KernelWork kernel_work(const Plan *plan, const Kernel *kernel) {
    KernelWork work = {0};
    bool *seen = memory_array(plan->graph->node_count, sizeof *seen, "the nodes of a graph");
    double *used = memory_array(plan->graph->node_count, sizeof *used, "the nodes of a graph");
    count_used(plan, kernel, used);
    for (uint32_t i = 0; i < kernel->node_count; i++) seen[kernel->nodes[i]] = true;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(plan->graph, kernel->nodes[i]);
        work.operations += node_operations(plan->graph, node, used[kernel->nodes[i]]);
        count_slow(&work, node, used[kernel->nodes[i]]);
        for (uint32_t j = 0; j < node->operand_count; j++) {
            NodeId operand = node->operands[j];
            if (seen[operand] || !in_memory(plan, operand)) continue;
            seen[operand] = true;
            work.bytes +=
                used[operand] * (double)dtype_bytes(graph_node(plan->graph, operand)->dtype);
        }
    }
    for (uint32_t i = 0; i < kernel->store_count; i++)
        work.stored += node_bytes(graph_node(plan->graph, kernel->stores[i].node));
    work.bytes += work.stored;
    free(used);
    free(seen);
    return work;
}
