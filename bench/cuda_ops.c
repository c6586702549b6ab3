/* Each elementwise op on a GPU and on the CPU: do they give the same bits?
 *
 *   build/release/bench_cuda_ops [NUMBERS]
 *
 * The first operand takes all 2^32 f32 numbers, or NUMBERS of them, evenly spread over their bits. The
 * others are different multiples of its bits. All 2^32 take about ten seconds an op. Any NaN equals any
 * other. Status: 0 if all bits are equal, 1 if not, 2 without a GPU that can run the code, 5 after an
 * error of the driver. */
#include "runtime/program/run.h"
#include "tests/support/compile_on.h"
#include "tests/support/op_graph.h"

#include <stdlib.h>
#include <string.h>

static const int64_t ALL_NUMBERS = INT64_C(1) << 32, MOST_AT_ONCE = 1 << 20;

typedef struct {
    Device *device;
    Threads *threads;
    Diagnostics *diag;
    int64_t numbers, at_once;
} OpBench;

/* number[i] = the f32 with the bits (start + i * step) * factor */
static NodeId spread_numbers(Graph *graph, NodeId start, int64_t count, int32_t step,
                             int32_t factor) {
    Shape shape = {.rank = 1, .dim = {count}};
    NodeId bits =
        build_binary(graph, OP_mul, build_iota(graph, shape, 0), build_i32(graph, step, shape));
    bits = build_binary(graph, OP_add, bits, build_broadcast(graph, start, shape));
    bits = build_binary(graph, OP_mul, bits, build_i32(graph, factor, shape));
    return build_bitcast(graph, bits, DTYPE_F32);
}

static Graph *op_graph(const OpBench *bench, Op op) {
    static const int32_t factors[] = {1, (int32_t)0x9e3779b1, (int32_t)0x85ebca6b}; /* odd */
    Graph *graph = graph_new(op_name(op), bench->diag);
    NodeId start = graph_input(graph, SYMBOL_VALUE, "start", DTYPE_I32, (Shape){0}), numbers[3];
    int32_t step = (int32_t)(ALL_NUMBERS / bench->numbers);
    for (int i = 0; i < op_arity(op); i++)
        numbers[i] = spread_numbers(graph, start, bench->at_once, step, factors[i]);
    graph_output(graph, "y", op_on_numbers(graph, op, numbers));
    return graph;
}

/* -- comparing -- */

/* A program with what it needs to run. */
typedef struct {
    Program *program;
    States *states;
    Runner *runner;
} OpProgram;

static bool open_op(const OpBench *bench, OpProgram *op) {
    op->states = states_new();
    op->runner = runner_new(op->program, op->states, bench->threads, bench->diag);
    return op->runner != NULL;
}

static void close_op(OpProgram *op) {
    runner_free(op->runner);
    if (op->states) states_free(op->states);
    program_free(op->program);
}

/* The results for the numbers from `start` on; valid until the next call. */
static const void *results_from(const OpProgram *op, int32_t start) {
    runner_input(op->runner, "start", &start);
    runner_step(op->runner, NULL);
    return runner_output(op->runner, "y");
}

static bool is_nan(uint32_t bits) { return (bits & 0x7fffffff) > 0x7f800000; }

/* Counts the results that differ, and prints the first. is_real: they are f32. */
static int64_t count_different(const char *name, const uint32_t *cpu, const uint32_t *gpu,
                               int64_t count, bool is_real) {
    int64_t different = 0;
    for (int64_t i = 0; i < count; i++) {
        if (cpu[i] == gpu[i] || (is_real && is_nan(cpu[i]) && is_nan(gpu[i]))) continue;
        if (!different++) printf("%s: %08x on the CPU, %08x on the GPU\n", name, cpu[i], gpu[i]);
    }
    return different;
}

static bool compare_op(const OpBench *bench, Op which, const OpProgram *cpu, const OpProgram *gpu) {
    const Graph *graph = cpu->program->graph;
    const Node *node = graph_node(graph, graph->outputs[0].node);
    int64_t bytes = bench->at_once * (int64_t)dtype_bytes(node->dtype), different = 0;
    int64_t step = ALL_NUMBERS / bench->numbers;
    for (int64_t done = 0; done < bench->numbers && !different; done += bench->at_once) {
        int32_t start = (int32_t)(uint32_t)(done * step);
        const void *a = results_from(cpu, start), *b = results_from(gpu, start);
        if (runner_failed(gpu->runner)) return false;
        if (!memcmp(a, b, (size_t)bytes)) continue;
        different =
            node->dtype == DTYPE_BOOL
                ? bench->at_once
                : count_different(op_name(which), a, b, bench->at_once, node->dtype == DTYPE_F32);
    }
    printf("%-14s %s\n", op_name(which), different ? "DIFFERS" : "the same bits");
    fflush(stdout);
    return !different;
}

static bool bench_op(const OpBench *bench, Op op) {
    int threads = threads_count(bench->threads);
    OpProgram cpu = {.program = compile_on(NULL, op_graph(bench, op), threads)},
              gpu = {.program = compile_on(bench->device, op_graph(bench, op), threads)};
    bool good = cpu.program && gpu.program && open_op(bench, &cpu) && open_op(bench, &gpu) &&
                compare_op(bench, op, &cpu, &gpu);
    close_op(&cpu);
    close_op(&gpu);
    return good;
}

static bool bench_ops(const OpBench *bench) {
    const DeviceFacts *facts = device_facts(bench->device);
    bool good = true;
    printf("%s, compute capability %d.%d: %lld numbers an op\n", facts->name, facts->major,
           facts->minor, (long long)bench->numbers);
    for (Op op = 0; op < OP_COUNT && !device_failed(bench->device); op++)
        if (op_class(op) == CLASS_ELEMENTWISE) good &= bench_op(bench, op);
    return good;
}

int main(int argc, char **argv) {
    int64_t numbers = argc > 1 ? strtoll(argv[1], NULL, 10) : ALL_NUMBERS;
    if (numbers < 2 || numbers > ALL_NUMBERS || (numbers & (numbers - 1))) {
        fprintf(stderr, "usage: bench_cuda_ops [NUMBERS], a power of two up to 2^32\n");
        return STATUS_USAGE;
    }
    OpBench bench = {.diag = diag_new(),
                     .threads = threads_new(threads_online()),
                     .numbers = numbers,
                     .at_once = numbers < MOST_AT_ONCE ? numbers : MOST_AT_ONCE};
    bench.device = device_open(0, bench.diag);
    bool good = bench.device && bench_ops(&bench);
    Status status = diag_status(bench.diag);
    diag_print(bench.diag, stderr);
    device_close(bench.device);
    threads_free(bench.threads);
    diag_free(bench.diag);
    return status ? (int)status : good ? 0 : 1;
}
