/* mlc run: runs a graph on random inputs and prints its outputs and a hash of all their bits. Tests
 * compare the hashes of machine code and interpreter, of optimization levels and of thread
 * counts. */
#include "cli/session/build.h"
#include "ir/base/hash.h"
#include "cli/session/commands.h"
#include "cli/session/random_inputs.h"
#include "engine/build/device.h"
#include "engine/files/files.h"
#include "runtime/program/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 8 };

typedef struct {
    const Options *options;
    Diagnostics *diag;
    Arena *arena;
    Build build;             /* open if the operand is a model file */
    Compilation compilation; /* the backends ref and f64 interpret its graph */
    Program *program;
    RandomInputs random;
} Running;

/* -- the graph -- */

static Graph *open_graph(Running *running) {
    const Options *options = running->options;
    const char *path = options->operands[0];
    if (!path_ends_in(path, ".mdl")) {
        size_t length = 0;
        char *text = file_read(path, &length, STATUS_FILE, running->diag);
        Graph *graph = text ? graph_read(path, text, length, running->diag) : NULL;
        free(text);
        return graph;
    }
    if (!build_open(&running->build, path, options, running->diag)) return NULL;
    GraphKind kind = options_graph_kind(options);
    return model_graph(running->build.model, kind, model_batch(running->build.info, kind),
                       running->diag);
}

static bool skipped_passes(const Running *running, uint32_t *skip) {
    const OptionList *names = &running->options->skip;
    *skip = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        PassId pass;
        if (!build_find_pass(names->items[i], &pass, running->diag)) return false;
        if (pass_is_mandatory(pass)) {
            diag_error(running->diag, STATUS_USAGE, (Span){0},
                       "--skip: the pass '%s' cannot be left out", names->items[i]);
            return false;
        }
        *skip |= UINT32_C(1) << pass;
    }
    return true;
}

/* The last pass of each backend. Machine code needs all passes; the reference interpreter needs
 * those that define the meaning of a node. In double precision it evaluates functions and composite
 * nodes directly. */
static bool run_passes(Running *running, Graph *graph) {
    static const PassId last[] = {[CHOICE_backend_jit] = PASS_COUNT - 1,
                                  [CHOICE_backend_ref] = PASS_functions,
                                  [CHOICE_backend_f64] = PASS_gradients};
    PassOptions options = build_pass_options(&running->build.options);
    if (!skipped_passes(running, &options.skip)) {
        graph_free(graph);
        return false;
    }
    if (running->options->backend != CHOICE_backend_jit) options.level = 0;
    return passes_run(&running->compilation, graph, &options, last[running->options->backend]);
}

static bool make_program(Running *running) {
    Path cache;
    Build *build = &running->build;
    CodegenOptions options = build_codegen_options(&build->options, &cache);
    Compilation *compilation = &running->compilation;
    if (running->options->backend == CHOICE_backend_ref) {
        running->program = program_interpret(compilation->graph);
    } else if (build->device) {
        running->program = build_for_device(build->device, compilation->plan, compilation->graph,
                                            &options, running->diag);
        *compilation = (Compilation){0}; /* the program owns it now */
    } else {
        running->program =
            codegen_compile(compilation->plan, compilation->graph, &options, running->diag);
        *compilation = (Compilation){0}; /* the program owns it now */
    }
    return running->program != NULL;
}

/* A graph in a file of its own has no shares. */
static void make_inputs(Running *running, const Graph *graph) {
    const ModelInfo *info = running->build.info;
    random_inputs_make(&running->random, graph, info ? info->replicas : 1, running->options,
                       running->arena);
}

/* -- machine code and the reference interpreter, through the same interface -- */

/* Prints enough digits to identify the value. The sign of a NaN is not printed. */
static void print_real(double value, int digits) {
    if (isnan(value))
        fputs(" nan", stdout);
    else
        printf(" %.*g", digits, value);
}
static void print_i32(int32_t value) { printf(" %d", value); }

static void print_output(const char *name, const Node *node, const void *data) {
    char shape[SHAPE_TEXT];
    int64_t count = shape_elements(node->shape);
    printf("%s %s =", name, shape_text(node->dtype, node->shape, shape));
    for (int64_t i = 0; i < count && i < MAX_VALUES; i++) {
        if (node->dtype == DTYPE_F32) {
            float value = ((const float *)data)[i];
            print_real((double)value, 9);
        } else if (node->dtype == DTYPE_I32)
            print_i32(((const int32_t *)data)[i]);
        else
            print_i32(((const uint8_t *)data)[i]);
    }
    puts(count > MAX_VALUES ? " ..." : "");
}

/* The value of a state after the last step. A state that the program does not use keeps its initial
 * value. */
static void *final_state(const Running *running, const States *states, const Symbol *symbol) {
    void *data = arena_alloc(running->arena,
                             (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype));
    if (!states_read(states, symbol->name, data))
        state_initialize(symbol, (uint64_t)running->options->seed, data);
    return data;
}

static void print_results(const Running *running, const Runner *runner, const States *states) {
    const Graph *graph = running->program->graph;
    uint64_t hash = HASH64_START;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *node = graph_node(graph, graph->outputs[i].node);
        const void *data = runner_output(runner, graph->outputs[i].name);
        print_output(graph->outputs[i].name, node, data);
        hash = bits_hash(hash, node->dtype, data, shape_elements(node->shape));
    }
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_STATE) continue;
        hash = bits_hash(hash, symbol->dtype, final_state(running, states, symbol),
                         shape_elements(symbol->shape));
    }
    printf("hash %016llx\n", (unsigned long long)hash);
}

static bool run_steps(Running *running, States *states, Threads *threads) {
    Runner *runner = runner_new(running->program, states, threads, running->diag);
    if (!runner) return false;
    const Graph *graph = running->program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind != SYMBOL_STATE)
            runner_input(runner, graph->symbols[i].name, running->random.inputs[i]);
    for (int64_t step = 0; step < running->options->steps; step++) {
        random_inputs_step(&running->random, step);
        runner_step(runner, running->random.rows);
    }
    bool good = !runner_failed(runner);
    if (good) print_results(running, runner, states);
    runner_free(runner);
    return good;
}

static bool run_program(Running *running) {
    States *states = states_new();
    Threads *threads = threads_new(build_threads(&running->build.options));
    bool good = states_bind(states, running->program, running->diag);
    if (good) {
        states_initialize(states, (uint64_t)running->options->seed);
        make_inputs(running, running->program->graph);
        good = run_steps(running, states, threads);
    }
    threads_free(threads);
    states_free(states);
    return good;
}

/* -- the interpreter in double precision -- */

static void set_value(Interp *interp, const Symbol *symbol, const void *data, Arena *arena) {
    if (symbol->node == NODE_NONE) return;
    if (symbol->dtype == DTYPE_F32) {
        int64_t count = shape_elements(symbol->shape);
        const float *narrow = data;
        double *wide = ARENA_ARRAY(arena, double, count);
        for (int64_t i = 0; i < count; i++) wide[i] = (double)narrow[i];
        data = wide;
    }
    memcpy(interp_value(interp, symbol->node), data, interp_value_bytes(interp, symbol->node));
}

static void set_states(const Running *running, Interp *interp, const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_STATE) continue;
        void *data = arena_alloc(running->arena, (size_t)shape_elements(symbol->shape) *
                                                     dtype_bytes(symbol->dtype));
        state_initialize(symbol, (uint64_t)running->options->seed, data);
        set_value(interp, symbol, data, running->arena);
    }
}

static void set_inputs(Running *running, Interp *interp, const Graph *graph) {
    Arena *scratch = arena_new();
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE) continue;
        set_value(
            interp, symbol,
            random_inputs_gather(&running->random, symbol, running->random.inputs[i], scratch),
            scratch);
    }
    arena_free(scratch);
}

static void print_wide(const char *name, const Node *node, const void *data) {
    char shape[SHAPE_TEXT];
    int64_t count = shape_elements(node->shape);
    if (node->dtype != DTYPE_F32) {
        print_output(name, node, data);
        return;
    }
    printf("%s %s =", name, shape_text(node->dtype, node->shape, shape));
    for (int64_t i = 0; i < count && i < MAX_VALUES; i++) print_real(((const double *)data)[i], 17);
    puts(count > MAX_VALUES ? " ..." : "");
}

static bool run_wide(Running *running) {
    const Graph *graph = running->compilation.graph;
    Interp *interp = interp_new(graph, INTERP_F64);
    make_inputs(running, graph);
    set_states(running, interp, graph);
    for (int64_t step = 0; step < running->options->steps; step++) {
        if (step) interp_update(interp);
        random_inputs_step(&running->random, step);
        set_inputs(running, interp, graph);
        interp_run(interp);
    }
    for (uint32_t i = 0; i < graph->output_count; i++)
        print_wide(graph->outputs[i].name, graph_node(graph, graph->outputs[i].node),
                   interp_value(interp, graph->outputs[i].node));
    interp_free(interp);
    return true;
}

/* -- the command -- */

/* The interpreters run on the CPU. */
static bool open_device(Running *running) {
    const Options *options = running->options;
    running->build.options = options_build(options);
    running->build.diag = running->diag;
    if (options->backend == CHOICE_backend_jit || !options->device)
        return build_open_device(&running->build);
    diag_error(running->diag, STATUS_USAGE, (Span){0},
               "--device and --backend exclude each other: interpreters run on the CPU");
    return false;
}

Status command_run(const Options *given, Diagnostics *diag) {
    Running running = {.options = given, .diag = diag, .arena = arena_new()};
    Graph *graph = open_graph(&running);
    bool good = graph && open_device(&running);
    if (!good) graph_free(graph);
    if (good) build_print_choice(&running.build);
    good = good && run_passes(&running, graph);
    if (good)
        good = given->backend == CHOICE_backend_f64
                   ? run_wide(&running)
                   : make_program(&running) && run_program(&running);
    program_free(running.program);
    compilation_free(&running.compilation);
    build_close(&running.build);
    arena_free(running.arena);
    return diag_outcome(diag, good);
}
