/* Chooses the tiles of products by a model of a large GPU. No bit depends on the choice.
 *
 * A processor has four schedulers, each of which begins one instruction of a warp in a cycle, and one
 * memory of the block, which answers one request of 128 bytes in a cycle. */
#include "codegen/cuda/cuda_tile.h"
#include "codegen/cuda/ptx.h"
#include "ir/base/integers.h"

#include <math.h>

static const double SCHEDULERS = 4;
static const double WARP = CUDA_WARP; /* threads */
/* What a thread runs to copy a number from the GPU's memory to that of the block. */
static const double COPY_INSTRUCTIONS = 6;

/* A division or a square root is about so many operations, each of which waits for the one before. */
static const double SLOW_OPERATIONS = 10;

int64_t cuda_work_blocks(const CudaWork *work) {
    static const int64_t threads[] = {
        [CUDA_ELEMENTS] = 1, [CUDA_ROWS] = LANES, [CUDA_TILES] = DEVICE_BLOCK};
    return divide_up(work->units * threads[work->division], DEVICE_BLOCK);
}

int cuda_together(const Kernel *kernel) {
    enum { MANY_NODES = 24 };
    return kernel->node_count > MANY_NODES ? 1 : CUDA_TOGETHER;
}

int64_t cuda_tile_height(const CudaTile *tile) { return (int64_t)tile->down * tile->rows; }
int64_t cuda_tile_width(const CudaTile *tile) { return (int64_t)tile->across * tile->columns; }

int64_t cuda_tile_chunk(const CudaTile *tile, int64_t depth) {
    enum { MULTIPLE = 4, MOST = 256 };
    int64_t room = CUDA_CHUNK_WORDS / (cuda_tile_height(tile) + cuda_tile_width(tile)), chunk = 1;
    while (2 * chunk <= min_i64(room, MOST)) chunk *= 2;
    return round_up(min_i64(depth, chunk), MULTIPLE);
}

static double tile_warps(const CudaTile *tile) { return (double)tile->down * tile->across / WARP; }

static double tile_lines(const CudaTile *tile) {
    return (double)(cuda_tile_height(tile) + cuda_tile_width(tile));
}

double cuda_element_cycles(const KernelWork *work, int64_t elements, int64_t depth) {
    double slow = work->divisions + work->roots,
           operations = work->operations + slow * (SLOW_OPERATIONS - 1);
    return CUDA_LOAD_CYCLES +
           (operations / (double)elements - 2 * (double)depth) * CUDA_CHAIN_CYCLES;
}

/* A load of four numbers for each thread of a warp returns 512 bytes: four requests. It takes two
 * if threads n and n xor 1 always have the same address, or threads n and n xor 2
 * (forums.developer.nvidia.com/t/77228, by NVIDIA, for compute capability 7.x). cuda_tiles numbers
 * the threads of a warp so that all its loads are of this kind. A warp stores 32 numbers with one
 * request. */
double cuda_step_requests(const CudaTile *tile) {
    const double requests_of_load = 2, steps_of_load = 4;
    return tile_warps(tile) * (tile->rows + tile->columns) * requests_of_load / steps_of_load +
           tile_lines(tile) / WARP;
}

/* Each sum is stored and loaded once. */
double cuda_end_requests(const CudaTile *tile) {
    return 2.0 * (double)(cuda_tile_height(tile) * cuda_tile_width(tile)) / WARP;
}

/* The cycles of a step of k: the most of what multiply-adds, all instructions, the memory of the
 * block and the second-level cache take. */
static double step_cycles(const CudaTile *tile, int adders) {
    double warps = ceil(tile_warps(tile) / SCHEDULERS), lines = tile_lines(tile),
           sums = tile->rows * tile->columns, loads = (tile->rows + tile->columns) / 4.0;
    double adds = warps * sums * WARP * SCHEDULERS / adders,
           issues = warps * (sums + loads) + lines * COPY_INSTRUCTIONS / WARP / SCHEDULERS,
           cache = lines * sizeof(float) / CUDA_CACHE_BYTES;
    return fmax(fmax(fmax(adds, issues), fmax(cuda_step_requests(tile), cache)), CUDA_CHAIN_CYCLES);
}

/* The cycles of what becomes of the sums. Each thread has several elements, some of them side by
 * side. */
static double end_cycles(const CudaWork *work) {
    const CudaTile *tile = &work->tile;
    int64_t elements = cuda_tile_height(tile) * cuda_tile_width(tile),
            turns = divide_up(elements, (int64_t)DEVICE_BLOCK * work->together);
    return 2 * CUDA_BARRIER_CYCLES + cuda_end_requests(tile) + (double)turns * work->end;
}

/* While a chunk is added, the next one is loaded. */
static double tile_cycles(const CudaWork *work, int adders) {
    const CudaTile *tile = &work->tile;
    int64_t chunk = cuda_tile_chunk(tile, work->depth), chunks = divide_up(work->depth, chunk);
    double step = step_cycles(tile, adders), whole = fmax((double)chunk * step, CUDA_LOAD_CYCLES),
           last = (double)(work->depth - (chunks - 1) * chunk) * step;
    return CUDA_LOAD_CYCLES + (double)chunks * (2 * CUDA_BARRIER_CYCLES + CUDA_SHARED_CYCLES) +
           (double)(chunks - 1) * whole + last + end_cycles(work);
}

static int64_t tiles_across(const CudaWork *work) {
    return divide_up(work->columns, cuda_tile_width(&work->tile));
}

double cuda_unit_cycles(const CudaWork *work, int adders) {
    return tile_cycles(work, adders) * (double)(work->tile.whole_rows ? tiles_across(work) : 1);
}

int64_t cuda_product_units(const CudaWork *work) {
    int64_t rows = work->batch * divide_up(work->rows, cuda_tile_height(&work->tile));
    return work->tile.whole_rows ? rows : rows * tiles_across(work);
}

static const struct {
    int down, across;
} tile_threads[] = {{16, 16}, {8, 16}, {16, 8}, {8, 8}, {4, 8}};
enum { TILE_SIDES = 3 /* 1, 2, 4 */, TILE_THREADS = sizeof tile_threads / sizeof *tile_threads };

uint32_t cuda_tile_count(void) { return TILE_THREADS * TILE_SIDES * TILE_SIDES; }

CudaTile cuda_tile(uint32_t number) {
    uint32_t threads = number / (TILE_SIDES * TILE_SIDES);
    return (CudaTile){.down = tile_threads[threads].down,
                      .across = tile_threads[threads].across,
                      .rows = 1 << number / TILE_SIDES % TILE_SIDES,
                      .columns = 1 << number % TILE_SIDES};
}

void cuda_divide_product(CudaWork *work) {
    enum { PROCESSORS = 132, THREADS = PROCESSORS * DEVICE_BLOCK, ADDERS = 128 };
    CudaTile best = {0};
    work->units = work->batch * work->rows * work->columns;
    double least = (double)divide_up(work->units, THREADS) *
                   (CUDA_LOAD_CYCLES + (double)work->depth * CUDA_SINGLE_CYCLES + work->end);
    for (uint32_t i = 0; i < cuda_tile_count(); i++) {
        work->tile = cuda_tile(i);
        double turns = (double)divide_up(cuda_product_units(work), PROCESSORS),
               cycles = turns * cuda_unit_cycles(work, ADDERS);
        if (cycles >= least) continue;
        least = cycles;
        best = work->tile;
    }
    work->tile = best;
    work->division = best.rows ? CUDA_TILES : CUDA_ELEMENTS;
    if (best.rows) work->units = cuda_product_units(work);
}
