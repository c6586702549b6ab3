/* mlc profile: times each kernel within the training step and compares it with the limits of the
 * machine. The inputs are random, as in `mlc run`, so that no data are needed. */
#include "cli/commands/profiling.h"
#include "cli/results/measure.h"
#include "cli/session/commands.h"
#include "cli/text/terminal.h"
#include "engine/build/device.h"
#include "ir/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STANDARD_STEPS = 300, MAX_STEPS = 100000, WARM_UP_STEPS = 10, MAX_LINES = 4 };

/* -- running -- */

/* Opens the device of the command line. "auto" compares by the steps that are timed. */
static bool choose(Profiling *p) {
    Build *build = &p->build;
    build->work =
        (DeviceWork){GRAPH_TRAIN, model_batch(build->info, GRAPH_TRAIN), (double)p->steps};
    if (!build_open_device(build)) return false;
    build_print_choice(build);
    return true;
}

static bool compile(Profiling *p) {
    Compilation compilation;
    Path cache;
    CodegenOptions options = build_codegen_options(&p->build.options, &cache);
    if (!build_compilation(&p->build, GRAPH_TRAIN, model_batch(p->build.info, GRAPH_TRAIN),
                           PASS_COUNT - 1, &compilation))
        return false;
    p->program = p->build.device ? profile_compile_for_device(p, &compilation, &options)
                                 : codegen_compile(compilation.plan, compilation.graph, &options,
                                                   p->build.diag);
    return p->program != NULL;
}

static bool prepare(Profiling *p) {
    p->states = states_new();
    p->threads = threads_new(build_threads(&p->build.options));
    if (!states_bind(p->states, p->program, p->build.diag)) return false;
    states_initialize(p->states, p->build.info->seed);
    random_inputs_make(&p->random, p->program->graph, p->build.info->replicas, p->build.given,
                       p->arena);
    p->runner = runner_new(p->program, p->states, p->threads, p->build.diag);
    if (!p->runner) return false;
    const Graph *graph = p->program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH)
            runner_table(p->runner, graph->symbols[i].name, p->random.inputs[i],
                         p->random.row_count);
        else if (graph->symbols[i].kind == SYMBOL_VALUE)
            runner_input(p->runner, graph->symbols[i].name, p->random.inputs[i]);
    random_inputs_step(&p->random, 0);
    return true;
}

static void note_time(void *context, int thread, uint32_t kernel, bool begins) {
    const Profiling *p = context;
    timeline_note(&p->timeline, p->step, thread, kernel, begins, (uint64_t)nanoseconds_now());
}

/* -- the table -- */

void profile_name(const Plan *plan, const Kernel *kernel, char *text, size_t size) {
    bool updates = false;
    for (uint32_t i = 0; i < kernel->store_count; i++)
        updates |= kernel->stores[i].to.kind == STORAGE_STATE;
    const char *name = kernel->root && kernel->kind == KERNEL_REDUCE
                           ? op_name(graph_node(plan->graph, kernel->root)->op)
                           : kernel_names[kernel->kind];
    uint32_t more = kernel->node_count - (kernel->root ? 1 : 0);
    snprintf(text, size, "%s + %u%s", name, more, updates ? ", update" : "");
}

static void add_line(uint32_t lines[MAX_LINES], uint32_t *count, uint32_t line) {
    for (uint32_t i = 0; i < *count; i++)
        if (lines[i] == line) return;
    if (*count < MAX_LINES) lines[(*count)++] = line;
}

void profile_lines(const Profiling *p, const Kernel *kernel, char *text, size_t size) {
    uint32_t lines[MAX_LINES], count = 0, line, column;
    const char *name;
    const Graph *graph = p->program->graph;
    if (kernel->root &&
        diag_locate(p->build.diag, graph_node(graph, kernel->root)->span, &name, &line, &column))
        add_line(lines, &count, line);
    for (uint32_t i = 0; i < kernel->node_count; i++)
        if (diag_locate(p->build.diag, graph_node(graph, kernel->nodes[i])->span, &name, &line,
                        &column))
            add_line(lines, &count, line);
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%u", i ? "," : "", lines[i]);
}

static void print_kernel(const Profiling *p, uint32_t number, const Machine *machine,
                         double step_seconds) {
    const Plan *plan = p->program->plan;
    const Kernel *kernel = &plan->kernels[number];
    char name[64], lines[64], space[SHAPE_TEXT];
    double seconds = timeline_kernel_seconds(&p->timeline, number);
    KernelWork work = kernel_work(plan, kernel);
    uint32_t all = (uint32_t)threads_count(p->threads),
             threads = kernel->replicated || kernel->max_threads > all ? all : kernel->max_threads;
    double bound = work_bound(work, machine, kernel->replicated ? 1 : threads, all);
    profile_name(plan, kernel, name, sizeof name);
    profile_lines(p, kernel, lines, sizeof lines);
    printf("k%-3u %-22s %-18s %7u %9.1f %6.1f %8.1f %7.1f %9.1f %10.0f  %s\n", number, name,
           shape_text(DTYPE_F32, kernel->space, space) + 3, threads, seconds * 1e6,
           100 * seconds / step_seconds, work.operations / seconds * 1e-9,
           work.bytes / seconds * 1e-9, bound * 1e6, 100 * bound / seconds, lines);
}

static void print_machine(const Machine *machine) {
    const PeakRates *peak = &machine->peak;
    printf("machine: %.1f GFLOP/s, %.1f G divisions/s, %.1f G square roots/s\n",
           peak->operations * 1e-9, peak->divisions * 1e-9, peak->roots * 1e-9);
    printf("GB/s by the bytes in use on a thread, reading alone in brackets:");
    for (int level = 0; level < MEASURE_LEVELS; level++)
        printf("%s %d kB: %.0f (%.0f)", level ? "," : "", (MEASURE_MIN << 2 * level) >> 10,
               machine->together.any[level] * 1e-9, machine->together.reading[level] * 1e-9);
    printf("\n\n");
}

static void print_table(const Profiling *p, const Machine *machine) {
    const Plan *plan = p->program->plan;
    char peak_fraction[NUMBER_TEXT];
    double step = timeline_step_seconds(&p->timeline), busy = 0, operations = 0;
    int threads = threads_count(p->threads);
    printf("%s, batch %u, %d thread%s, median of %lld steps\n", p->program->graph->name,
           p->build.info->batch, threads, threads == 1 ? "" : "s", (long long)p->steps);
    print_machine(machine);
    printf("%-4s %-22s %-18s %7s %9s %6s %8s %7s %9s %10s  %s\n", "", "kernel", "space", "threads",
           "us", "%", "GFLOP/s", "GB/s", "bound us", "% of bound", "model line");
    for (uint32_t i = 0; i < plan->kernel_count; i++) {
        print_kernel(p, i, machine, step);
        busy += timeline_kernel_seconds(&p->timeline, i);
        operations += kernel_work(plan, &plan->kernels[i]).operations;
    }
    printf("\nstep: %.1f us, of which %.1f us between kernels\n", step * 1e6, (step - busy) * 1e6);
    printf(
        "%.1f GFLOP/s, %s of the machine's peak, counting all multiply-adds; mlc skips multiplications by zero where this\n"
        "cannot change the result, so it can exceed 100 %%\n",
        operations / step * 1e-9,
        text_percent(peak_fraction, operations / step / machine->peak.operations, 0));
}

Status profile_write_trace(const Profiling *p) {
    const char *trace = p->build.given->trace;
    return diag_outcome(
        p->build.diag,
        !trace || timeline_write_trace(&p->timeline, p->program->plan, trace, p->build.diag));
}

static Status report(Profiling *p) {
    Machine machine;
    Path cache;
    CodegenOptions options = build_codegen_options(&p->build.options, &cache);
    if (!machine_measure(&machine, p->threads, &options, p->build.diag))
        return diag_outcome(p->build.diag, false);
    print_table(p, &machine);
    return profile_write_trace(p);
}

/* Times the steps on the threads, and reports what was found. */
static Status profile_threads(Profiling *p) {
    timeline_open(&p->timeline, p->arena, p->steps, threads_count(p->threads),
                  p->program->plan->kernel_count);
    /* The first steps fill caches and wake the threads, so they are not timed. */
    for (int i = 0; i < WARM_UP_STEPS; i++) runner_step(p->runner, p->random.rows);
    runner_watch(p->runner, note_time, p);
    for (p->step = 0; p->step < p->steps; p->step++) runner_step(p->runner, p->random.rows);
    return report(p);
}

Status command_profile(const Options *options, Diagnostics *diag) {
    Profiling p = {.arena = arena_new(),
                   .steps = option_given(options, OPTION_steps) ? options->steps : STANDARD_STEPS};
    if (p.steps > MAX_STEPS) p.steps = MAX_STEPS;
    Status status;
    if (build_open(&p.build, options->operands[0], options, diag) && choose(&p) && compile(&p) &&
        prepare(&p))
        status = p.build.device ? profile_device(&p) : profile_threads(&p);
    else
        status = diag_outcome(diag, false);
    runner_free(p.runner);
    program_free(p.program);
    states_free(p.states);
    threads_free(p.threads);
    build_close(&p.build);
    arena_free(p.arena);
    return status;
}
