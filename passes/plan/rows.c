/* Chooses the kernels that threads divide by rows of the batch. In a network with small layers, a
 * row goes through many small kernels: through the layers to the loss, and back to the gradients of
 * the layers.
 *
 * If each kernel were divided anew, there would be a barrier between any two, and a thread would
 * read values that another core has just written. A thread that takes its rows through all kernels
 * reads its own results. One barrier is left, before the sums over rows: the gradients of the
 * weights.
 *
 * The price is that each thread reads all weights, not only those of some columns. So there must be
 * few weights. */
#include "passes/plan/planning.h"

/* The largest number of weights of a product. Weights that other threads have updated are fetched
 * from their cores, and all must stay in the cache of this core. */
enum { MAX_WEIGHTS = 96 * 1024 };

typedef struct {
    const Plan *plan;
    int64_t rows; /* in the batch */
    int threads;
    bool *may; /* [kernel] */
    /* [kernel], for those that may: itself, or an earlier kernel of the same chain (a union-find
     * forest) */
    uint32_t *chain;
} Rows;

/* -- which kernels may be divided by rows -- */

static bool has_rows(const Rows *rows, Shape shape) {
    return shape.rank > 0 && shape.dim[0] == rows->rows;
}

/* Whether a kernel of this kind can be divided by rows: its rows do not depend on each other, and
 * its weights are small. */
static bool kind_may(const Rows *rows, const Kernel *kernel) {
    const Node *root = graph_node(rows->plan->graph, kernel->root);
    if (kernel->kind == KERNEL_MATMUL) {
        bool by_weights = kernel->product.right.kind == STORAGE_STATE && !kernel->product.swapped &&
                          !kernel->product.windows;
        const Shape *weights = &graph_operand(rows->plan->graph, root, 1)->shape;
        return by_weights && !root->attrs.matmul.transpose_a && root->shape.rank == 2 &&
               shape_elements(*weights) <= MAX_WEIGHTS;
    }
    if (kernel->kind == KERNEL_REDUCE) return root->attrs.axis > 0;
    if (kernel->kind == KERNEL_ROW) return kernel->space.rank > 1;
    return kernel->kind == KERNEL_MAP && shape_elements(kernel->space) > rows->rows;
}

static uint32_t groups(const Rows *rows) { return (uint32_t)(rows->rows / PLAN_ROWS); }

/* A kernel that is worth more threads than there are groups of rows is divided on its own. Views
 * other than reshape and broadcast may be emitted as square tiles, which cross row boundaries. */
static bool may_be_by_rows(const Rows *rows, const Kernel *kernel) {
    const Graph *graph = rows->plan->graph;
    if (kernel->replicated || !has_rows(rows, kernel->space) || kernel->max_threads > groups(rows))
        return false;
    if (!kind_may(rows, kernel)) return false;
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        const Store *store = &kernel->stores[i];
        if (store->to.kind == STORAGE_STATE ||
            !has_rows(rows, graph_node(graph, store->node)->shape))
            return false;
    }
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        Op op = graph_node(graph, kernel->nodes[i])->op;
        bool in_row =
            kernel->kind == KERNEL_ROW && (op_class(op) == CLASS_REDUCE || op == OP_slice);
        if (kernel->nodes[i] != kernel->root && !op_stays_in_place(op) && op != OP_broadcast &&
            !in_row)
            return false;
    }
    return true;
}

/* -- chains: kernels that read each other's rows -- */

static uint32_t chain_of(const Rows *rows, uint32_t kernel) {
    while (rows->chain[kernel] != kernel) kernel = rows->chain[kernel];
    return kernel;
}

/* Joins each kernel that may be divided by rows to the chains of those whose rows it reads. */
static void find_chains(const Rows *rows, const Uses *uses) {
    uint32_t kernels = rows->plan->kernel_count;
    for (uint32_t k = 0; k < kernels; k++) {
        rows->chain[k] = k;
        rows->may[k] = may_be_by_rows(rows, &rows->plan->kernels[k]);
    }
    for (uint32_t k = 0; k < kernels; k++)
        for (uint32_t i = uses->begin[k]; rows->may[k] && i < uses->begin[k + 1]; i++) {
            uint32_t writer = uses->writer[uses->uses[i].buffer];
            if (writer && rows->may[writer - 1] && !uses->uses[i].crosses_rows) {
                uint32_t b = writer - 1;
                uint32_t first = chain_of(rows, k), second = chain_of(rows, b);
                rows->chain[first > second ? first : second] = first > second ? second : first;
            }
        }
}

/* -- chains that are worth several threads -- */

typedef struct {
    int64_t cost;
    uint32_t kernels;
} Chain;

static Chain *measure_chains(const Rows *rows, Arena *arena) {
    Chain *chains = ARENA_ARRAY(arena, Chain, rows->plan->kernel_count);
    for (uint32_t k = 0; k < rows->plan->kernel_count; k++) {
        if (!rows->may[k]) continue;
        Chain *chain = &chains[chain_of(rows, k)];
        chain->cost += cost_nanoseconds(rows->plan, &rows->plan->kernels[k]);
        chain->kernels++;
    }
    return chains;
}

/* Kernels are divided by rows if their chain has several kernels and is worth several threads. */
void rows_assign(Plan *plan, const Uses *uses, int threads, Arena *arena) {
    Rows rows = {.plan = plan, .rows = graph_batch_rows(plan->graph), .threads = threads};
    if (threads == 1 || rows.rows % PLAN_ROWS || groups(&rows) < 2) return;
    rows.chain = ARENA_ARRAY(arena, uint32_t, plan->kernel_count);
    rows.may = ARENA_ARRAY(arena, bool, plan->kernel_count);
    find_chains(&rows, uses);
    const Chain *chains = measure_chains(&rows, arena);
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        if (!rows.may[k]) continue;
        const Chain *chain = &chains[chain_of(&rows, k)];
        uint32_t most = groups(&rows), sharing = cost_threads(chain->cost, threads);
        if (sharing > most) sharing = most;
        if (sharing < 2 || chain->kernels < 2) continue;
        uint32_t pieces = cost_pieces(chain->cost, sharing, threads);
        plan->kernels[k].by_rows = true;
        plan->kernels[k].max_threads = sharing;
        plan->kernels[k].pieces = pieces * sharing > most ? most / sharing : pieces;
    }
}
