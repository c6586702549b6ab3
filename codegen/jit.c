/* From a plan to a program: build the module, let LLVM optimize it, hand it to the JIT. */
#include "codegen/emit.h"
#include "codegen/openblas.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void StepFunction(const StepArgs *args, int thread, int threads);

/* What a program keeps alive. */
typedef struct {
    LLVMOrcLLJITRef jit;
    StepFunction *step;
    Plan *plan;
    Graph *graph;
    size_t *output_offsets;
} Compiled;

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool failed(LLVMErrorRef error, const char *what, Diagnostics *diag) {
    if (!error) return false;
    char *message = LLVMGetErrorMessage(error);
    diag_error(diag, STATUS_BUG, (Span){0}, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return true;
}

static bool module_valid(LLVMModuleRef module, Diagnostics *diag) {
    char *message = NULL;
    bool broken = LLVMVerifyModule(module, LLVMReturnStatusAction, &message);
    if (broken) diag_error(diag, STATUS_BUG, (Span){0}, "the generated code is not valid: %s", message);
    LLVMDisposeMessage(message);
    return !broken;
}

static bool jit_new(const CodegenOptions *options, LLVMOrcLLJITRef *jit, Diagnostics *diag) {
    Target target = {0};
    if (!target_open(&target, options, diag)) return target_close(&target), false;
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    /* the builder takes over the machine */
    LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(target.machine));
    target.machine = NULL;
    target_close(&target);
    return !failed(LLVMOrcCreateLLJIT(jit, builder), "the JIT does not start", diag);
}

/* The generated code calls one function of ours: the bridge to OpenBLAS. */
static bool define_functions(LLVMOrcLLJITRef jit, Diagnostics *diag) {
    LLVMJITEvaluatedSymbol symbol = {.Address = (LLVMOrcExecutorAddress)(uintptr_t)openblas_gemm, .Flags = {LLVMJITSymbolGenericFlagsExported, 0}};
    LLVMOrcCSymbolMapPair pair = {LLVMOrcLLJITMangleAndIntern(jit, "openblas_gemm"), symbol};
    LLVMOrcMaterializationUnitRef unit = LLVMOrcAbsoluteSymbols(&pair, 1);
    return !failed(LLVMOrcJITDylibDefine(LLVMOrcLLJITGetMainJITDylib(jit), unit), "a function cannot be defined", diag);
}

static bool add_module(LLVMOrcLLJITRef jit, const Plan *plan, const CodegenOptions *options, Diagnostics *diag) {
    Target target = {0};
    if (!target_open(&target, options, diag)) return target_close(&target), false;
    LLVMOrcThreadSafeContextRef shared = LLVMOrcCreateNewThreadSafeContext();
    LLVMModuleRef module = step_module(LLVMOrcThreadSafeContextGetContext(shared), plan, &target);
    bool good = module_valid(module, diag) && target_optimize(&target, module, options->level, diag);
    LLVMOrcThreadSafeModuleRef guarded = LLVMOrcCreateNewThreadSafeModule(module, shared);
    LLVMOrcDisposeThreadSafeContext(shared);
    target_close(&target);
    if (!good) return LLVMOrcDisposeThreadSafeModule(guarded), false;
    LLVMErrorRef error = LLVMOrcLLJITAddLLVMIRModule(jit, LLVMOrcLLJITGetMainJITDylib(jit), guarded);
    return !failed(error, "the JIT does not take the module", diag);
}

static bool uses_gemm(const Plan *plan) {
    for (uint32_t i = 0; i < plan->kernel_count; i++)
        if (plan->kernels[i].kind == KERNEL_GEMM) return true;
    return false;
}

static bool compile(Compiled *compiled, const CodegenOptions *options, Diagnostics *diag) {
    if (uses_gemm(compiled->plan) && !openblas_open(diag)) return false;
    if (!jit_new(options, &compiled->jit, diag) || !define_functions(compiled->jit, diag)) return false;
    if (!add_module(compiled->jit, compiled->plan, options, diag)) return false;
    LLVMOrcExecutorAddress address = 0;
    if (failed(LLVMOrcLLJITLookup(compiled->jit, &address, "step"), "the code cannot be made", diag)) return false;
    compiled->step = (StepFunction *)(uintptr_t)address;
    return true;
}

static void run(const Program *program, const StepArgs *args, int thread, int threads) {
    ((const Compiled *)program->context)->step(args, thread, threads);
}

static void compiled_free(Compiled *compiled) {
    if (compiled->jit) {
        LLVMErrorRef error = LLVMOrcDisposeLLJIT(compiled->jit);
        if (error) LLVMConsumeError(error);
    }
    free(compiled->output_offsets);
    plan_free(compiled->plan);
    graph_free(compiled->graph);
    free(compiled);
}

static void destroy(Program *program) {
    compiled_free(program->context);
    free(program);
}

static void find_outputs(Compiled *compiled) {
    for (uint32_t k = 0; k < compiled->plan->kernel_count; k++)
        for (uint32_t i = 0; i < compiled->plan->kernels[k].store_count; i++) {
            Storage to = compiled->plan->kernels[k].stores[i].to;
            if (to.kind == STORAGE_OUTPUT) compiled->output_offsets[to.index] = to.offset;
        }
}

static Program *program_of(Compiled *compiled, double seconds) {
    Program *program = calloc(1, sizeof *program);
    if (!program) return NULL;
    find_outputs(compiled);
    *program = (Program){.graph = compiled->graph,
                         .states = compiled->plan->states,
                         .state_count = compiled->plan->state_count,
                         .slab_bytes = compiled->plan->slab_bytes,
                         .output_bytes = compiled->plan->output_bytes,
                         .output_offsets = compiled->output_offsets,
                         .compile_seconds = seconds,
                         .run = run,
                         .destroy = destroy,
                         .context = compiled};
    return program;
}

Program *codegen_compile(Plan *plan, Graph *graph, const CodegenOptions *options, Diagnostics *diag) {
    double start = seconds_now();
    Compiled *compiled = calloc(1, sizeof *compiled);
    if (!compiled) abort();
    compiled->plan = plan;
    compiled->graph = graph;
    compiled->output_offsets = calloc(graph->output_count + 1, sizeof *compiled->output_offsets);
    Program *program = compiled->output_offsets && compile(compiled, options, diag) ? program_of(compiled, seconds_now() - start) : NULL;
    if (!program) compiled_free(compiled);
    else if (options->verbose)
        fprintf(stderr, "mlc: %s: %u kernels, LLVM %.0f ms\n", graph->name, plan->kernel_count, 1e3 * program->compile_seconds);
    return program;
}

static bool print_text(const Target *target, LLVMModuleRef module, CodegenText text, FILE *out, Diagnostics *diag) {
    char *message = NULL;
    if (text == CODEGEN_LLVM) {
        message = LLVMPrintModuleToString(module);
        fputs(message, out);
        LLVMDisposeMessage(message);
        return true;
    }
    LLVMMemoryBufferRef buffer;
    if (LLVMTargetMachineEmitToMemoryBuffer(target->machine, module, LLVMAssemblyFile, &message, &buffer)) {
        diag_error(diag, STATUS_BUG, (Span){0}, "no assembly: %s", message);
        LLVMDisposeMessage(message);
        return false;
    }
    fwrite(LLVMGetBufferStart(buffer), 1, LLVMGetBufferSize(buffer), out);
    LLVMDisposeMemoryBuffer(buffer);
    return true;
}

bool codegen_print(const Plan *plan, const CodegenOptions *options, CodegenText text, FILE *out, Diagnostics *diag) {
    Target target = {0};
    if (!target_open(&target, options, diag)) return target_close(&target), false;
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = step_module(context, plan, &target);
    bool good = module_valid(module, diag) && target_optimize(&target, module, options->level, diag) && print_text(&target, module, text, out, diag);
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
    target_close(&target);
    return good;
}

const char *codegen_version(void) { return "LLVM " MLC_LLVM_VERSION; }
