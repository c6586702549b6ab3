/* Chooses the tiles of products by a model of a large GPU. No bit depends on the choice. */
#include "codegen/cuda/cuda_tile.h"
#include "codegen/cuda/ptx.h"
#include "ir/base/integers.h"

#include <math.h>

int64_t cuda_work_blocks(const CudaWork *work) {
    static const int64_t threads[] = {
        [CUDA_ELEMENTS] = 1, [CUDA_ROWS] = LANES, [CUDA_TILES] = DEVICE_BLOCK};
    return divide_up(work->units * threads[work->division], DEVICE_BLOCK);
}

/* The most of what multiply-adds, loads from the block's memory and loads from the second-level cache
 * take. A multiply-add waits four cycles for the one before of the same sum. */
double cuda_step_cycles(const CudaTile *tile, int adders) {
    const double warps = 8, latency = 4, side = 16;
    double elements = tile->rows * tile->columns, lines = tile->rows + tile->columns;
    double adds = elements * warps * (double)CUDA_WARP / adders,
           loads = (tile->rows + 2 * tile->columns) * warps / 4, /* a load has four steps of k */
        cache = lines * side * sizeof(float) / CUDA_CACHE_BYTES;
    return fmax(fmax(adds, latency), fmax(loads, cache));
}

CudaTile cuda_tile_of(int64_t batch, int64_t rows, int64_t columns, int64_t depth) {
    enum { SIDE = 16, PROCESSORS = 132, THREADS = PROCESSORS * 256, ADDERS = 128 };
    int64_t elements = batch * rows * columns;
    CudaTile best = {0, 0};
    double least = (double)divide_up(elements, THREADS) * (double)depth * CUDA_SINGLE_CYCLES +
                   CUDA_TILE_CYCLES;
    for (int r = 1; r <= CUDA_TILE_MAX; r *= 2)
        for (int c = 1; c <= CUDA_TILE_MAX; c *= 2) {
            CudaTile tile = {r, c};
            int64_t tiles = batch * divide_up(rows, SIDE * r) * divide_up(columns, SIDE * c);
            double turns = (double)divide_up(tiles, PROCESSORS),
                   cycles =
                       turns * ((double)depth * cuda_step_cycles(&tile, ADDERS) + CUDA_TILE_CYCLES);
            if (cycles >= least) continue;
            least = cycles;
            best = tile;
        }
    return best;
}
