/* Internal to codegen/: the bridge to OpenBLAS, which the generated code calls for KERNEL_GEMM. */
#ifndef MLC_CODEGEN_LLVM_OPENBLAS_H
#define MLC_CODEGEN_LLVM_OPENBLAS_H

#include "codegen/emit/emit.h"

/* Loads the library; false after reporting that it is missing. Must come before code that calls the bridge runs. */
bool openblas_open(Diagnostics *diag);

/* One product of a batch after the other: c[m, n] = op(a) op(b), all row-major without gaps. */
typedef struct {
    int64_t batch, m, n, k;
    int32_t transpose_a, transpose_b;
} GemmShape;
void openblas_gemm(const GemmShape *shape, const float *a, const float *b, float *c);

/* Emits the body of the current function: a call of the bridge for products [first, last). Returns how many there are. */
int64_t kernel_gemm(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
