/* The interpreter as a program: plain layouts, one kernel of one unit. */
#include "ir/interp/interp.h"
#include "ir/base/integers.h"
#include "ir/interp/program.h"

#include <string.h>

typedef struct {
    Arena *arena;
    Interp *interp;
} Context;

enum { OUTPUT_ALIGNMENT = 64 };

static const Symbol *state_symbol(const Program *program, uint32_t i) {
    return &program->graph->symbols[program->states[i].symbol];
}

static void read_inputs(const Program *program, Interp *interp, const StepArgs *args) {
    const Graph *graph = program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE || !symbol->node) continue;
        if (symbol->kind == SYMBOL_BATCH) {
            /* Copies the rows of this batch, one after the other. */
            const void *data = args->inputs[i];
            const int32_t *rows = args->rows;
            size_t bytes = interp_value_bytes(interp, symbol->node),
                   row = bytes / (size_t)symbol->shape.dim[0];
            char *value = interp_value(interp, symbol->node);
            for (int64_t j = 0; j < symbol->shape.dim[0]; j++)
                memcpy(value + (size_t)j * row, (const char *)data + (size_t)rows[j] * row, row);
        } else
            memcpy(interp_value(interp, symbol->node), args->inputs[i],
                   interp_value_bytes(interp, symbol->node));
    }
}

static void write_results(const Program *program, Interp *interp, const StepArgs *args) {
    for (uint32_t i = 0; i < program->state_count; i++) {
        NodeId update = state_symbol(program, i)->update;
        if (update)
            memcpy(args->states[i], interp_value(interp, update),
                   interp_value_bytes(interp, update));
    }
    for (uint32_t i = 0; i < program->graph->output_count; i++) {
        NodeId node = program->graph->outputs[i].node;
        memcpy((char *)args->outputs + program->output_offsets[i], interp_value(interp, node),
               interp_value_bytes(interp, node));
    }
}

static void run(const Program *program, const StepArgs *args, uint32_t kernel, int64_t first,
                int64_t last) {
    (void)kernel, (void)first, (void)last; /* there is only one unit */
    Interp *interp = ((Context *)program->context)->interp;
    read_inputs(program, interp, args);
    for (uint32_t i = 0; i < program->state_count; i++) {
        NodeId node = state_symbol(program, i)->node;
        memcpy(interp_value(interp, node), args->states[i], interp_value_bytes(interp, node));
    }
    interp_run(interp);
    write_results(program, interp, args);
}

static void destroy(Program *program) {
    Context *context = program->context;
    interp_free(context->interp);
    arena_free(context->arena);
}

void program_free(Program *program) {
    if (program) program->destroy(program);
}

static void add_states(Program *program, Arena *arena) {
    const Graph *graph = program->graph;
    PlanState *states = ARENA_ARRAY(arena, PlanState, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_STATE && graph->symbols[i].node)
            states[program->state_count++] =
                (PlanState){.symbol = i, .layout = {.kind = LAYOUT_PLAIN}};
    program->states = states;
}

Program *program_interpret(const Graph *graph) {
    Arena *arena = arena_new();
    Context *context = ARENA_NEW(arena, Context);
    Program *program = ARENA_NEW(arena, Program);
    *context = (Context){arena, interp_new(graph, INTERP_F32)};
    static const ProgramKernel whole = {.units = 1, .threads = 1, .pieces = 1};
    *program = (Program){.graph = graph,
                         .kernels = &whole,
                         .kernel_count = 1,
                         .run = run,
                         .destroy = destroy,
                         .context = context};
    add_states(program, arena);
    size_t *offsets = ARENA_ARRAY(arena, size_t, program->graph->output_count);
    for (uint32_t i = 0; i < program->graph->output_count; i++) {
        offsets[i] = program->output_bytes;
        size_t bytes = interp_value_bytes(context->interp, program->graph->outputs[i].node);
        program->output_bytes += (size_t)round_up((int64_t)bytes, OUTPUT_ALIGNMENT);
    }
    program->output_offsets = offsets;
    return program;
}
