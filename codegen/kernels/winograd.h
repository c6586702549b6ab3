/* Convolution by tiles: what the kernels of winograd and winograd_weights share. Internal to
 * codegen/kernels.
 *
 * Both work on blocks: rectangles of tiles, whose rows may belong to several pictures. */
#ifndef MLC_CODEGEN_KERNELS_WINOGRAD_H
#define MLC_CODEGEN_KERNELS_WINOGRAD_H

#include "codegen/kernels/kernels.h"
#include "ir/ops/winograd.h"

enum {
    WINOGRAD_GAP = LANES, /* elements between matrices, so that they are no power of two apart */
    WINOGRAD_ROWS = 16,   /* of a register block, at most */
    WINOGRAD_VECTORS = 2, /* of a register block, at most */
    WINOGRAD_FETCHED = 8, /* values that are prefetched, at most */
    WINOGRAD_OTHER_BYTES = 64 * 1024 /* of a thread's stack: more than lines and gaps take */
};

/* A value in the slab, [N,height,width,channels], that is prefetched: for the block at hand or, if
 * it is `ahead`, for the next one. */
typedef struct {
    NodeId node;
    Storage storage;
    Shape shape;
    Prefetch how;
    bool ahead;
} Fetched;

typedef struct {
    const Node *node;
    Shape from, to;        /* pictures [N,H,W,C]; results, or their gradients, [N,OH,OW,O] */
    int64_t down, across;  /* tiles of a picture */
    int64_t rows, columns; /* tiles of a whole block */
    int64_t segments;      /* blocks side by side */
    int64_t channels;      /* of the pictures that a block has: all, or some */
    int64_t tile_step;     /* elements of a transformed tile's matrix: from one of 36 to the next */
    /* lines: a row of tiles, transformed along the height, for one vector of channels */
    LLVMValueRef tiles, lines;
    Fetched fetched[WINOGRAD_FETCHED];
    int fetched_count;
} Winograd;

/* The tiles of a block: rows [row, row + rows) of all pictures, columns [column, column +
 * columns). */
typedef struct {
    LLVMValueRef row, rows, column, columns, count;
} TileBlock;

/* Vectors of filters in a register block. */
static inline int winograd_vectors(const Emitter *e, int64_t filters) {
    return e->many_registers && filters % (2 * LANES) == 0 ? 2 : 1;
}

/* The sizes of blocks of at most `most` tiles. In order: the blocks follow each other row by row of
 * a picture, also where a row has several blocks. */
void winograd_blocks(Winograd *w, int64_t most, bool in_order);
/* Makes room for a block of `tiles` tiles. */
void winograd_reserve(Emitter *e, Winograd *w, int64_t tiles);
/* The block that begins in row `row`, in segment `segment`. Rows from `end` on do not belong to
 * it. */
TileBlock winograd_block(Emitter *e, const Winograd *w, LLVMValueRef row, LLVMValueRef end,
                         LLVMValueRef segment);
/* Picture and row of tiles, for row `number` of a block. */
Quotient winograd_row(Emitter *e, const Winograd *w, const TileBlock *block, LLVMValueRef number);
/* tiles[0 .. 36)[tile][channel] = the transformed tiles of a block, from channel `first` on. */
void winograd_tiles_of(Emitter *e, const Winograd *w, const TileBlock *block, LLVMValueRef first);

/* Adds a value to those that are prefetched. It is left out if it is known, if it is not in the
 * slab, or if the list is full. */
void winograd_fetch(Winograd *w, const Fetched *fetched);
/* Prefetches part `share` of 36 equal parts of these values: one with each of the 36 products. */
void winograd_prefetch(Emitter *e, const Winograd *w, const TileBlock *block, const TileBlock *next,
                       LLVMValueRef share);

/* Arrays of f32, and vectors of LANES in them. */
LLVMValueRef winograd_array(Emitter *e, int64_t elements);
LLVMValueRef winograd_at(Emitter *e, LLVMValueRef array, LLVMValueRef offset);
LLVMValueRef winograd_vector(Emitter *e, LLVMValueRef pointer);
void winograd_load(Emitter *e, LLVMValueRef first, int64_t step, LLVMValueRef *values, int count);
void winograd_store(Emitter *e, LLVMValueRef *values, int count, LLVMValueRef first, int64_t step);

/* The sums of a matrix product in registers: rows by vectors. */
typedef struct {
    int64_t rows;
    int vectors;
    LLVMValueRef sum[WINOGRAD_ROWS][WINOGRAD_VECTORS]; /* slots */
} Registers;
Registers registers_new(Emitter *e, int64_t rows, int vectors);
void registers_clear(Emitter *e, const Registers *r);
/* Row i is at pointer + i * step. */
void registers_load(Emitter *e, const Registers *r, LLVMValueRef pointer, int64_t step);
void registers_store(Emitter *e, const Registers *r, LLVMValueRef pointer, int64_t step);
/* sum[i][v] += *rows[i] * columns[v]; rows: pointers to f32 */
void registers_add(Emitter *e, const Registers *r, const LLVMValueRef *rows,
                   const LLVMValueRef *columns);

/* B', A' and A of ir/ops/winograd.h along one axis: of a tile, of sums, of gradients. */
void winograd_transform_tile(Emitter *e, LLVMValueRef x[WINOGRAD_TILE]);
void winograd_transform_sums(Emitter *e, LLVMValueRef m[WINOGRAD_TILE]);
void winograd_transform_gradients(Emitter *e, const LLVMValueRef y[WINOGRAD_RESULT],
                                  LLVMValueRef to[WINOGRAD_TILE]);
/* a * b + c and a * b, of vectors (on a GPU of single elements), for a known number a. */
LLVMValueRef winograd_fused(Emitter *e, double a, LLVMValueRef b, LLVMValueRef c);
LLVMValueRef winograd_scaled(Emitter *e, double a, LLVMValueRef b);
LLVMValueRef winograd_less(Emitter *e, LLVMValueRef a, LLVMValueRef b); /* a - b */
/* An element of [N,height,width,channels], sixteen channels of it; `inside` false: zeros. NULL:
 * always inside. */
LLVMValueRef winograd_element(Emitter *e, NodeId node, const LLVMValueRef at[4],
                              LLVMValueRef inside);

/* The kernel of winograd_weights (winograd_weights.c). */
int64_t winograd_weights_kernel(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
