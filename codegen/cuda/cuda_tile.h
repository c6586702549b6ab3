/* The tile of a product on a GPU. Internal to codegen/cuda. */
#ifndef MLC_CODEGEN_CUDA_CUDA_TILE_H
#define MLC_CODEGEN_CUDA_CUDA_TILE_H

#include "codegen/emit/emit.h"

/* rows * columns elements of the product for each of the 16 * 16 threads of a block; 0: a thread
 * computes single elements, straight from the GPU's memory. */
typedef struct {
    int rows, columns;
} CudaTile;
enum {
    CUDA_TILE_MAX = 4, /* rows, or columns */
    CUDA_CHUNK = 32    /* steps of k whose operands a block holds */
};

/* The tile that the cost model chooses for `batch` products of rows x columns elements, each a sum
 * of `depth` steps of k. */
CudaTile cuda_tile_of(int64_t batch, int64_t rows, int64_t columns, int64_t depth);
/* Emits tile `number` of the product of the present kernel, which all threads of a block compute
 * together; returns how many tiles there are. */
int64_t cuda_tiles(Emitter *e, const CudaTile *tile, LLVMValueRef number);

#endif
