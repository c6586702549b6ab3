/* The MATMUL kernels: a product, its operands, its tiles. Internal to codegen/.
 *
 * Every element of a product is acc = fma(a, b, acc) for k ascending from 0. No tile, block or copy
 * changes that order: they decide only which elements are computed side by side. Sums are exact
 * between blocks of k. Sums of bytes are whole numbers: acc = acc + a * b.
 *
 *   kernel_matmul.c    the loop over tiles and blocks of k; it knows nothing of addresses
 *   matmul_operands.c  the addresses of operands, and their loads; it knows nothing of blocks
 *   matmul_product.c   the multiply-adds of a tile
 *   matmul_bytes.c     the multiply-adds of a tile of bytes
 *   matmul_pack.c      copies operands that would be read in long steps into panels
 *   matmul_zeros.c     lists the k of each block of rows for which a row is not zero
 *   matmul_columns.c   the position of a column by its number
 *   matmul_elements.c  the whole kernel for processors without vectors; elements.h has its parts
 *   matmul_images.c    the whole kernel for windows and few filters, along the images of the batch
 *   matmul_pairs.c     the whole kernel for the gradients of the weights of a few filters
 *   matmul_lanes.c     the same for a batch of many matrices
 *   element_product.c  elements of factors, for these kernels and for those of a GPU
 *   matmul_epilogue.c  computes and stores the values of a finished tile
 *   matmul_epilogue_bytes.c  transposes bytes that it stores
 *
 * An operand that is addressed in a new way needs a case in four functions:
 *   operands_row_element   a row of the tile at k
 *   operands_rows_at       neighbouring rows at k
 *   operands_row_steps     a row at neighbouring k
 *   operands_columns       neighbouring columns at k */
#ifndef MLC_CODEGEN_MATMUL_MATMUL_H
#define MLC_CODEGEN_MATMUL_MATMUL_H

#include "codegen/matmul/blocking.h"
#include "codegen/emit/arithmetic.h"

enum { WALK_AXES = 3 };

/* A strided walk. For instance, the pixels of a 3 x 3 window are the walk with size {3, 3} and step
 * {row, 1}. Element i, counted in row-major order over the axes, has the offset sum of index *
 * step. Axes with a common step are merged. */
typedef struct {
    int count;
    int64_t size[WALK_AXES], step[WALK_AXES];
} StridedWalk;

/* The elements of a walk along its last axis, which have equal steps. */
typedef struct {
    int64_t size, step;
} Run;

/* A matrix operand: element (line, k), where a line is a row or a column of the tile. */
typedef struct {
    Storage storage;
    DType dtype;              /* f32, or u8 or i8 */
    Shape shape;              /* of one matrix as stored: rank 2 */
    int line_axis;            /* which stored axis is the line */
    int64_t lines, k, matrix; /* matrix: elements from one matrix of a batch to the next */
    /* read from an image: the offset of (line, k) is the sum of those in line_walk and k_walk */
    bool windows;
    StridedWalk line_walk, k_walk;
    int64_t elements; /* of all images */
    LLVMValueRef base;
} MatrixOperand;

/* The numbering of columns. Columns that are windows form runs: the windows of one row of the
 * image, which are neighbours in memory. Every run begins at a multiple of LANES, so that no vector
 * crosses two runs: a run of 30 columns has room for 32 numbers, of which the last two do not
 * exist. Other columns are a single run. */
typedef struct {
    int64_t run, room, count; /* columns of a run; numbers that a run takes; numbers of all runs */
} ColumnSpan;

/* A slow operation of the epilogue: a division or a square root. level: how many others it waits
 * for. */
typedef struct {
    NodeId node;
    int level;
} SlowOp;

enum { MAX_SLOW_LEVELS = 2, MAX_SLOW_OPS = 4, MAX_TOGETHER = 2 };

/* The slow operations that start before others of the row, each level with a part of the next
 * tile's product after it. levels 0: there are none. */
typedef struct {
    SlowOp ops[MAX_SLOW_OPS];
    uint32_t count;
    int levels;
} SlowOps;

typedef struct {
    MatrixOperand rows, columns;
    ColumnSpan span;
    SlowOps slow;
    /* Copies on the stack for one block of k: a chunk's rows as panels of tile_rows, and a tile's
     * columns as one panel. base NULL: there is no copy. */
    MatrixOperand packed_rows, packed_columns;
    /* of bytes, on the stack: i32 [k][tile_rows], the rows at k and, in the upper half, at k + 1;
     * NULL: there is no such copy */
    LLVMValueRef row_words;
    /* of blocking.wide, on the stack: the tile's columns as double, [k][LANES]; i1: one of them is
     * tiny; the sums (matmul_wide.c) */
    LLVMValueRef wide_columns, wide_tiny, wide_sums[WIDE_PAIRS];
    /* likewise: what fused_wide has found; i1: the sums must be computed again */
    LLVMValueRef wide_found, wide_again;
    int64_t k, batch, tile_columns;
    LLVMTypeRef sum; /* f32; i32 of a product of bytes */
    Blocking blocking;
    /* the epilogue finishes that many vectors of a row at once: 2 if the number of vectors is even,
     * else 1 */
    int together;
    LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]; /* stack slots that LLVM turns into registers */
    LLVMValueRef finished;                    /* the finished tile: [vectors][tile_rows][LANES] */
    /* the sums of a chunk group between blocks of k; NULL: there is one block */
    LLVMValueRef spilled;
    LLVMValueRef lists, counts, marks, finite; /* matmul_zeros.c: stack slots */
    /* [store]: a buffer of rows to be transposed, [together][transposed_rows][LANES]; NULL: rows
     * are stored directly */
    LLVMValueRef *transposed;
} Matmul;

/* A tile. matrix: its matrix of the batch; row, column: its first ones; in_chunk: the number of its
 * block of rows in its chunk; chunk_size: how many blocks of rows the chunk has. */
typedef struct {
    LLVMValueRef matrix, row, column, chunk, in_chunk, chunk_size;
} Tile;

/* The pack plan of a tile: the data to be copied, listed or checked before it. */
typedef struct {
    /* i1: these columns, in this block of k, are new to the thread */
    LLVMValueRef new_columns;
    LLVMValueRef new_rows; /* i1: so are the chunk's rows */
    /* of the new rows: the blocks of rows in the chunk that the thread will need */
    LLVMValueRef first_block, row_blocks;
} PackPlan;

/* Steps from .. from + count - 1 of k. */
typedef struct {
    LLVMValueRef from, count;
} Steps;

/* -- matmul_columns.c -- */
ColumnSpan column_span(const MatrixOperand *columns);
/* Of the vector that begins at a column: the mask of its lanes that exist (NULL: all), and their
 * number. */
LLVMValueRef columns_mask(Emitter *e, const Matmul *m, LLVMValueRef column);
LLVMValueRef columns_there(Emitter *e, const Matmul *m, LLVMValueRef column);
/* The operand's line that has this number as a column. */
LLVMValueRef columns_line(Emitter *e, const Matmul *m, LLVMValueRef column);
/* The place, in the product's shape with its leading axes merged, of the lanes from a column on in
 * a row of a matrix. */
Place *columns_place(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row,
                     LLVMValueRef column);

/* -- matmul_operands.c -- */
/* A pointer moved by so many elements: of a sum, of an operand. */
static inline LLVMValueRef pointer_plus(Emitter *e, LLVMValueRef pointer, int64_t elements) {
    return elements ? element_pointer(e, pointer, DTYPE_F32, const_i64(e, elements)) : pointer;
}
static inline LLVMValueRef operand_plus(Emitter *e, const MatrixOperand *operand,
                                        LLVMValueRef pointer, int64_t elements) {
    return elements ? element_pointer(e, pointer, operand->dtype, const_i64(e, elements)) : pointer;
}

Run walk_run(const StridedWalk *walk);
/* The distance of element `number` from the walk's first. */
LLVMValueRef walk_offset(Emitter *e, const StridedWalk *walk, LLVMValueRef number);

/* The addresses of the operands of a tile. */
typedef struct {
    const Matmul *m;
    const MatrixOperand *row_operand, *column_operand; /* the operand itself or its packed copy */
    /* pointer to the tile's first column at k = 0, which a packed block of k need not hold */
    LLVMValueRef columns;
    LLVMValueRef column[MAX_VECTORS]; /* where columns are windows: that pointer for each vector */
    LLVMValueRef first_column;
    /* prefetched: this tile's part of the next panel of columns at k = 0; NULL: nothing */
    LLVMValueRef next_panel;
    int64_t next_panel_step;         /* elements from one k to the next in it */
    LLVMValueRef next_rows;          /* prefetched: the rows of the next tile; NULL: nothing */
    LLVMValueRef masks[MAX_VECTORS]; /* of columns that exist; NULL: all, or padded in memory */
    /* i1, of columns that are windows: all lanes may be read at all k, as those that do not exist
     * fall on other elements of the images; NULL: masked loads cost no more than others */
    LLVMValueRef readable[MAX_VECTORS];
    /* pointers to the rows at k = 0; NULL: row_step elements after the row before */
    LLVMValueRef row[MAX_ROWS];
    int64_t row_step;
    LLVMValueRef rows_mask; /* of rows that exist; NULL: all of a tile */
    /* the k for which a row is not zero, ascending, relative to the first of the block; list NULL:
     * all k */
    LLVMValueRef list, count;
    /* of blocking.wide: the copy of the columns at k = 0, and whether one is tiny; NULL: the columns
     * are read as they are */
    LLVMValueRef wide, tiny;
} Operands;

/* Sets the bases of both operands for the matrix of the tile. */
void operands_open(Emitter *e, Matmul *m, const Tile *tile);
/* Set the addresses of a tile's operand: in memory, or in the packed copy, which holds these
 * steps. */
void operands_find_rows(Emitter *e, const Tile *tile, Operands *operands);
void operands_find_columns(Emitter *e, const Tile *tile, Operands *operands);
void operands_find_packed_rows(Emitter *e, LLVMValueRef in_chunk, Steps steps, Operands *operands);
void operands_find_packed_columns(Emitter *e, Steps steps, Operands *operands);
/* Whether neighbouring rows are neighbours in memory, and neighbouring k are not. */
bool operands_rows_adjoin(const Matmul *m);
bool operands_columns_adjoin(const Matmul *m); /* likewise of columns */
bool operands_columns_packed_already(const Matmul *m);
/* The distance in elements from k = 0 to k. */
LLVMValueRef operand_k_offset(Emitter *e, const MatrixOperand *operand, LLVMValueRef k);
/* Row `row` of the tile at k; offset: the distance of k from k = 0. */
LLVMValueRef operands_row_element(Emitter *e, const Operands *operands, int64_t row,
                                  LLVMValueRef offset);
/* LANES steps of a row from k on; all rows of the tile at k. NULL if they are not neighbours in
 * memory. */
LLVMValueRef operands_row_steps(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef k);
LLVMValueRef operands_rows_at(Emitter *e, const Operands *operands, LLVMValueRef k);
/* LANES rows from the tile's first on, at k. They must be neighbours in memory and not packed.
 * mask: those that exist, or NULL. */
LLVMValueRef operands_lanes_at(Emitter *e, const Operands *operands, LLVMValueRef k,
                               LLVMValueRef mask);
/* Prefetches, at k, the cache line of the row that is `rows` after the tile's first. It is needed
 * soon, and another core has often written it. */
void operands_prefetch_lanes(Emitter *e, const Operands *operands, LLVMValueRef k, int64_t rows);
/* <width x i1>: the rows that exist of the tile that begins at `row`; lanes beyond the tile's rows
 * are false. NULL: every tile is whole. */
LLVMValueRef operands_rows_mask(Emitter *e, const Matmul *m, LLVMValueRef row, unsigned width);
/* A vector of the tile's columns at k. */
LLVMValueRef operands_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k);
/* operands_columns where the columns are windows; offset: the distance of k from k = 0. */
LLVMValueRef operands_windows(Emitter *e, const Operands *operands, int vector,
                              LLVMValueRef offset);
/* In a product of bytes: whether a row's bytes at a step and at the next one are neighbours in
 * memory, in the same run of windows. Then both can be loaded as an i16. */
bool operands_steps_adjoin(const Operands *operands);
LLVMValueRef operands_two_steps(Emitter *e, const Operands *operands, int64_t row,
                                LLVMValueRef offset);
/* All addresses of a step are those of the step before plus constants. */
bool operands_steady(const Operands *operands);
/* Steady operands whose k = 0 is `steps` steps further. */
Operands operands_ahead(Emitter *e, const Operands *operands, int64_t steps);

/* -- matmul_product.c -- */
/* sums += the products of these steps. If the operands have a list: of these entries of it, whose k
 * count from `origin`. */
void product_add(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin);
void product_clear(Emitter *e, const Matmul *m);
/* Spills the sums between two blocks of k; number: of the tile in its chunk group. */
void product_spill(Emitter *e, const Matmul *m, LLVMValueRef number);
void product_reload(Emitter *e, const Matmul *m, LLVMValueRef number);
void product_finish(Emitter *e, const Matmul *m); /* the sums become the finished tile */

/* One step of k. distance: that of k from k = 0 in an operand of windows; NULL: not computed
 * yet. */
typedef struct {
    const Operands *operands;
    LLVMValueRef k, distance;
} Step;
/* The distance of the step in the rows, for operands_row_element. */
LLVMValueRef step_offset(Emitter *e, const Step *step);
/* A vector of the tile's columns. */
LLVMValueRef step_columns(Emitter *e, const Step *step, int vector);

/* -- matmul_wide.c -- */
void wide_reserve(Emitter *e, Matmul *m);
/* Copies the columns of these steps. The operands then read the copy. */
void wide_pack(Emitter *e, Matmul *m, PackPlan pack, Steps steps, Operands *operands);
/* wide_begin: the sums become double, unless a column is tiny. wide_end: they become float, if all
 * of them are right. Returns i1: they are as they were at the beginning, and the steps must be added
 * in another way. */
If wide_begin(Emitter *e, const Operands *operands);
LLVMValueRef wide_end(Emitter *e, const Operands *operands, If fast);
void wide_add(Emitter *e, const Step *step);

/* -- matmul_bytes.c -- */
/* Whether two steps of bytes are computed at once, as the target multiplies pairs of i16. */
bool bytes_have_pairs(const Emitter *e, const Matmul *m);
/* sums[row][vector] += element of the row * columns of the vector: for one step; for two. */
void bytes_add(Emitter *e, const Step *step, LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]);
void bytes_add_pair(Emitter *e, const Step steps[2], LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]);
/* Decides whether all tiles share one copy of the rows as words, and reserves its memory. */
void bytes_reserve_words(Emitter *e, Matmul *m);
void bytes_fill_words(Emitter *e, const Operands *operands);

/* -- matmul_pack.c -- */
void pack_reserve(Emitter *e, Matmul *m); /* decides what is packed and reserves its memory */
/* Packs what is new and returns the tile's operands. */
Operands pack_operands(Emitter *e, Matmul *m, const Tile *tile, PackPlan pack, Steps steps);
/* Where rows are neighbours in memory, a vector of LANES rows holds several blocks of rows: their
 * number; 1 if blocks do not divide a vector. */
int64_t pack_blocks_together(const Matmul *m);
/* The first of the blocks that are taken together with block `number`: the block itself, or an
 * earlier one, so that none lies beyond the chunk's end. */
LLVMValueRef pack_first_block(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number);

/* -- matmul_zeros.c -- */
void zeros_reserve(Emitter *e, Matmul *m);
/* Chooses the list of k of a tile: its block of rows' list, or all k if a column is not finite.
 * First it makes the lists of new rows and checks new columns. */
void zeros_choose(Emitter *e, const Matmul *m, const Tile *tile, PackPlan pack, Steps steps,
                  Operands *operands);

/* -- matmul_epilogue.c -- */
/* Whether the kernel stores panels that run along the rows of its tiles. */
bool epilogue_transposes_panels(const Emitter *e);
LLVMValueRef *epilogue_transposed_slots(Emitter *e, const Matmul *m);
/* One row of one group of vectors of the finished tile; a group has `together` vectors. */
void epilogue_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group,
                  LLVMValueRef row);
/* The same row in parts, with other code between them: it begins, its slow operations start level
 * by level, and it ends. */
typedef struct {
    const Place *places[MAX_TOGETHER];
    Region region;
    LLVMValueRef row;
} RowEpilogue;
SlowOps epilogue_slow_ops(Emitter *e); /* what has to start early on this core */
/* i1: all rows and columns of the tile exist, as an epilogue in parts demands; NULL: of every
 * tile. */
LLVMValueRef epilogue_tile_is_whole(Emitter *e, const Matmul *m, const Tile *tile);
RowEpilogue epilogue_begin_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group,
                               LLVMValueRef row);
void epilogue_start_slow(Emitter *e, const Matmul *m, const RowEpilogue *begun, int level);
void epilogue_end_row(Emitter *e, const Matmul *m, const RowEpilogue *begun);
/* Prefetches what that row will update in memory when the tile is finished. */
void epilogue_prefetch(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group,
                       LLVMValueRef row);
/* After all rows of a group: transposes and stores the rows in the buffers. */
void epilogue_transpose(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group);

/* -- matmul_epilogue_bytes.c -- */
bool epilogue_bytes_can_transpose(const Matmul *m);
int epilogue_bytes_rows(const Matmul *m); /* a power of two; those after the tile's are unused */
/* rows: on the stack. Stores the columns that are there, each as the bytes of the tile's rows, and
 * each `step` bytes after the one before. */
void epilogue_bytes_transpose(Emitter *e, const Matmul *m, LLVMValueRef rows, LLVMValueRef to,
                              int64_t step, LLVMValueRef there);

/* Emits the body of the current function for units [first, last) of a product; returns how many
 * units there are. */
int64_t kernel_matmul(Emitter *e, LLVMValueRef first, LLVMValueRef last);
/* kernel_matmul by single elements, if e->single. */
int64_t matmul_elements(Emitter *e, LLVMValueRef first, LLVMValueRef last);
/* The same along the images of the batch, if the product of windows reads a copy [H,W,C,N]. */
bool matmul_runs_along_images(const Emitter *e);
int64_t matmul_images(Emitter *e, LLVMValueRef first, LLVMValueRef last);
/* The same of transposed windows by few columns, two elements of a window in a sum. */
bool matmul_is_window_gradient(const Emitter *e); /* such a product, with 32 vector registers */
bool matmul_has_pairs(const Emitter *e);
int64_t matmul_pairs(Emitter *e, LLVMValueRef first, LLVMValueRef last);
/* The same with the matrices of the batch in the lanes of a sum. */
bool matmul_has_lanes(const Emitter *e);
int64_t matmul_in_lanes(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
