/* The state of a shipped training: a header, then every tensor that steps update, in each layout
 * that a function of the object reads.
 *
 *     magic (8 bytes), steps (i32), ..., seed (8 bytes, at SEED_AT), ..., blocks
 *
 * A new state gets the weights and running statistics of the object, or the first values of a
 * training (ship_fresh.c). Everything else, such as the moments of an optimizer, begins as in a new
 * training. */
#include "codegen/emit/arithmetic.h"
#include "codegen/ship/ship_module.h"
#include "ir/data/run_clock.h"

#include <stddef.h>
#include <string.h>

enum { STEPS_AT = 8, SEED_AT = 16 };

/* -- a new state -- */

void ship_set_seed(Emitter *e, LLVMValueRef state, LLVMValueRef seed) {
    store(e, seed, pointer_after(e, state, SEED_AT));
}

/* for i < words: to[i] = from ? from[i] : 0, in words of 64 bits */
static void fill_words(Emitter *e, LLVMValueRef to, LLVMValueRef from, size_t bytes) {
    if (!bytes) return;
    e->short_indices = e->no_vectors;
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef at = loop.index, word = const_i64(e, 0);
    if (from) word = load(e, e->i64, LLVMBuildGEP2(e->builder, e->i64, from, &at, 1, ""));
    store(e, word, LLVMBuildGEP2(e->builder, e->i64, to, &at, 1, ""));
    loop_end(e, loop, const_i64(e, (int64_t)(bytes / sizeof(int64_t))), 1);
    e->short_indices = false;
}

static size_t block_bytes(const ShipBlock *block) {
    size_t bytes = layout_bytes(block->layout, block->symbol->dtype, block->symbol->shape);
    return (size_t)round_up((int64_t)bytes, SHIP_ALIGNMENT);
}

/* Whether a block and its first values lie behind those of another one. */
static bool continues(const ShipBlock *block, const ShipBlock *next) {
    bool zero = block->source == SHIP_ZERO, both = zero == (next->source == SHIP_ZERO);
    size_t bytes = block_bytes(block);
    return both && next->offset == block->offset + bytes &&
           (zero || next->source == block->source + bytes);
}

static void emit_make(Emitter *e, const ShipTraining *training, LLVMValueRef weights) {
    LLVMValueRef state = LLVMGetParam(e->function, 0);
    fill_words(e, state, NULL, SHIP_HEADER);
    store(e, LLVMConstInt(e->i64, training->magic, false), state);
    ship_set_seed(e, state, LLVMConstInt(e->i64, training->seed, false));
    for (uint32_t i = 0; i < training->block_count;) {
        const ShipBlock *first = &training->blocks[i];
        LLVMValueRef from =
            first->source == SHIP_ZERO ? NULL : pointer_after(e, weights, first->source);
        size_t bytes = block_bytes(first);
        while (++i < training->block_count &&
               continues(training->blocks + i - 1, training->blocks + i))
            bytes += block_bytes(training->blocks + i);
        fill_words(e, pointer_after(e, state, first->offset), from, bytes);
    }
    LLVMBuildRetVoid(e->builder);
}

/* Returns SHIP_MISALIGNED or SHIP_WRONG_STATE for what is not a state of this object. */
static void emit_check(Emitter *e, const ShipTraining *training) {
    LLVMValueRef state = LLVMGetParam(e->function, 0);
    ship_check_alignment(e, state);
    ship_check_state(e, training->magic, state);
    LLVMBuildRet(e->builder, const_i32(e, 0));
}

/* -- blocks in other layouts -- */

/* layout_offset (ir/plan/plan.h) of element (row, column) of a matrix. Of a plain tensor, `row` is
 * the index and `columns` is 1. */
static LLVMValueRef offset_in(Emitter *e, Layout layout, int64_t rows, int64_t columns,
                              LLVMValueRef row, LLVMValueRef column) {
    if (layout.kind == LAYOUT_PLAIN) return add(e, times(e, row, columns), column);
    LLVMValueRef along = layout.axis == 0 ? row : column, other = layout.axis == 0 ? column : row;
    int64_t others = layout.axis == 0 ? columns : rows;
    LLVMValueRef panel = times(e, over(e, along, layout.width), others * layout.width);
    return add(e, add(e, panel, times(e, other, layout.width)), modulo(e, along, layout.width));
}

Elements elements_begin(Emitter *e, const Symbol *symbol) {
    bool matrix = symbol->shape.rank == 2;
    Elements all = {.rows = matrix ? symbol->shape.dim[0] : shape_elements(symbol->shape),
                    .columns = matrix ? symbol->shape.dim[1] : 1};
    e->short_indices = e->no_vectors;
    all.row = loop_begin(e, const_i64(e, 0));
    all.column = loop_begin(e, const_i64(e, 0));
    return all;
}

void elements_end(Emitter *e, const Elements *all) {
    loop_end(e, all->column, const_i64(e, all->columns), 1);
    loop_end(e, all->row, const_i64(e, all->rows), 1);
    e->short_indices = false;
}

LLVMValueRef element_offset(Emitter *e, const Elements *all, Layout layout) {
    return offset_in(e, layout, all->rows, all->columns, all->row.index, all->column.index);
}

/* Copies all elements of a state from one layout to another. */
static void convert(Emitter *e, const Symbol *symbol, LLVMValueRef from, Layout from_layout,
                    LLVMValueRef to, Layout to_layout) {
    LLVMTypeRef type = dtype_type(e, symbol->dtype, true);
    Elements all = elements_begin(e, symbol);
    LLVMValueRef source = element_offset(e, &all, from_layout),
                 place = element_offset(e, &all, to_layout);
    store(e, load(e, type, element_pointer(e, from, symbol->dtype, source)),
          element_pointer(e, to, symbol->dtype, place));
    elements_end(e, &all);
}

static void emit_read(Emitter *e, const ShipTraining *training) {
    size_t at = 0;
    for (uint32_t i = 0; i < training->tensor_count; i++) {
        const ShipBlock *block = &training->blocks[training->tensors[i]];
        LLVMValueRef from = pointer_after(e, LLVMGetParam(e->function, 0), block->offset),
                     to = pointer_after(e, LLVMGetParam(e->function, 1), at);
        convert(e, block->symbol, from, block->layout, to, (Layout){.kind = LAYOUT_PLAIN});
        at += (size_t)shape_elements(block->symbol->shape) * sizeof(float);
    }
    LLVMBuildRetVoid(e->builder);
}

/* Sets every block of the network's tensors. The other blocks stay as they are. */
static void emit_write(Emitter *e, const ShipTraining *training) {
    size_t at = 0;
    for (uint32_t i = 0; i < training->tensor_count; i++) {
        const Symbol *symbol = training->blocks[training->tensors[i]].symbol;
        LLVMValueRef from = pointer_after(e, LLVMGetParam(e->function, 1), at);
        for (uint32_t k = 0; k < training->block_count; k++)
            if (!strcmp(training->blocks[k].symbol->name, symbol->name))
                convert(e, symbol, from, (Layout){.kind = LAYOUT_PLAIN},
                        pointer_after(e, LLVMGetParam(e->function, 0), training->blocks[k].offset),
                        training->blocks[k].layout);
        at += (size_t)shape_elements(symbol->shape) * sizeof(float);
    }
    LLVMBuildRetVoid(e->builder);
}

void ship_state_functions(Emitter *e, const ShipRequest *request, const Target *target,
                          LLVMValueRef weights) {
    ship_begin_function(e, target, request->training->make, 0, 1, false);
    emit_make(e, request->training, weights);
    ship_begin_function(e, target, request->training->read, 0, 2, false);
    emit_read(e, request->training);
    ship_begin_function(e, target, request->training->check, 0, 1, true);
    emit_check(e, request->training);
    if (request->training->fresh) ship_emit_fresh(e, request, target);
    if (!request->training->write) return;
    ship_begin_function(e, target, request->training->write, 0, 2, false);
    emit_write(e, request->training);
}

/* -- a step -- */

void ship_check_state(Emitter *e, uint64_t magic, LLVMValueRef state) {
    LLVMValueRef right = LLVMConstInt(e->i64, magic, false);
    return_if(e, ne(e, load(e, e->i64, state), right), SHIP_WRONG_STATE);
}

static LLVMValueRef smaller(Emitter *e, LLVMValueRef number, int64_t limit) {
    LLVMTypeRef type = e->i32;
    LLVMValueRef args[] = {number, const_i32(e, (int32_t)limit)};
    return call_intrinsic(e, "llvm.smin", &type, 1, args, 2);
}

LLVMValueRef ship_high_word(Emitter *e, LLVMValueRef number) {
    LLVMValueRef high = LLVMBuildLShr(e->builder, number, const_i64(e, 32), "");
    return LLVMBuildTrunc(e->builder, high, e->i32, "");
}

/* Counts shares and batches as runtime/program/run.c does:
 *     step = draw * replicas + share
 *     draw = epoch * batches + batch
 * Beyond the last epoch, schedules keep their last values. */
void ship_fill_clock(Emitter *e, const ShipTraining *training, LLVMValueRef state,
                     LLVMValueRef clock) {
    int64_t updates = divide_up(training->batches, training->accumulate);
    LLVMValueRef steps = load(e, e->i32, pointer_after(e, state, STEPS_AT)),
                 replicas = const_i32(e, (int32_t)training->replicas);
    LLVMValueRef draw = udiv(e, steps, replicas), share = urem(e, steps, replicas);
    LLVMValueRef seed = load(e, e->i64, pointer_after(e, state, SEED_AT));
    LLVMValueRef batches = const_i32(e, (int32_t)training->batches),
                 accumulate = const_i32(e, (int32_t)training->accumulate), one = const_i32(e, 1);
    LLVMValueRef epoch = udiv(e, draw, batches), batch = urem(e, draw, batches);
    LLVMValueRef step =
        add(e, mul(e, epoch, const_i32(e, (int32_t)updates)), udiv(e, batch, accumulate));
    LLVMValueRef next = add(e, batch, one);
    LLVMValueRef last =
        bit_or(e, eq(e, urem(e, next, accumulate), const_i32(e, 0)), eq(e, next, batches));
    last = bit_and(e, last, eq(e, add(e, share, one), replicas));
    const struct {
        size_t field;
        LLVMValueRef value;
    } fields[] = {
        {offsetof(RunClock, epoch), smaller(e, epoch, training->epochs - 1)},
        {offsetof(RunClock, step), smaller(e, step, updates * training->epochs - 1)},
        {offsetof(RunClock, steps), const_i32(e, (int32_t)(updates * training->epochs))},
        {offsetof(RunClock, draw), draw},
        {offsetof(RunClock, row), mul(e, share, const_i32(e, (int32_t)training->rows))},
        {offsetof(RunClock, update), LLVMBuildZExt(e->builder, last, e->i32, "")},
        {offsetof(RunClock, seed_low), LLVMBuildTrunc(e->builder, seed, e->i32, "")},
        {offsetof(RunClock, seed_high), ship_high_word(e, seed)},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        store(e, fields[i].value, pointer_after(e, clock, fields[i].field));
}

void ship_finish_step(Emitter *e, const ShipTraining *training, LLVMValueRef state) {
    LLVMValueRef steps = pointer_after(e, state, STEPS_AT);
    store(e, add(e, load(e, e->i32, steps), const_i32(e, 1)), steps);
    for (uint32_t i = 0; i < training->block_count; i++) {
        const ShipBlock *block = &training->blocks[i], *from = &training->blocks[block->written];
        if (block->written == i || block->symbol->update == NODE_NONE) continue;
        convert(e, block->symbol, pointer_after(e, state, from->offset), from->layout,
                pointer_after(e, state, block->offset), block->layout);
    }
}
