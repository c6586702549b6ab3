/* Products by single elements: their parts. matmul_elements.c has the loop that is emitted. */
#ifndef MLC_CODEGEN_MATMUL_ELEMENTS_H
#define MLC_CODEGEN_MATMUL_ELEMENTS_H

#include "codegen/matmul/element_product.h"
#include "codegen/matmul/matmul.h"

/* MAX_TURN: k in a turn of the innermost loop. */
enum { UNIT_ROWS = 2, MAX_TURN = 8 };

/* A product that is divided into units. */
typedef struct {
    ElementProduct product;
    int high, wide;       /* rows and columns of a unit */
    int64_t down, across; /* units along rows and columns */
    bool panels;          /* a unit is a panel of the right factor */
} DividedProduct;

/* The rows or columns of a unit: at, at + 1, ... Those from `from` to `to` - 1 are stored. The last
 * unit is as long as the others. In panels it includes the padding. Otherwise it starts early, and
 * its first lines belong to the unit before. */
typedef struct {
    LLVMValueRef at, from, to;
} ElementLines;

typedef struct {
    LLVMValueRef matrix;
    ElementLines rows, columns;
    LLVMValueRef panel; /* of the right factor in panels: the offset of row k = 0 */
    LLVMValueRef slots[UNIT_ROWS][PLAN_COLUMNS]; /* the sums */
    /* Slots of pointers that advance with k: to each row of the left factor, and to the first
     * column of the right one. NULL: the place of an element is computed anew for each k. */
    LLVMValueRef left[UNIT_ROWS], right;
} ElementUnit;

/* The product of the kernel that is being emitted. Elements of a window's row that lie one after
 * the other in the image are one axis of k. */
ElementProduct elements_product(const Emitter *e);

/* -- elements_factors.c -- */

/* A slot of a pointer that advances. */
LLVMValueRef elements_slot(Emitter *e, LLVMValueRef pointer);
/* Whether a factor's elements along k are found by a pointer that advances. */
bool elements_advance_along(const Factor *factor);
/* Makes the pointers of a unit, which lead to the elements at a step. */
void elements_set_pointers(Emitter *e, const DividedProduct *p, ElementUnit *unit,
                           const FactorStep *step);
/* Advances a pointer by some elements. slot NULL: there is none. */
void elements_advance_slot(Emitter *e, const Factor *factor, LLVMValueRef slot, int64_t elements);
/* Advances the pointers by `steps` k. */
void elements_advance(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int64_t steps);
/* The element of the left factor in a row of the unit, and of the right factor in a column: a byte
 * as i32. Its k is `later` steps after `step`, to which the pointers lead; later is 0 without
 * pointers. */
LLVMValueRef elements_left(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                           const FactorStep *step, int64_t later);
LLVMValueRef elements_right(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                            int column, const FactorStep *step, int64_t later);
/* The elements between (line, k) and (line, k + 1), along the innermost loop. */
int64_t elements_k_step(const Emitter *e, const DividedProduct *p, const Factor *factor);
/* The elements between neighbouring columns of the right factor, which is no matrix of windows. */
int64_t elements_column_step(const DividedProduct *p);

/* -- elements_runs.c -- */

/* Whether the right factor's elements of the unit at one k are loaded by one instruction. */
bool elements_have_runs(const Emitter *e, const DividedProduct *p, const ElementUnit *unit);
/* Loads them, and advances the pointer by one k. */
void elements_right_run(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                        LLVMValueRef right[PLAN_COLUMNS]);
/* Loads the left factor's elements of a row at the next `count` k, and advances its pointer. */
void elements_left_run(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                       int count, LLVMValueRef left[MAX_TURN]);

/* Loads two neighbouring words of four bytes: from `offset` bytes after a slot's pointer on, at most
 * MAX_PAIR_OFFSET; or from the pointer on, which then advances by `advance` bytes. */
enum { MAX_PAIR_OFFSET = 1020 };
void elements_load_pair(Emitter *e, LLVMValueRef slot, int64_t offset, int64_t advance,
                        LLVMValueRef words[2]);

/* -- elements_bytes.c -- */

/* Whether the product is of bytes, and its right factor lies in fours: ir/plan/plan.h. */
bool elements_in_fours(const Emitter *e, const ElementProduct *p);
/* Emits the product. Returns the number of its units. */
int64_t elements_fours(Emitter *e, DividedProduct *p, LLVMValueRef first, LLVMValueRef last);

/* -- matmul_elements.c -- */

/* The `length` lines of unit `number`, of `all` lines. padded: the last unit may go beyond them. */
ElementLines elements_lines(Emitter *e, LLVMValueRef number, int length, int64_t all, bool padded);
/* Makes the slots of the sums; sets them to 0. */
void elements_make_sums(Emitter *e, const DividedProduct *p, ElementUnit *unit);
void elements_clear_sums(Emitter *e, const DividedProduct *p, const ElementUnit *unit);
/* Computes the epilogues of a unit and stores. */
void elements_finish(Emitter *e, const DividedProduct *p, const ElementUnit *unit);
/* Ends a loop and tells LLVM how often it turns. A loop of one turn is none. */
Loop elements_loop_begin(Emitter *e, int64_t turns);
void elements_loop_end(Emitter *e, Loop loop, int64_t turns);
/* The largest divisor of `size` up to `most`. */
int64_t elements_turn(int64_t size, int64_t most);

#endif
