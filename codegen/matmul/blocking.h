/* How a matrix product is cut into tiles, chunks and blocks of k. It depends on the shape, the
 * target and the tiles measured by `mlc tune`. No bit of the product depends on it. Internal to
 * codegen/. */
#ifndef MLC_CODEGEN_MATMUL_BLOCKING_H
#define MLC_CODEGEN_MATMUL_BLOCKING_H

#include "codegen/codegen.h"
#include "codegen/target/core.h"

enum { MAX_ROWS = 27, MAX_VECTORS = 8 }; /* of a tile */

/* Limits of the buffers on the stack, in elements of four bytes. */
enum {
    MAX_PACKED = 64 * 1024, /* a copy of rows, or of columns: a quarter of a second-level cache */
    /* rows of a chunk times columns: their sums are spilled between blocks of k */
    MAX_SPILLED = 128 * 1024,
    LIST_ENTRIES = 32 * 1024 /* of a chunk's lists of k, and of one more list */
};

typedef struct {
    /* of one matrix of the batch; rows and columns are those of tiles, which a swapped product
     * exchanges */
    int64_t rows, columns, k;
    bool many_registers; /* 32 vector registers of 16 lanes (AVX-512), not 16 of 8 */
    bool short_vectors;  /* 16 vector registers of 4 lanes */
    bool emulated;       /* multiply-adds, in double (codegen/emit/fused.c) */
    bool panels;         /* the columns are stored as panels */
    /* if rows are windows, how many consecutive ones lie at equal distances; else 0 */
    int64_t run;
    /* At every k, neighbouring rows are neighbours in memory. The rows of a chunk are then packed
     * for each block of k. */
    bool rows_adjoin;
    bool columns_are_windows; /* then a vector of columns crosses two cache lines */
    /* requested: for every block of rows, a list of the k with a row that is not zero */
    bool lists_zeros;
    /* the result is also stored in panels along the rows: a short piece for each column of a tile */
    bool transposes;
    /* the rows of a chunk, whole tiles; 0: chosen freely */
    int64_t group;
    int64_t threads; /* that divide the tiles */
    const Core *core;
} ProductSize;

typedef struct {
    int64_t tile_rows; /* the sums of tile_rows x vectors x LANES elements stay in registers */
    int vectors;
    int64_t row_blocks, column_blocks; /* tiles down and across */
    /* blocks of rows in a chunk (the last chunk may have fewer); the rows of a chunk stay in the
     * second-level cache */
    int64_t chunk, chunks;
    int64_t k_block, k_blocks; /* steps of k in a block (the last block may have fewer), likewise */
    bool lists_zeros;          /* requested, and the lists are not too long */
    int steps;                 /* of k in an iteration */
    bool wide;                 /* sums and a copy of the columns are double (matmul_wide.c) */
} Blocking;

/* The blocking that the cost model chooses. */
Blocking blocking_choose(const ProductSize *size);
/* Fills tiles[] with tiles to be measured, by ascending cost; the first is that of the cost model.
 * Returns how many. */
uint32_t blocking_tiles(const ProductSize *size, ProductTile tiles[MAX_PRODUCT_TILES]);
/* The blocking with one of these tiles, whose steps may be others. */
Blocking blocking_with(const ProductSize *size, ProductTile tile);
/* Whether an iteration may have so many steps. */
bool blocking_can_step(int steps);
/* All that the best tile depends on, for instance "64x512x784,panels". */
enum { PRODUCT_TEXT = 160 };
void blocking_text(const ProductSize *size, char text[PRODUCT_TEXT]);
/* Entries from one list of k to the next: a whole vector may be written after the last entry. */
int64_t blocking_list_room(const Blocking *blocking);

#endif
