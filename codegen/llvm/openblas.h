/* The bridge to OpenBLAS, which the generated code calls for KERNEL_GEMM. Internal to codegen/. */
#ifndef MLC_CODEGEN_LLVM_OPENBLAS_H
#define MLC_CODEGEN_LLVM_OPENBLAS_H

#include "codegen/emit/emit.h"

/* Loads the library; false after reporting that it is missing. To be called before code that calls
 * the bridge runs. */
bool openblas_open(Diagnostics *diag);

/* For each matrix of a batch: c[m, n] = op(a) op(b), all row-major without gaps. */
typedef struct {
    int64_t batch, m, n, k;
    int32_t transpose_a, transpose_b;
} GemmShape;
void openblas_gemm(const GemmShape *shape, const float *a, const float *b, float *c);

/* Emits a call of the bridge for the whole product, which is a single unit. */
int64_t kernel_gemm(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
