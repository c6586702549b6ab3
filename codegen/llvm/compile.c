/* Makes a program from a plan: compiles its object code and links it by the JIT. */
#include "codegen/llvm/step.h"
#include "codegen/llvm/jit.h"
#include "codegen/llvm/object.h"
#include "codegen/llvm/openblas.h"
#include "ir/base/boundary.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The memory that a program owns. */
typedef struct {
    LLVMOrcLLJITRef jit;
    const CompiledKernel *code;
    ProgramKernel *kernels;
    Plan *plan;
    Graph *graph;
    size_t *output_offsets;
    bool cached; /* the code was in the cache */
    /* for a plan with constants in tables: */
    StepTables tables;
    CompiledKernel *filled; /* the code with the tables of this program */
    int64_t *filled_tables;
} Compiled;

static LLVMModuleRef make_step(LLVMContextRef context, const Target *target, const void *what) {
    Compiled *compiled = *(Compiled *const *)what;
    return step_module(context, compiled->plan, target,
                       compiled->tables.arena ? &compiled->tables : NULL);
}

/* Copies the tables of the code and puts the constants of the program's own graph into them. */
static void fill_tables(Compiled *compiled, const CompiledKernel *code, const StepTables *tables) {
    size_t kernels = compiled->plan->kernel_count, total = 0;
    for (size_t k = 0; k < kernels; k++) total += tables->sizes[k];
    compiled->filled = memory_array(kernels, sizeof *compiled->filled, "a program");
    compiled->filled_tables =
        memory_array(total + 1, sizeof *compiled->filled_tables, "the constants of a program");
    int64_t *table = compiled->filled_tables;
    const struct TableConstant *constant = tables->constants, *end = constant + tables->count;
    for (size_t k = 0; k < kernels; table += tables->sizes[k++]) {
        memcpy(table, code[k].table, tables->sizes[k] * sizeof *table);
        for (; constant != end && constant->kernel == k; constant++)
            table[constant->entry] = graph_node(compiled->graph, constant->node)->attrs.value.bits;
        compiled->filled[k] = (CompiledKernel){code[k].run, table, code[k].units};
    }
    compiled->code = compiled->filled;
}

static bool compile(Compiled *compiled, const CodegenOptions *options, Diagnostics *diag) {
    const Plan *plan = compiled->plan;
    bool uses_gemm = false, has_tables = false;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        uses_gemm |= plan->kernels[k].kind == KERNEL_GEMM;
    for (NodeId id = 1; id < plan->graph->node_count; id++)
        has_tables |= plan->storage[id].kind == STORAGE_TABLE;
    if (uses_gemm && !openblas_open(diag)) return false;
    if (has_tables) compiled->tables.arena = arena_new();
    Object object = object_make(make_step, &compiled, options, diag);
    compiled->cached = object.cached;
    if (!object.buffer || !jit_open(options, object.buffer, &compiled->jit, diag)) return false;
    compiled->code = jit_lookup(compiled->jit, STEP_KERNELS, diag);
    if (compiled->code && compiled->tables.arena)
        fill_tables(compiled, compiled->code, &compiled->tables);
    return compiled->code != NULL;
}

static void run(const Program *program, const StepArgs *args, uint32_t kernel, int64_t first,
                int64_t last) {
    const CompiledKernel *code = &((const Compiled *)program->context)->code[kernel];
    code->run(args, first, last, code->table);
}

static void release_jit(void *jit, size_t size) {
    (void)size;
    jit_close(jit);
}

static void compiled_free(Compiled *compiled) {
    boundary_drop(compiled->jit, release_jit);
    jit_close(compiled->jit);
    arena_free(compiled->tables.arena);
    free(compiled->filled);
    free(compiled->filled_tables);
    free(compiled->output_offsets);
    free(compiled->kernels);
    plan_free(compiled->plan);
    graph_free(compiled->graph);
    free(compiled);
}

static void destroy(Program *program) {
    compiled_free(program->context);
    free(program);
}

static void describe_kernels(Compiled *compiled) {
    const Plan *plan = compiled->plan;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        compiled->kernels[k] = (ProgramKernel){
            .units = compiled->code[k].units,
            .threads = kernel->max_threads,
            .pieces = kernel->pieces,
            .barrier_before = kernel->barrier_before,
            .replicated = kernel->replicated,
            .reads_replicated = kernel->reads_replicated,
            .groups = kernel->by_rows ? (uint32_t)(kernel->space.dim[0] / PLAN_ROWS) : 0};
    }
}

static Program *program_of(Compiled *compiled, double seconds) {
    Program *program = MEMORY_NEW(Program, "a program");
    for (uint32_t k = 0; k < compiled->plan->kernel_count; k++)
        for (uint32_t i = 0; i < compiled->plan->kernels[k].store_count; i++) {
            Storage to = compiled->plan->kernels[k].stores[i].to;
            if (to.kind == STORAGE_OUTPUT) compiled->output_offsets[to.index] = to.offset;
        }
    describe_kernels(compiled);
    *program = (Program){.graph = compiled->graph,
                         .states = compiled->plan->states,
                         .state_count = compiled->plan->state_count,
                         .slab_bytes = compiled->plan->slab_bytes,
                         .output_bytes = compiled->plan->output_bytes,
                         .thread_slab_bytes = compiled->plan->thread_slab_bytes,
                         .output_offsets = compiled->output_offsets,
                         .plan = compiled->plan,
                         .compile_seconds = seconds,
                         .kernels = compiled->kernels,
                         .kernel_count = compiled->plan->kernel_count,
                         .run = run,
                         .destroy = destroy,
                         .context = compiled};
    return program;
}

static Compiled *compiled_new(Plan *plan, Graph *graph) {
    Compiled *compiled = MEMORY_NEW(Compiled, "a program");
    compiled->plan = plan;
    compiled->graph = graph;
    compiled->output_offsets =
        memory_array(graph->output_count, sizeof *compiled->output_offsets, "a program");
    compiled->kernels = memory_array(plan->kernel_count, sizeof *compiled->kernels, "a program");
    return compiled;
}

/* Inside of a boundary, the boundary holds the JIT. If LLVM got no memory, this ends the call. */
static bool compile_held(Compiled *compiled, const CodegenOptions *options, Diagnostics *diag) {
    if (!boundary_foreign_begin(true)) memory_exhausted(0, "compiling");
    bool good = compile(compiled, options, diag);
    bool refused = boundary_foreign_end();
    if (compiled->jit) boundary_hold(compiled->jit, 0, release_jit);
    if (refused) memory_exhausted(0, "compiling");
    return good;
}

Program *codegen_compile(Plan *plan, Graph *graph, const CodegenOptions *options,
                         Diagnostics *diag) {
    double start = seconds_now();
    Compiled *compiled = compiled_new(plan, graph);
    bool good = compile_held(compiled, options, diag);
    Program *program = good ? program_of(compiled, seconds_now() - start) : NULL;
    if (!program)
        compiled_free(compiled);
    else if (options->verbose) {
        double seconds = program->compile_seconds;
        const char *source = compiled->cached ? "code from the cache" : "compiled";
        fprintf(stderr, "mlc: %s: %u kernels, %s in %.0f ms\n", compiled->graph->name,
                compiled->plan->kernel_count, source, 1e3 * seconds);
    }
    return program;
}

Program *codegen_share(const Program *program, Plan *plan, Graph *graph) {
    const Compiled *from = program->context;
    const Plan *old = from->plan;
    bool *differs =
        memory_array(old->graph->node_count, sizeof *differs, "the constants of a plan");
    bool serves = plan_same_code(old, plan, differs);
    /* constants that differ must be in the tables of the code */
    for (NodeId id = 1; serves && id < old->graph->node_count; id++)
        serves = !differs[id] || old->storage[id].kind == STORAGE_TABLE;
    free(differs);
    if (!serves) return NULL;
    Compiled *compiled = compiled_new(plan, graph);
    compiled->code = from->code;
    if (from->tables.arena) fill_tables(compiled, from->code, &from->tables);
    return program_of(compiled, 0);
}

const char *codegen_version(void) { return "LLVM " MLC_LLVM_VERSION; }
