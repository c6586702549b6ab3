/* A plan as an optimized module for GPUs, and its text. Internal to codegen/; tests look into the
 * module. */
#ifndef MLC_CODEGEN_CUDA_PTX_H
#define MLC_CODEGEN_CUDA_PTX_H

#include "codegen/cuda/cuda_tile.h"
#include "codegen/target/target.h"

typedef struct {
    Target target;
    LLVMContextRef context;
    LLVMModuleRef module;
} PtxModule;

/* Makes the module. work: as cuda_module has it. false after reporting an error. ptx_close is due in
 * any case. */
bool ptx_emit(PtxModule *ptx, const Plan *plan, const CodegenOptions *options, CudaWork *work,
              Diagnostics *diag);
/* Makes and optimizes the module; false after reporting an error. ptx_close is due in any case. */
bool ptx_open(PtxModule *ptx, const Plan *plan, const CodegenOptions *options, Diagnostics *diag);
/* The text, which the caller frees by LLVMDisposeMemoryBuffer; NULL after reporting an error. */
LLVMMemoryBufferRef ptx_text(const PtxModule *ptx, Diagnostics *diag);
void ptx_close(PtxModule *ptx);

#endif
