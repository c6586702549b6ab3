/* Internal to the MATMUL kernels: a product, its operands, its tiles. */
#ifndef MLC_CODEGEN_MATMUL_H
#define MLC_CODEGEN_MATMUL_H

#include "codegen/emit.h"

enum { MOST_ROWS = 8, MOST_VECTORS = 2 }; /* of a tile */

/* An operand as a matrix (line, k), where a line is a row or a column of the tile. */
typedef struct {
    Storage storage;
    Shape shape;              /* of one matrix as stored: rank 2 */
    int line_axis;            /* which stored axis is the line */
    int64_t lines, k, matrix; /* matrix: elements from one matrix of a batch to the next */
    LLVMValueRef base;
} Side;

typedef struct {
    Side rows, columns;
    Side packed; /* a copy of the columns of one block as a panel on the stack; without a base: not made */
    int64_t k, batch;
    int64_t tile_rows, tile_columns;
    int vectors; /* tile_columns / LANES */
    int64_t row_blocks, column_blocks;
    LLVMValueRef sums[MOST_ROWS][MOST_VECTORS]; /* stack slots that LLVM turns into registers */
    LLVMValueRef finished;                      /* the last tile computed: [vectors][tile_rows][LANES] */
    LLVMValueRef lists, counts, finite; /* matmul_zeros.c: stack slots; NULL: nothing is left out */
    LLVMValueRef *turned; /* [store]: values waiting to be transposed, [tile_rows][LANES]; NULL: stored at once */
} Matmul;

/* Which part of which product: matrix of the batch, first row, first column. */
typedef struct {
    LLVMValueRef matrix, row, column;
} Tile;

Matmul matmul_of(Emitter *e);

/* matmul_product.c: products on the way */
typedef struct {
    const Matmul *m;
    const Side *columns_side; /* the operand itself or its packed copy */
    LLVMValueRef columns;     /* pointer to the tile's first column at k = 0 */
    LLVMValueRef first_column;
    LLVMValueRef masks[MOST_VECTORS]; /* of columns that exist; NULL: all, or padded in memory */
    LLVMValueRef row[MOST_ROWS];      /* pointers to the rows at k = 0; NULL: `row_step` elements behind the one before */
    int64_t row_step;
    LLVMValueRef list, count; /* the k that are not left out, ascending; list NULL: all of them */
} Operands;
/* Sets up packing where it pays. */
void product_prepare(Emitter *e, Matmul *m);
/* `fresh`: the tile is the first one of its block of columns. */
Operands product_operands(Emitter *e, Matmul *m, const Tile *tile, LLVMValueRef fresh);
void product_clear(Emitter *e, const Matmul *m);
void product_find_rows(Emitter *e, const Matmul *m, LLVMValueRef first, Operands *operands);
/* k as a distance in elements from k = 0. */
LLVMValueRef product_k_offset(Emitter *e, const Side *side, LLVMValueRef k);
LLVMValueRef product_row_element(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef offset);
/* A vector of the tile's columns at k. */
LLVMValueRef product_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k);
/* sums += the products of entries from .. to - 1 of the operands' list */
void product_add_listed(Emitter *e, const Operands *operands, LLVMValueRef from, LLVMValueRef to);
/* sums += the products of k = from .. from + count - 1 */
void product_add(Emitter *e, const Operands *operands, LLVMValueRef from, int64_t count);
/* sums become the finished tile. */
void product_finish(Emitter *e, const Matmul *m);

/* matmul_zeros.c: leaving out zeros */

/* Before all tiles: lists what is not zero in every block of rows. */
void zeros_list(Emitter *e, Matmul *m);
/* Chooses the list of the tile's block of rows, or all k if the columns are not finite (looked at where `fresh`). */
void zeros_choose(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef fresh, Operands *operands);

/* matmul_epilogue.c: from the finished tile to memory */
LLVMValueRef *epilogue_turned_slots(Emitter *e, const Matmul *m);
/* One row of one vector of the finished tile. */
void epilogue_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef vector, LLVMValueRef row);
/* After all rows of a vector: what was put aside to be transposed. */
void epilogue_turn(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef vector);

#endif
