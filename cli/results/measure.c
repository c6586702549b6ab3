/* Measures the rates of the machine and counts the work of kernels. */
#include "cli/results/measure.h"

#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "ir/ops/winograd.h"

#include <stdlib.h>
#include <string.h>

/* -- memory -- */

enum { ROUNDS = 5, PASS_BYTES = 32 << 20, LARGEST = MEASURE_MIN << 2 * (MEASURE_LEVELS - 1) };

typedef struct {
    Streams streams;
    float *memory; /* LARGEST bytes per thread */
    size_t bytes;  /* the working set of a thread */
    bool writing, alone;
} Streaming;

/* Reads or writes the working set of a thread again and again, PASS_BYTES in all. */
static void stream_working_set(void *context, int thread) {
    const Streaming *s = context;
    float *memory = s->memory + (size_t)thread * (LARGEST / sizeof(float));
    if (s->alone && thread) return;
    for (size_t passed = 0; passed < PASS_BYTES; passed += s->bytes)
        (s->writing ? s->streams.add : s->streams.read)(memory,
                                                        (int64_t)(s->bytes / sizeof(float)));
}

/* The best rate of several rounds. Written bytes count like read ones. */
static double stream_rate(Streaming *s, Threads *threads) {
    double best = 0, passes = s->writing ? 2 : 1, streaming = s->alone ? 1 : threads_count(threads);
    size_t passed = (PASS_BYTES + s->bytes - 1) / s->bytes * s->bytes;
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds_now();
        threads_run(threads, stream_working_set, s);
        double rate = (double)passed * passes * streaming / (seconds_now() - start);
        if (rate > best) best = rate;
    }
    return best;
}

/* The faster of reading and writing; a smaller working set is never slower than a larger one. */
static void measure_levels(Streaming *s, Threads *threads, double rates[MEASURE_LEVELS]) {
    for (int level = MEASURE_LEVELS - 1; level >= 0; level--) {
        s->bytes = (size_t)MEASURE_MIN << 2 * level;
        rates[level] = level + 1 < MEASURE_LEVELS ? rates[level + 1] : 0;
        for (int writing = 0; writing < 2; writing++) {
            s->writing = writing;
            double rate = stream_rate(s, threads);
            if (rate > rates[level]) rates[level] = rate;
        }
    }
}

static bool measure_memory(Machine *machine, Threads *threads, const CodegenOptions *options,
                           Diagnostics *diag) {
    size_t bytes = (size_t)threads_count(threads) * LARGEST;
    Streaming s = {.memory = memory_new(bytes, "the measurement of the machine")};
    bool good = streams_open(&s.streams, options, diag);
    if (good) {
        measure_levels(&s, threads, machine->together);
        s.alone = true;
        measure_levels(&s, threads, machine->alone);
    }
    streams_close(&s.streams);
    free(s.memory);
    return good;
}

bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options,
                     Diagnostics *diag) {
    int count =
        threads_count(threads) < threads_online() ? threads_count(threads) : threads_online();
    machine->operations = codegen_measure_peak(options, diag) * count;
    return machine->operations > 0 && measure_memory(machine, threads, options, diag);
}

/* -- work -- */

static double node_bytes(const Node *node) {
    return (double)shape_elements(node->shape) * (double)dtype_bytes(node->dtype);
}

static double node_operations(const Graph *graph, const Node *node) {
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
    case CLASS_ELEMENTWISE: return elements * (node->op == OP_fma ? 2 : 1);
    default: return 0;
    }
}

static bool in_memory(const Plan *plan, NodeId id) {
    const Node *node = graph_node(plan->graph, id);
    return node->op != OP_constant && node->op != OP_iota && plan->storage[id].kind != STORAGE_NONE;
}

KernelWork kernel_work(const Plan *plan, const Kernel *kernel) {
    KernelWork work = {0};
    bool *seen = memory_array(plan->graph->node_count, sizeof *seen, "the nodes of a graph");
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
    for (uint32_t i = 0; i < kernel->store_count; i++)
        work.bytes += node_bytes(graph_node(plan->graph, kernel->stores[i].node));
    free(seen);
    return work;
}

double work_bound(KernelWork work, const Machine *machine, uint32_t threads, uint32_t all) {
    uint32_t used = threads < all ? threads : all;
    /* The smallest level whose working set holds the bytes of a thread. */
    double bytes = work.bytes / used;
    int level = 0;
    while (level + 1 < MEASURE_LEVELS && bytes > (double)((size_t)MEASURE_MIN << 2 * level))
        level++;
    double rate = machine->alone[level] * used;
    if (rate > machine->together[level] && machine->together[level] > machine->alone[level])
        rate = machine->together[level];
    double computing = work.operations / (machine->operations * used / all),
           moving = work.bytes / rate;
    return computing > moving ? computing : moving;
}
