/* The JIT: LLVM's ORC, one instance a program, so that programs can be compiled side by side and freed one by one. */
#include "codegen/jit.h"
#include "codegen/openblas.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>

static bool failed(LLVMErrorRef error, const char *what, Diagnostics *diag) {
    if (!error) return false;
    char *message = LLVMGetErrorMessage(error);
    diag_error(diag, STATUS_BUG, (Span){0}, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return true;
}

bool module_valid(LLVMModuleRef module, Diagnostics *diag) {
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

bool jit_open(const CodegenOptions *options, LLVMOrcLLJITRef *jit, Diagnostics *diag) {
    return target_runs_here(options, diag) && jit_new(options, jit, diag) && define_functions(*jit, diag);
}

bool jit_add(LLVMOrcLLJITRef jit, MakeModule *make, const void *what, const CodegenOptions *options, Diagnostics *diag) {
    Target target = {0};
    if (!target_open(&target, options, diag)) return target_close(&target), false;
    LLVMOrcThreadSafeContextRef shared = LLVMOrcCreateNewThreadSafeContext();
    LLVMModuleRef module = make(LLVMOrcThreadSafeContextGetContext(shared), &target, what);
    bool good = module_valid(module, diag) && target_optimize(&target, module, options->level, diag);
    LLVMOrcThreadSafeModuleRef guarded = LLVMOrcCreateNewThreadSafeModule(module, shared);
    LLVMOrcDisposeThreadSafeContext(shared);
    target_close(&target);
    if (!good) return LLVMOrcDisposeThreadSafeModule(guarded), false;
    LLVMErrorRef error = LLVMOrcLLJITAddLLVMIRModule(jit, LLVMOrcLLJITGetMainJITDylib(jit), guarded);
    return !failed(error, "the JIT does not take the module", diag);
}

void *jit_lookup(LLVMOrcLLJITRef jit, const char *name, Diagnostics *diag) {
    LLVMOrcExecutorAddress address = 0;
    return failed(LLVMOrcLLJITLookup(jit, &address, name), "the code cannot be made", diag) ? NULL : (void *)(uintptr_t)address;
}

void jit_close(LLVMOrcLLJITRef jit) {
    LLVMErrorRef error = jit ? LLVMOrcDisposeLLJIT(jit) : NULL;
    if (error) LLVMConsumeError(error);
}
