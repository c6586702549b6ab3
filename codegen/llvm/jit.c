/* The JIT: an instance of LLVM's ORC for each program, so that programs are compiled in parallel
 * and freed one by one. */
#include "codegen/llvm/jit.h"
#include "codegen/llvm/openblas.h"
#include "ir/base/boundary.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <llvm-c/Error.h>
#include <string.h>

/* Ends the process, or the call inside of a boundary, as for missing memory, if the system gave no
 * memory for code. LLVM returns the reason as text only. */
static void check_refusal(const char *message) {
    static const int reasons[] = {ENOMEM, EACCES, EPERM, EAGAIN};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(message, strerror(reasons[i])) && !boundary_foreign_refused())
            memory_exhausted(0, "code that may run");
}

static bool failed(LLVMErrorRef error, const char *what, Diagnostics *diag) {
    if (!error) return false;
    char *message = LLVMGetErrorMessage(error);
    check_refusal(message);
    diag_error(diag, STATUS_BUG, (Span){0}, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return true;
}

/* The JIT reports causes here; the error that it returns names only the missing symbol. */
static void on_cause(void *context, LLVMErrorRef error) {
    char *message = LLVMGetErrorMessage(error);
    (void)context;
    check_refusal(message);
    if (!boundary_active()) fprintf(stderr, "mlc: the JIT: %s\n", message);
    LLVMDisposeErrorMessage(message);
}

static bool jit_new(const CodegenOptions *options, LLVMOrcLLJITRef *jit, Diagnostics *diag) {
    Target target = {0};
    if (!target_open(&target, options, diag)) return target_close(&target), false;
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    /* the builder takes over the machine */
    LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
        builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(target.machine));
    target.machine = NULL;
    target_close(&target);
    if (failed(LLVMOrcCreateLLJIT(jit, builder), "the JIT does not start", diag)) return false;
    LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(*jit), on_cause, NULL);
    return true;
}

bool jit_open(const CodegenOptions *options, LLVMMemoryBufferRef object, LLVMOrcLLJITRef *jit,
              Diagnostics *diag) {
    if (!jit_new(options, jit, diag)) return LLVMDisposeMemoryBuffer(object), false;
    /* generated code calls one function of mlc: the bridge to OpenBLAS */
    LLVMJITEvaluatedSymbol symbol = {.Address = (LLVMOrcExecutorAddress)(uintptr_t)openblas_gemm,
                                     .Flags = {LLVMJITSymbolGenericFlagsExported, 0}};
    LLVMOrcCSymbolMapPair pair = {LLVMOrcLLJITMangleAndIntern(*jit, "openblas_gemm"), symbol};
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(*jit);
    LLVMErrorRef error = LLVMOrcJITDylibDefine(library, LLVMOrcAbsoluteSymbols(&pair, 1));
    if (failed(error, "a function cannot be defined", diag))
        return LLVMDisposeMemoryBuffer(object), false;
    error = LLVMOrcLLJITAddObjectFile(*jit, library, object);
    return !failed(error, "the JIT does not take the code", diag);
}

void *jit_lookup(LLVMOrcLLJITRef jit, const char *name, Diagnostics *diag) {
    LLVMOrcExecutorAddress address = 0;
    return failed(LLVMOrcLLJITLookup(jit, &address, name), "the code cannot be made", diag)
               ? NULL
               : (void *)(uintptr_t)address;
}

void jit_close(LLVMOrcLLJITRef jit) {
    if (!jit || !boundary_foreign_begin(false)) return;
    LLVMErrorRef error = LLVMOrcDisposeLLJIT(jit);
    if (error) LLVMConsumeError(error);
    boundary_foreign_end();
}
