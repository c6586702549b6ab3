/* Internal to the MATMUL kernels: a product, its operands, its tiles.
 *
 * kernel_matmul.c walks over tiles and blocks of k and knows nothing of addresses; matmul_product.c knows where operands lie and
 * nothing of blocks; matmul_pack.c copies into panels what would be read in long steps. An operand that is addressed otherwise
 * needs a way to read it there: product_row_element (a row of the tile at k), product_rows_at (neighbouring rows at k),
 * product_row_steps (a row at neighbouring k) and product_columns (neighbouring columns at k). k counts from 0 to Matmul.k whatever
 * block it is in, and sums are exact between blocks: every element is acc = fma(a, b, acc) for k ascending. */
#ifndef MLC_CODEGEN_MATMUL_MATMUL_H
#define MLC_CODEGEN_MATMUL_MATMUL_H

#include "codegen/matmul/blocking.h"
#include "codegen/emit/emit.h"

enum { WALK_AXES = 3 };

/* Elements that lie in steps along several axes, counted in row-major order: neighbouring axes whose steps go on are one. */
typedef struct {
    int count;
    int64_t size[WALK_AXES], step[WALK_AXES];
} Walked;

/* Elements of a walk that lie in equal steps: along its last axis. */
typedef struct {
    int64_t size, step;
} Run;

/* An operand as a matrix (line, k), where a line is a row or a column of the tile. */
typedef struct {
    Storage storage;
    Shape shape;              /* of one matrix as stored: rank 2 */
    int line_axis;            /* which stored axis is the line */
    int64_t lines, k, matrix; /* matrix: elements from one matrix of a batch to the next */
    bool windows;             /* read out of a picture: (line, k) lies at the sum of both walks */
    Walked line_walk, k_walk;
    LLVMValueRef base;
} Side;

/* Columns are counted so that those of a run, which are neighbours, begin with a whole vector: a run of windows takes room for whole
 * vectors, and what is left of the last one does not exist. Other columns are one run without a rest. */
typedef struct {
    int64_t run, room, count; /* count: of all columns, with the room that is left between runs */
} Across;

typedef struct {
    Side rows, columns;
    Across across;
    /* Copies on the stack for one block of k: of a chunk's rows as panels of a tile's rows, of a tile's columns as one panel.
     * Without a base: not made. */
    Side packed_rows, packed_columns;
    int64_t k, batch, tile_columns;
    Blocking blocking;
    int together; /* vectors of a row that the epilogue finishes together: they lie side by side */
    LLVMValueRef sums[MOST_ROWS][MOST_VECTORS]; /* stack slots that LLVM turns into registers */
    LLVMValueRef finished;                      /* the last tile computed: [vectors][tile_rows][LANES] */
    LLVMValueRef saved;                         /* [chunk] such sums between blocks of k; NULL: there is one block */
    LLVMValueRef lists, counts, marks, finite;  /* matmul_zeros.c: stack slots */
    LLVMValueRef *turned; /* [store]: values waiting to be transposed, [together][tile_rows][LANES]; NULL: stored at once */
} Matmul;

/* Which part of which product: matrix of the batch, first row, first column; its number among the blocks of rows of its chunk. */
typedef struct {
    LLVMValueRef matrix, row, column, chunk, in_chunk, chunk_size;
} Tile;

/* What is to be done at a tile, all i1. */
typedef struct {
    LLVMValueRef new_columns;             /* the first tile of a block of columns and of k for this thread */
    LLVMValueRef new_rows;                /* the first tile of a chunk of rows and of k for this thread: */
    LLVMValueRef first_block, row_blocks; /* it needs these blocks of the chunk's rows: the first one's number, and how many */
} Fresh;

/* Steps from .. from + count - 1 of k. */
typedef struct {
    LLVMValueRef from, count;
} Steps;

Matmul matmul_of(Emitter *e);

/* matmul_columns.c: columns by number */
Across columns_across(const Side *columns);
/* Which lanes exist of the vector that begins at a column, and how many of them; NULL: all. */
LLVMValueRef columns_mask(Emitter *e, const Matmul *m, LLVMValueRef column);
LLVMValueRef columns_there(Emitter *e, const Matmul *m, LLVMValueRef column);
/* Which of the side's lines it is. */
LLVMValueRef columns_line(Emitter *e, const Matmul *m, LLVMValueRef column);
/* The place of the lanes from a column on, of one row of one matrix, in the product's shape, whose leading axes are walked as one. */
Place *columns_place(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row, LLVMValueRef column);
Run walked_run(const Walked *walk);

/* matmul_product.c: products on the way */
typedef struct {
    const Matmul *m;
    const Side *rows_side, *columns_side; /* the operand itself or its packed copy */
    LLVMValueRef columns; /* pointer to the tile's first column at k = 0 (which a packed block of k need not hold) */
    LLVMValueRef column[MOST_VECTORS]; /* the same for each vector where columns are windows: in several runs */
    LLVMValueRef first_column;
    /* What is asked for at k = 0 of the next tile's columns, and of the rows of the next tile; NULL: nothing. */
    LLVMValueRef ahead, rows_ahead;
    int64_t ahead_step;               /* elements from one k to the next */
    LLVMValueRef masks[MOST_VECTORS]; /* of columns that exist; NULL: all, or padded in memory */
    LLVMValueRef row[MOST_ROWS];      /* pointers to the rows at k = 0; NULL: `row_step` elements behind the one before */
    int64_t row_step;
    LLVMValueRef rows_mask;   /* of rows that exist; NULL: all of a tile */
    LLVMValueRef list, count; /* the k that are not left out, ascending, from the block's first on; list NULL: all of them */
} Operands;
/* The matrices of the tile; sides have their bases from then on. */
void product_open(Emitter *e, Matmul *m, const Tile *tile);
/* The operands as they lie, or their packed copies, which hold these steps. */
void product_find_rows(Emitter *e, const Tile *tile, Operands *operands);
void product_find_columns(Emitter *e, const Tile *tile, Operands *operands);
void product_find_packed_rows(Emitter *e, LLVMValueRef in_chunk, Steps steps, Operands *operands);
void product_find_packed_columns(Emitter *e, Steps steps, Operands *operands);
bool product_rows_adjoin(const Matmul *m);    /* neighbouring rows are neighbours in memory, neighbouring k are not */
bool product_columns_adjoin(const Matmul *m); /* neighbouring columns are neighbours in memory */
bool product_columns_packed_already(const Matmul *m);
/* k as a distance in elements from k = 0. */
LLVMValueRef product_k_offset(Emitter *e, const Side *side, LLVMValueRef k);
LLVMValueRef product_row_element(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef offset);
/* LANES steps of a row from k on, and all rows of the tile at k: NULL if they are not neighbours in memory. */
LLVMValueRef product_row_steps(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef k);
LLVMValueRef product_rows_at(Emitter *e, const Operands *operands, LLVMValueRef k);
/* LANES rows from the tile's first on, at k; rows adjoin and are not packed. mask: those that exist, or NULL. The next LANES rows are
 * fetched: they lie in another line, often one that another core has written, and are looked at next. */
LLVMValueRef product_lanes_at(Emitter *e, const Operands *operands, LLVMValueRef k, LLVMValueRef mask);
/* <width x i1>: which rows of the tile that begins at `row` exist, and of those behind it none; NULL: all of every tile. */
LLVMValueRef product_rows_mask(Emitter *e, const Matmul *m, LLVMValueRef row, unsigned width);
/* A vector of the tile's columns at k. */
LLVMValueRef product_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k);
/* sums += the products of the steps, or of these entries of the operands' list, whose k count from `origin`. */
void product_add(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin);
void product_clear(Emitter *e, const Matmul *m);
/* Sums of the number-th tile of a chunk, put aside and taken up again. */
void product_save(Emitter *e, const Matmul *m, LLVMValueRef number);
void product_resume(Emitter *e, const Matmul *m, LLVMValueRef number);
/* sums become the finished tile. */
void product_finish(Emitter *e, const Matmul *m);

/* matmul_pack.c: copies */

/* Reserves room where packing pays. */
void pack_reserve(Emitter *e, Matmul *m);
/* The tile's operands; copies what is new to be copied. */
Operands pack_operands(Emitter *e, Matmul *m, const Tile *tile, Fresh fresh, Steps steps);

/* matmul_zeros.c: leaving out zeros */

void zeros_reserve(Emitter *e, Matmul *m);
/* Lists the chunk's blocks of rows where they are new; then chooses the list of the tile's block, or all k if the columns are not
 * finite (looked at where they are new). */
void zeros_choose(Emitter *e, const Matmul *m, const Tile *tile, Fresh fresh, Steps steps, Operands *operands);

/* matmul_epilogue.c: from the finished tile to memory */
LLVMValueRef *epilogue_turned_slots(Emitter *e, const Matmul *m);
/* One row of one group of the finished tile's vectors, `together` in number. */
void epilogue_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group, LLVMValueRef row);
/* Fetches from memory what such a row will update when the tile is finished. */
void epilogue_fetch(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group, LLVMValueRef row);
/* After all rows of a group: what was put aside to be transposed. */
void epilogue_turn(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group);

/* Emits the body of the current function for units [first, last) of a product; returns how many units there are. */
int64_t kernel_matmul(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
