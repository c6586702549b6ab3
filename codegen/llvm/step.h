/* Internal to codegen/: the module of a whole plan. */
#ifndef MLC_CODEGEN_LLVM_STEP_H
#define MLC_CODEGEN_LLVM_STEP_H

#include "codegen/emit/emit.h"

/* What it has under the name STEP_KERNELS: an array with an entry a kernel of the plan. */
typedef struct {
    /* units [first, last) */
    void (*run)(const StepArgs *args, int64_t first, int64_t last, const int64_t *table);
    const int64_t *table;
    int64_t units;
} CompiledKernel;
#define STEP_KERNELS "kernels"
Emitter emitter_new(LLVMContextRef context, LLVMModuleRef module, const Target *target);
void emitter_close(Emitter *e);
void function_set_target(Emitter *e, LLVMValueRef function, const Target *target);
LLVMModuleRef step_module(LLVMContextRef context, const Plan *plan, const Target *target);

#endif
