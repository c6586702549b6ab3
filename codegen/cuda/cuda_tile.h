/* How the threads of a GPU divide a kernel, and the tile of a product. Internal to codegen/cuda. */
#ifndef MLC_CODEGEN_CUDA_CUDA_TILE_H
#define MLC_CODEGEN_CUDA_CUDA_TILE_H

#include "codegen/emit/emit.h"
#include "ir/plan/kernel_work.h"

enum { CUDA_WARP = 32 }; /* threads that take each instruction together */
/* What a processor loads in a cycle from the second-level cache, in bytes, if all load at once. */
#define CUDA_CACHE_BYTES 22.0

/* Cycles that predictions count: an operation that waits for the one before, a load from the
 * second-level cache or from the memory of the block, and a barrier of the block. */
#define CUDA_CHAIN_CYCLES 4.0
#define CUDA_LOAD_CYCLES 300.0
#define CUDA_SHARED_CYCLES 32.0
#define CUDA_BARRIER_CYCLES 40.0

/* A tile of a product. down * across threads of a block multiply, each for rows * columns elements
 * that lie `down` rows and `across` columns apart. All threads of the block load and store. rows 0: no
 * tiles; a thread computes single elements, straight from the GPU's memory. */
typedef struct {
    int down, across; /* multiples of CUDA_WARP_DOWN and CUDA_WARP_ACROSS */
    int rows, columns;
    bool whole_rows; /* a block computes all tiles of some rows, one after the other */
} CudaTile;
enum {
    CUDA_WARP_DOWN = 4,
    CUDA_WARP_ACROSS = 8,
    CUDA_TILE_MAX = 4,       /* rows, or columns */
    CUDA_CHUNK_WORDS = 4096, /* numbers of both factors that a block holds at once */
    CUDA_TOGETHER = 4        /* elements that a thread loads and stores side by side */
};
/* How many elements of a product a thread loads and stores side by side: one if the kernel does so
 * much with each that several would not fit in registers. */
int cuda_together(const Kernel *kernel);
/* Rows and columns of the product in a tile. */
int64_t cuda_tile_height(const CudaTile *tile);
int64_t cuda_tile_width(const CudaTile *tile);
/* The steps of k whose operands a block holds at once: a multiple of four. */
int64_t cuda_tile_chunk(const CudaTile *tile, int64_t depth);

/* How the threads divide a kernel: a unit of work is an element for a thread, a row for LANES
 * threads, or a tile of a product for a block. */
typedef enum { CUDA_ELEMENTS, CUDA_ROWS, CUDA_TILES } CudaDivision;
typedef struct {
    CudaDivision division;
    int64_t units;
    uint32_t first_stage; /* it does not run before this stage of the step */
    /* of products; depth, the steps of k, is 0 else */
    CudaTile tile; /* of CUDA_TILES */
    int64_t batch, rows, columns, depth;
    int together; /* cuda_together */
    double end;   /* cycles of a thread for what becomes of an element's sum */
} CudaWork;
/* How many blocks have work, if there are so many. */
int64_t cuda_work_blocks(const CudaWork *work);

/* The tiles that a product can have: number 0, 1, ... */
uint32_t cuda_tile_count(void);
CudaTile cuda_tile(uint32_t number);
/* Divides a product, of which batch, rows, columns, depth and end are set, as the cost model
 * chooses. */
void cuda_divide_product(CudaWork *work);
/* How many units a product has by its tile. */
int64_t cuda_product_units(const CudaWork *work);
/* Cycles that a processor needs for a unit of CUDA_TILES. adders: see CodegenGpu. */
double cuda_unit_cycles(const CudaWork *work, int adders);
/* The cycles of a thread for an element of a kernel that has so many elements: its loads, and its
 * operations but for the `depth` multiply-adds of a product. */
double cuda_element_cycles(const KernelWork *work, int64_t elements, int64_t depth);
/* How often the block's memory answers for a step of k, and after the last one. */
double cuda_step_requests(const CudaTile *tile);
double cuda_end_requests(const CudaTile *tile);
/* Cycles of a step of k where a thread computes single elements. */
#define CUDA_SINGLE_CYCLES 16.0
/* Emits unit `number` of the product of the present kernel, which all threads of a block compute
 * together. */
void cuda_tiles(Emitter *e, const CudaTile *tile, LLVMValueRef number);

#endif
