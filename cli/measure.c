/* The machine's rates, measured, and the work of kernels, counted. */
#include "cli/measure.h"

#include "ir/clock.h"

#include <stdlib.h>

/* -- reading memory -- */

enum { ROUNDS = 20, WORDS = MEASURE_BYTES / sizeof(uint64_t), SUMS = 16 };

typedef struct {
    uint64_t *memory; /* WORDS a thread */
    uint64_t sink;
} Reading;

/* Independent sums, so that the loop waits for memory and not for itself. */
static uint64_t read_all(const uint64_t *words) {
    uint64_t sums[SUMS] = {0}, total = 0;
    for (size_t i = 0; i < WORDS; i += SUMS)
        for (size_t j = 0; j < SUMS; j++) sums[j] += words[i + j];
    for (size_t j = 0; j < SUMS; j++) total ^= sums[j];
    return total;
}

static void read_share(void *context, int thread) {
    Reading *reading = context;
    uint64_t total = read_all(reading->memory + (size_t)thread * WORDS);
    if (thread == 0) reading->sink ^= total;
}

static double reading_rate(Threads *threads) {
    size_t bytes = (size_t)threads_count(threads) * MEASURE_BYTES;
    Reading reading = {.memory = calloc(1, bytes)};
    double best = 0;
    if (!reading.memory) return 0;
    for (size_t i = 0; i < bytes / sizeof(uint64_t); i++) reading.memory[i] = i; /* pages of their own */
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds_now();
        threads_run(threads, read_share, &reading);
        double rate = (double)bytes / (seconds_now() - start);
        if (rate > best) best = rate;
    }
    volatile uint64_t used = reading.sink;
    (void)used;
    free(reading.memory);
    return best;
}

bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options, Diagnostics *diag) {
    int count = threads_count(threads) < threads_online() ? threads_count(threads) : threads_online();
    machine->operations = codegen_measure_peak(options, diag) * count;
    machine->bytes = reading_rate(threads);
    return machine->operations > 0;
}

/* -- work -- */

static double node_bytes(const Node *node) { return (double)shape_elements(node->shape) * (double)dtype_bytes(node->dtype); }

static double node_operations(const Graph *graph, const Node *node) {
    const Node *first = node->operand_count ? graph_operand(graph, node, 0) : NULL;
    double elements = (double)shape_elements(node->shape);
    switch (op_class(node->op)) {
    case CLASS_MATRIX: {
        int rank = first->shape.rank;
        return 2 * elements * (double)first->shape.dim[node->attrs.transpose_a ? rank - 2 : rank - 1];
    }
    case CLASS_REDUCE:
    case CLASS_SCAN: return (double)shape_elements(first->shape);
    case CLASS_ELEMENTWISE: return elements * (node->op == OP_fma ? 2 : 1);
    default: return 0;
    }
}

static bool in_memory(const Plan *plan, NodeId id) {
    const Node *node = graph_node(plan->graph, id);
    return node->op != OP_constant && node->op != OP_iota && plan->storage[id].kind != STORAGE_NONE;
}

Work kernel_work(const Plan *plan, const Kernel *kernel) {
    Work work = {0};
    bool *seen = calloc(plan->graph->node_count, sizeof *seen);
    if (!seen) return work;
    for (uint32_t i = 0; i < kernel->node_count; i++) seen[kernel->nodes[i]] = true;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(plan->graph, kernel->nodes[i]);
        work.operations += node_operations(plan->graph, node);
        for (uint32_t j = 0; j < node->operand_count; j++) {
            NodeId operand = node->operands[j];
            if (seen[operand] || !in_memory(plan, operand)) continue;
            seen[operand] = true;
            work.bytes += node_bytes(graph_node(plan->graph, operand));
        }
    }
    for (uint32_t i = 0; i < kernel->store_count; i++) work.bytes += node_bytes(graph_node(plan->graph, kernel->stores[i].node));
    free(seen);
    return work;
}

double work_bound(Work work, const Machine *machine, uint32_t threads, uint32_t all) {
    double share = (double)(threads < all ? threads : all) / (double)all;
    double computing = work.operations / (machine->operations * share), reading = work.bytes / (machine->bytes * share);
    return computing > reading ? computing : reading;
}
