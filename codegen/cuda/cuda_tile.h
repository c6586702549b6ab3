/* How the threads of a GPU divide a kernel, and the tile of a product. Internal to codegen/cuda. */
#ifndef MLC_CODEGEN_CUDA_CUDA_TILE_H
#define MLC_CODEGEN_CUDA_CUDA_TILE_H

#include "codegen/emit/emit.h"

enum { CUDA_WARP = 32 }; /* threads that take each instruction together */
/* What a processor loads in a cycle from the second-level cache, in bytes, if all load at once. */
#define CUDA_CACHE_BYTES 22.0

/* rows * columns elements of the product for each of the 16 * 16 threads of a block; 0: a thread
 * computes single elements, straight from the GPU's memory. */
typedef struct {
    int rows, columns;
} CudaTile;
enum {
    CUDA_TILE_MAX = 4, /* rows, or columns */
    CUDA_CHUNK = 32    /* steps of k whose operands a block holds */
};

/* How the threads divide a kernel: a unit of work is an element for a thread, a row for LANES
 * threads, or a tile of a product for a block. */
typedef enum { CUDA_ELEMENTS, CUDA_ROWS, CUDA_TILES } CudaDivision;
typedef struct {
    CudaDivision division;
    int64_t units;
    CudaTile tile; /* of CUDA_TILES */
    int64_t depth; /* of products: the steps of k; else 0 */
} CudaWork;
/* How many blocks have work, if there are so many. */
int64_t cuda_work_blocks(const CudaWork *work);

/* The tile that the cost model chooses for `batch` products of rows x columns elements, each a sum
 * of `depth` steps of k. */
CudaTile cuda_tile_of(int64_t batch, int64_t rows, int64_t columns, int64_t depth);
/* Cycles that a processor needs for a step of k of a tile, and besides for each tile: the first loads
 * and the epilogue. adders: see CodegenGpu. */
double cuda_step_cycles(const CudaTile *tile, int adders);
#define CUDA_TILE_CYCLES 1500.0
/* Cycles of a step of k where a thread computes single elements. */
#define CUDA_SINGLE_CYCLES 16.0
/* Emits tile `number` of the product of the present kernel, which all threads of a block compute
 * together; returns how many tiles there are. */
int64_t cuda_tiles(Emitter *e, const CudaTile *tile, LLVMValueRef number);

#endif
