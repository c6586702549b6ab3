/* Collects the edges between the kernels of a plan: a kernel that stores a value runs before those
 * that read it, and a kernel that reads a state before the one that updates it. */
#include "passes/plan/planning.h"

static uint32_t *find_updaters(const Plan *plan, Arena *arena) {
    uint32_t *updater = ARENA_ARRAY(arena, uint32_t, plan->graph->symbol_count);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++) {
            const Storage *to = &plan->kernels[k].stores[i].to;
            if (to->kind == STORAGE_STATE) updater[plan->states[to->index].symbol] = k + 1;
        }
    return updater;
}

uint32_t edges_updater(const KernelEdges *edges, const Plan *plan, NodeId buffer) {
    const Node *node = graph_node(plan->graph, buffer);
    return node->op == OP_state ? edges->updater[node->attrs.symbol] : 0;
}

/* The edge of a use. from == to: there is none, as no kernel stores or updates what is read. */
static KernelEdge use_edge(const KernelEdges *edges, const Plan *plan, const Uses *uses,
                           uint32_t kernel, const BufferUse *use) {
    uint32_t updater = edges_updater(edges, plan, use->buffer), writer = uses->writer[use->buffer];
    if (updater) return (KernelEdge){kernel, updater - 1, true, false};
    return writer ? (KernelEdge){writer - 1, kernel, false, !use->crosses_rows}
                  : (KernelEdge){kernel, kernel, false, false};
}

/* A counting sort by the first kernel: the edges are counted, then placed from the end on. */
KernelEdges edges_collect(const Plan *plan, const Uses *uses, Arena *arena) {
    uint32_t kernels = plan->kernel_count, *begin = ARENA_ARRAY(arena, uint32_t, kernels + 1);
    KernelEdges edges = {.begin = begin, .updater = find_updaters(plan, arena)};
    for (int placing = 0; placing < 2; placing++) {
        for (uint32_t k = 0; k < kernels; k++)
            for (uint32_t i = uses->begin[k]; i < uses->begin[k + 1]; i++) {
                KernelEdge edge = use_edge(&edges, plan, uses, k, &uses->uses[i]);
                if (edge.from == edge.to) continue;
                if (placing)
                    edges.edges[--begin[edge.from]] = edge;
                else
                    begin[edge.from]++;
            }
        if (placing) break;
        for (uint32_t k = 0; k < kernels; k++) begin[k + 1] += begin[k];
        edges.edges = ARENA_ARRAY(arena, KernelEdge, begin[kernels]);
    }
    return edges;
}
