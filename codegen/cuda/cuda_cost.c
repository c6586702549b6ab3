/* Chooses the tiles of products by a model of a large GPU. No bit depends on the choice. */
#include "codegen/cuda/cuda_tile.h"
#include "ir/base/integers.h"

#include <math.h>

/* The cycles of a step of k on a processor whose threads compute `rows` x `columns` elements each.
 * Multiply-adds, loads from the block's memory and loads from the second-level cache run side by
 * side, so the slowest of them counts. A multiply-add waits four cycles for the one before it in
 * the same sum. */
static double step_cycles(int rows, int columns) {
    const double schedulers = 4, warps = 8, latency = 4, side = 16;
    const double cache_bytes = 22; /* a cycle and processor, if all load at once */
    double adds = rows * columns * warps / schedulers,
           loads = (rows + 2 * columns) * warps / 4, /* a load brings four steps of k */
        cache = (rows + columns) * side * sizeof(float) / cache_bytes;
    return fmax(fmax(adds, latency), fmax(loads, cache));
}

CudaTile cuda_tile_of(int64_t batch, int64_t rows, int64_t columns, int64_t depth) {
    enum { SIDE = 16, PROCESSORS = 132, THREADS = PROCESSORS * 256 };
    const double single_cycles = 16, tile_overhead = 1500; /* first loads, epilogue */
    int64_t elements = batch * rows * columns;
    CudaTile best = {0, 0};
    double least =
        (double)divide_up(elements, THREADS) * (double)depth * single_cycles + tile_overhead;
    for (int r = 1; r <= CUDA_TILE_MAX; r *= 2)
        for (int c = 1; c <= CUDA_TILE_MAX; c *= 2) {
            int64_t tiles = batch * divide_up(rows, SIDE * r) * divide_up(columns, SIDE * c);
            double turns = (double)divide_up(tiles, PROCESSORS),
                   cycles = turns * ((double)depth * step_cycles(r, c) + tile_overhead);
            if (cycles >= least) continue;
            least = cycles;
            best = (CudaTile){r, c};
        }
    return best;
}
