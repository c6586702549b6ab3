/* A matrix product as the kernels of a GPU see it: two factors, and loops over k. Internal to
 * codegen/cuda. */
#ifndef MLC_CODEGEN_CUDA_CUDA_PRODUCT_H
#define MLC_CODEGEN_CUDA_CUDA_PRODUCT_H

#include "codegen/cuda/cuda.h"

enum { K_AXES = 3 };

/* A factor of the product: element (line, k), where a line is a row or a column of the product. */
typedef struct {
    NodeId node; /* what lies in memory: the matrix, or the image of the windows */
    Storage storage;
    Shape matrix;        /* one or several matrices as stored, [batch,rows,columns] */
    int line_axis;       /* 1: lines are the stored rows; 2: the columns */
    const Node *windows; /* NULL: the matrix is in memory */
} Factor;

/* A step of the loop over k; part: the indices of its loops. */
typedef struct {
    LLVMValueRef k, part[K_AXES];
} FactorStep;

typedef struct {
    Factor left, right;
    int64_t batch, rows, columns;
    int64_t k_size[K_AXES]; /* the loops over k, the outermost first */
    LLVMTypeRef sum;        /* f32; i32 of bytes */
} CudaProduct;

/* Of the kernel that is being emitted. */
CudaProduct product_of(const Emitter *e);
int64_t product_depth(const CudaProduct *p); /* the number of steps of k */
/* k is known; computes its parts, if the factors need them. */
FactorStep product_step(Emitter *e, const CudaProduct *p, LLVMValueRef k);
/* Element (line, k) of a factor; a byte as i32. */
LLVMValueRef factor_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                            LLVMValueRef line, const FactorStep *step);
/* sum + left * right, rounded once. */
LLVMValueRef product_accumulate(Emitter *e, const CudaProduct *p, LLVMValueRef left,
                                LLVMValueRef right, LLVMValueRef sum);

/* An element of the product. */
typedef struct {
    LLVMValueRef matrix, row, column;
} ProductElement;
/* Computes the epilogue of the finished sum, and stores. */
void product_store(Emitter *e, const CudaProduct *p, const ProductElement *at, LLVMValueRef sum);

#endif
