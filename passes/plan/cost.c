/* Estimates the cost of a kernel roughly, to decide how many threads divide it and into how many
 * pieces. */
#include "passes/plan/planning.h"
#include "ir/base/integers.h"
#include "ir/ops/winograd.h"

enum {
    NANOSECONDS = 1000,                 /* in a microsecond */
    LANE_STEPS_PER_MICROSECOND = 20000, /* elementwise work of one core: elements times nodes */
    FMAS_PER_MICROSECOND = 40000,       /* matrix products */
    MICROSECONDS_PER_THREAD = 4,        /* a barrier costs about one */
    MICROSECONDS_PER_PIECE = 40,        /* each piece packs its operands again */
    MICROSECONDS_PER_OWN_PIECE = 16,    /* for a piece whose operands no other piece needs */
    MAX_PIECES = 4,                     /* into which the part of a thread is cut */
    MANY_ROWS = 128, /* of a product that skips zeros: with so many, smaller pieces pay */
    MAX_THREADS = 256
};

/* Multiply-adds of a product or of a convolution by tiles. */
static int64_t multiply_adds(const Plan *plan, const Kernel *kernel) {
    const Node *root = graph_node(plan->graph, kernel->root),
               *left = graph_operand(plan->graph, root, 0);
    if (kernel->kind == KERNEL_WINOGRAD)
        return winograd_tiles(left->shape) * WINOGRAD_PRODUCTS * left->shape.dim[3] *
               root->shape.dim[3];
    int64_t depth = left->shape.dim[left->shape.rank - (root->attrs.matmul.transpose_a ? 2 : 1)];
    return shape_elements(kernel->space) * depth;
}

int64_t cost_nanoseconds(const Plan *plan, const Kernel *kernel) {
    int64_t steps = (int64_t)kernel->node_count + 2 * (int64_t)kernel->store_count,
            visited = shape_elements(kernel->space);
    if (kernel->kind == KERNEL_REDUCE || kernel->kind == KERNEL_SCAN) {
        /* a reduction visits the elements that it reduces, a scan those and its results */
        const Node *root = graph_node(plan->graph, kernel->root);
        int64_t taken = shape_elements(graph_operand(plan->graph, root, 0)->shape);
        visited = kernel->kind == KERNEL_REDUCE ? taken : taken + visited;
    }
    int64_t elementwise = visited * steps * NANOSECONDS / LANE_STEPS_PER_MICROSECOND;
    if (kernel->kind != KERNEL_MATMUL && kernel->kind != KERNEL_GEMM &&
        kernel->kind != KERNEL_WINOGRAD)
        return elementwise;
    return elementwise + multiply_adds(plan, kernel) * NANOSECONDS / FMAS_PER_MICROSECOND;
}

/* threads < 0, for tests: -threads, whatever the cost. */
uint32_t cost_threads(int64_t nanoseconds, int threads) {
    int64_t worth = threads < 0 ? -threads : nanoseconds / (MICROSECONDS_PER_THREAD * NANOSECONDS);
    return (uint32_t)clamp_i64(worth, 1,
                               threads > 0 ? clamp_i64(threads, 1, MAX_THREADS) : MAX_THREADS);
}

/* threads < 0, for tests: at least two pieces, whether they pay or not. */
static uint32_t pieces_of(int64_t nanoseconds, int64_t each, int threads) {
    return (uint32_t)clamp_i64(nanoseconds / each, threads < 0 ? 2 : 1, MAX_PIECES);
}

uint32_t cost_pieces(int64_t nanoseconds, uint32_t sharing, int threads) {
    return pieces_of(nanoseconds / sharing, MICROSECONDS_PER_PIECE * NANOSECONDS, threads);
}

void cost_assign(const Plan *plan, Kernel *kernel, int threads) {
    int64_t cost = cost_nanoseconds(plan, kernel);
    kernel->by_rows = false;
    kernel->max_threads =
        (uint32_t)clamp_i64(cost_threads(cost, threads), 1, shape_elements(kernel->space));
    kernel->pieces = cost_pieces(cost, kernel->max_threads, threads);
    if (!kernel->product.skips_zeros) return;
    /* Each piece searches the rows of its tiles for zeros. If a tile has all columns, no two pieces
     * search the same rows, so smaller pieces pay. */
    int64_t columns = kernel->space.dim[kernel->product.swapped ? 0 : 1],
            rows = kernel->space.dim[kernel->product.swapped ? 1 : 0];
    bool own = columns <= COST_WIDEST_TILE && rows >= MANY_ROWS;
    kernel->pieces = own ? pieces_of(cost / kernel->max_threads,
                                     MICROSECONDS_PER_OWN_PIECE * NANOSECONDS, threads)
                         : 1;
}

double plan_seconds(const Plan *plan, int threads) {
    const double barrier = 1e-6;
    double seconds = barrier;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        int64_t used = min_i64(kernel->max_threads, threads);
        seconds += 1e-9 * (double)cost_nanoseconds(plan, kernel) / (double)used +
                   kernel->barrier_before * barrier;
    }
    return seconds;
}
