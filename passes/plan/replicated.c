/* Chooses the kernels that every thread computes for itself.
 *
 * Example: a kernel gathers the rows of a batch and converts them from bytes, in a few
 * microseconds. The next product is divided by columns, so every thread needs all rows. If each
 * thread gathered a part, the others would wait for it and fetch its cache lines from another core.
 * That takes longer than gathering all rows. So a small result that is computed from inputs alone,
 * in a few operations, is replicated. */
#include "passes/plan/planning.h"

enum {
    /* of all replicated values: a quarter of a core's second-level cache */
    MAX_BYTES = 256 * 1024,
    LINE = 64,
    /* to fetch a line from another core: 5 with a common cache, 20 and more without */
    NANOSECONDS_PER_LINE = 10
};

/* A kernel may be replicated if it is elementwise, reads inputs only and stores in the slab only.
 * Uses list reads of the slab and of states, so it must have none. *bytes: what it stores. */
static bool may_be_replicated(const Plan *plan, const Uses *uses, uint32_t number, size_t *bytes) {
    const Kernel *kernel = &plan->kernels[number];
    *bytes = 0;
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        const Store *store = &kernel->stores[i];
        const Node *node = graph_node(plan->graph, store->node);
        if (store->to.kind != STORAGE_SLAB) return false;
        *bytes += layout_bytes(store->to.layout, node->dtype, node->shape);
    }
    return kernel->kind == KERNEL_MAP && uses->begin[number] == uses->begin[number + 1];
}

/* Whether each thread of some kernel reads all rows that kernel `number` stores. */
static bool all_is_read(const Plan *plan, const Uses *uses, uint32_t number) {
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *reader = &plan->kernels[k];
        if (reader->kind != KERNEL_MATMUL || reader->max_threads == 1 || reader->product.windows)
            continue;
        /* every thread reads all rows of a product that sums over rows or is divided by columns */
        const Node *root = graph_node(plan->graph, reader->root);
        if (!root->attrs.matmul.transpose_a &&
            root->shape.dim[root->shape.rank - 1] <= COST_WIDEST_TILE)
            continue;
        for (uint32_t i = uses->begin[k]; i < uses->begin[k + 1]; i++)
            if (uses->writer[uses->uses[i].buffer] == number + 1) return true;
    }
    return false;
}

/* Sets Kernel.reads_replicated. */
static void note_readers(Plan *plan, const Uses *uses) {
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        plan->kernels[k].reads_replicated = false;
        for (uint32_t i = uses->begin[k]; i < uses->begin[k + 1]; i++) {
            uint32_t writer = uses->writer[uses->uses[i].buffer];
            plan->kernels[k].reads_replicated |= writer && plan->kernels[writer - 1].replicated;
        }
    }
}

void replicated_assign(Plan *plan, const Uses *uses, int threads) {
    size_t all = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        Kernel *kernel = &plan->kernels[k];
        size_t bytes;
        bool fits =
            threads != 1 && may_be_replicated(plan, uses, k, &bytes) && all + bytes <= MAX_BYTES;
        bool is_cheap = fits && cost_nanoseconds(plan, kernel) <=
                                    (int64_t)(bytes / LINE * NANOSECONDS_PER_LINE);
        kernel->replicated = is_cheap && all_is_read(plan, uses, k);
        if (!kernel->replicated) continue;
        all += bytes;
        kernel->max_threads = kernel->pieces = 1;
    }
    note_readers(plan, uses);
}
