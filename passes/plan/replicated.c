/* Which kernels every thread computes for itself. Example: the rows of a batch are gathered and converted from bytes
 * in a few microseconds, and a product whose columns the threads divide needs all of these rows on every thread. If
 * each thread gathered a part, the others would wait for it and then fetch its cache lines from another core, which
 * takes longer than to gather all rows here. So a small result that is computed from inputs alone, in a few
 * operations, is replicated. */
#include "passes/plan/planning.h"

enum {
    MOST_BYTES = 256 * 1024, /* of all replicated values: a quarter of a core's second-level cache */
    LINE = 64,
    NANOSECONDS_PER_LINE = 10 /* to fetch it from another core: 5 where they share a cache, 20 and more where they do not */
};

static size_t stored_bytes(const Plan *plan, const Kernel *kernel) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        const Node *node = graph_node(plan->graph, kernel->stores[i].node);
        bytes += layout_bytes(kernel->stores[i].to.layout, node->dtype, node->shape);
    }
    return bytes;
}

static bool stores_in_slab_only(const Kernel *kernel) {
    for (uint32_t i = 0; i < kernel->store_count; i++)
        if (kernel->stores[i].to.kind != STORAGE_SLAB) return false;
    return true;
}

/* Uses are of the slab and of states only. */
static bool reads_inputs_only(const Uses *uses, uint32_t kernel) { return uses->begin[kernel] == uses->begin[kernel + 1]; }

static bool may_be_replicated(const Plan *plan, const Uses *uses, uint32_t number) {
    const Kernel *kernel = &plan->kernels[number];
    return kernel->kind == KERNEL_MAP && stores_in_slab_only(kernel) && reads_inputs_only(uses, number);
}

static bool is_cheap(const Plan *plan, const Kernel *kernel, size_t bytes) {
    return cost_nanoseconds(plan, kernel) <= (int64_t)(bytes / LINE * NANOSECONDS_PER_LINE);
}

/* Every thread reads all rows in a product that threads divide by columns, and in one that sums over rows. */
static bool reads_all_rows(const Plan *plan, const Kernel *reader) {
    if (reader->kind != KERNEL_MATMUL || reader->max_threads == 1 || reader->product.windows) return false;
    const Node *root = graph_node(plan->graph, reader->root);
    return root->attrs.matmul.transpose_a || root->shape.dim[root->shape.rank - 1] > COST_WIDEST_TILE;
}

static bool all_is_read(const Plan *plan, const Uses *uses, uint32_t number) {
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        if (!reads_all_rows(plan, &plan->kernels[k])) continue;
        for (uint32_t i = uses->begin[k]; i < uses->begin[k + 1]; i++)
            if (uses->writer[uses->uses[i].buffer] == number + 1) return true;
    }
    return false;
}

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
        size_t bytes = stored_bytes(plan, kernel);
        kernel->replicated = threads != 1 && may_be_replicated(plan, uses, k) && all + bytes <= MOST_BYTES &&
                             is_cheap(plan, kernel, bytes) && all_is_read(plan, uses, k);
        if (!kernel->replicated) continue;
        all += bytes;
        kernel->max_threads = kernel->pieces = 1;
    }
    note_readers(plan, uses);
}
