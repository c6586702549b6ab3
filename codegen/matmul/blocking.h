/* Internal to codegen/: how a matrix product is cut, by its shape and the target alone. No bit of the product depends on it. */
#ifndef MLC_CODEGEN_MATMUL_BLOCKING_H
#define MLC_CODEGEN_MATMUL_BLOCKING_H

#include <stdbool.h>
#include <stdint.h>

enum { MOST_ROWS = 27, MOST_VECTORS = 8 }; /* of a tile */

/* What lies on the stack, in elements of four bytes. */
enum {
    MOST_PACKED = 64 * 1024, /* a copy of rows, or of columns: a quarter of a second-level cache */
    MOST_SAVED = 128 * 1024, /* rows of a chunk times columns, where their sums are put aside between blocks of k */
    LIST_ENTRIES = 32 * 1024 /* of a chunk's lists of zeros; and of one more list */
};

typedef struct {
    int64_t rows, columns, k; /* of one matrix of the batch, seen as its tiles lie */
    bool many_registers;      /* 32 vector registers of 16 lanes, not 16 of 8 */
    bool panels;              /* the columns lie in memory as panels of a tile's width */
    int64_t run;              /* rows that are windows lie in equal steps for that many; 0: no windows */
    bool rows_adjoin;         /* at every k, the rows are neighbours in memory: they are copied for a block of k */
    bool windows_across;      /* the columns are windows: their vectors cross the borders of cache lines */
    bool lists_zeros;         /* every block of rows has a list of the k that count */
    int64_t group;            /* that many rows make a chunk, which tiles must not leave; 0: as many as are good */
} ProductSize;

typedef struct {
    int64_t tile_rows; /* sums of tile_rows x vectors x 16 stay in registers */
    int vectors;
    int64_t row_blocks, column_blocks; /* tiles down and across */
    int64_t chunk, chunks;     /* blocks of rows in a chunk (the last chunk may have fewer): a chunk's rows stay in the cache */
    int64_t k_block, k_blocks; /* steps of k in a block (the last block may have fewer), likewise */
    bool lists_zeros;          /* if it was asked for and the lists are not too long */
} Blocking;

Blocking blocking_choose(const ProductSize *size);
/* Entries from one list of zeros to the next: as many as are written at once may be written behind its last one. */
int64_t blocking_list_room(const Blocking *blocking);

#endif
