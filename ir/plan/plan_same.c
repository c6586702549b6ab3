/* Compares all of two plans that code generation reads. A new field of Kernel, Storage, Store or
 * Plan belongs here too. */
#include "ir/plan/plan.h"

#include <string.h>

static bool same_storage(const Storage *a, const Storage *b) {
    return a->kind == b->kind && a->index == b->index && a->offset == b->offset &&
           layout_equal(a->layout, b->layout) && a->replicated == b->replicated;
}

/* -- the graph -- */

static bool is_loose(const Plan *plan, NodeId id) {
    StorageKind kind = plan->storage[id].kind;
    return kind == STORAGE_NONE || kind == STORAGE_TABLE;
}

static bool same_node(const Plan *a, const Plan *b, NodeId id, bool *differs) {
    const Node *x = graph_node(a->graph, id), *y = graph_node(b->graph, id);
    if (x->op != y->op || x->dtype != y->dtype || !shape_equal(x->shape, y->shape) ||
        x->operand_count != y->operand_count)
        return false;
    for (uint32_t i = 0; i < x->operand_count; i++)
        if (x->operands[i] != y->operands[i]) return false;
    bool equal = !memcmp(&x->attrs, &y->attrs, sizeof x->attrs),
         loose = x->op == OP_constant && is_loose(a, id) && is_loose(b, id);
    if (!equal && loose) differs[id] = true;
    return (equal || loose) && (loose || same_storage(&a->storage[id], &b->storage[id]));
}

static bool same_symbols(const Graph *a, const Graph *b) {
    if (a->symbol_count != b->symbol_count || a->output_count != b->output_count) return false;
    for (uint32_t i = 0; i < a->symbol_count; i++) {
        const Symbol *x = &a->symbols[i], *y = &b->symbols[i];
        if (x->kind != y->kind || x->dtype != y->dtype || !shape_equal(x->shape, y->shape) ||
            x->node != y->node || x->update != y->update)
            return false;
    }
    for (uint32_t i = 0; i < a->output_count; i++)
        if (a->outputs[i].node != b->outputs[i].node) return false;
    return true;
}

/* -- kernels -- */

static bool same_kernel(const Kernel *a, const Kernel *b) {
    bool same = a->kind == b->kind && a->root == b->root && shape_equal(a->space, b->space) &&
                a->node_count == b->node_count && a->store_count == b->store_count &&
                a->product.swapped == b->product.swapped &&
                a->product.skips_zeros == b->product.skips_zeros &&
                a->product.windows == b->product.windows &&
                same_storage(&a->product.left, &b->product.left) &&
                same_storage(&a->product.right, &b->product.right) && a->by_rows == b->by_rows &&
                a->replicated == b->replicated && a->reads_replicated == b->reads_replicated &&
                a->max_threads == b->max_threads && a->pieces == b->pieces &&
                a->barrier_before == b->barrier_before;
    for (uint32_t i = 0; same && i < a->node_count; i++) same = a->nodes[i] == b->nodes[i];
    for (uint32_t i = 0; same && i < a->store_count; i++)
        same = a->stores[i].node == b->stores[i].node &&
               same_storage(&a->stores[i].to, &b->stores[i].to);
    return same;
}

bool plan_same_code(const Plan *a, const Plan *b, bool *differs) {
    if (a->kernel_count != b->kernel_count || a->state_count != b->state_count ||
        a->slab_bytes != b->slab_bytes || a->thread_slab_bytes != b->thread_slab_bytes ||
        a->output_bytes != b->output_bytes || a->graph->node_count != b->graph->node_count ||
        !same_symbols(a->graph, b->graph))
        return false;
    for (NodeId id = 1; id < a->graph->node_count; id++)
        if (!same_node(a, b, id, differs)) return false;
    for (uint32_t i = 0; i < a->state_count; i++)
        if (a->states[i].symbol != b->states[i].symbol ||
            !layout_equal(a->states[i].layout, b->states[i].layout))
            return false;
    for (uint32_t i = 0; i < a->kernel_count; i++)
        if (!same_kernel(&a->kernels[i], &b->kernels[i])) return false;
    return true;
}
