/* A matrix product for code that computes single elements: two factors, and loops over k. Used by
 * the kernels of GPUs and of processors without vectors.
 *
 * If the left factor is a matrix of windows, its elements are read out of the image. The loop over
 * k is then three loops: over the axes of a window or, where k numbers the windows, over images,
 * rows and columns of windows. Otherwise the first two loops have one turn and are left out. */
#ifndef MLC_CODEGEN_MATMUL_ELEMENT_PRODUCT_H
#define MLC_CODEGEN_MATMUL_ELEMENT_PRODUCT_H

#include "codegen/emit/arithmetic.h"

enum { K_AXES = 3 };

/* A factor of the product: element (line, k), where a line is a row or a column of the product. */
typedef struct {
    NodeId node; /* what lies in memory: the matrix, or the image of the windows */
    Storage storage;
    Shape matrix;        /* one or several matrices as stored, [batch,rows,columns] */
    int line_axis;       /* 1: lines are the stored rows; 2: the columns */
    const Node *windows; /* NULL: the matrix is in memory */
} Factor;

/* A step of the loops over k; part: the index of each of them. */
typedef struct {
    LLVMValueRef k, part[K_AXES];
} FactorStep;

typedef struct {
    Factor left, right;
    int64_t batch, rows, columns;
    int64_t k_size[K_AXES]; /* the loops over k, the outermost first */
    LLVMTypeRef sum;        /* f32; i32 of bytes */
} ElementProduct;

/* The product of the kernel that is being emitted. */
ElementProduct product_of(const Emitter *e);
int64_t product_depth(const ElementProduct *p); /* the number of steps of k */
/* The step at a known k; computes the indices of its loops, if a factor needs them. */
FactorStep product_step(Emitter *e, const ElementProduct *p, LLVMValueRef k);
/* Begins the first `axes` loops over k, one inside of the other; returns the step in the
 * innermost. loops[i] is not set if the loop has one turn. */
FactorStep product_begin_loops(Emitter *e, const ElementProduct *p, int axes, Loop *loops);
DType factor_dtype(const Emitter *e, const Factor *factor);
/* The address of the element `offset` elements after the first one of what lies in memory. */
LLVMValueRef factor_address(Emitter *e, const Factor *factor, LLVMValueRef offset);
/* The address in the image of element (line, k) of a matrix of windows. */
LLVMValueRef window_address(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                            LLVMValueRef line, const FactorStep *step);
/* The element at an address; a byte as i32. */
LLVMValueRef factor_load(Emitter *e, const Factor *factor, LLVMValueRef address);
/* Element (line, k) of a factor; a byte as i32. */
LLVMValueRef factor_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                            LLVMValueRef line, const FactorStep *step);
/* sum + left * right, rounded once. */
LLVMValueRef product_accumulate(Emitter *e, const ElementProduct *p, LLVMValueRef left,
                                LLVMValueRef right, LLVMValueRef sum);

/* An element of the product. */
typedef struct {
    LLVMValueRef matrix, row, column;
} ProductElement;
/* What the kernel stores for an element: the epilogue of its finished sum. */
typedef struct {
    const Place *place;
    const LaneValue *values; /* [store_count] of the kernel */
} ProductValues;
/* Computes the epilogue. */
ProductValues product_values(Emitter *e, const ElementProduct *p, const ProductElement *at,
                             LLVMValueRef sum);
void product_store_values(Emitter *e, const ProductValues *values);
/* Both. */
void product_store(Emitter *e, const ElementProduct *p, const ProductElement *at, LLVMValueRef sum);

#endif
