/* A plan as an optimized module for GPUs, and its text. Internal to codegen/; tests look into the
 * module. */
#ifndef MLC_CODEGEN_CUDA_PTX_H
#define MLC_CODEGEN_CUDA_PTX_H

#include "codegen/target/target.h"

typedef struct {
    Target target;
    LLVMContextRef context;
    LLVMModuleRef module;
} PtxModule;

/* Makes and optimizes the module; false after reporting an error. ptx_close is due in any case. */
bool ptx_open(PtxModule *ptx, const Plan *plan, const CodegenOptions *options, Diagnostics *diag);
/* The text, which the caller frees by LLVMDisposeMemoryBuffer; NULL after reporting an error. */
LLVMMemoryBufferRef ptx_text(const PtxModule *ptx, Diagnostics *diag);
void ptx_close(PtxModule *ptx);

#endif
