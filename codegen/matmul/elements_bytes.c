/* Products of bytes on processors with SMLAD: sum + a.low * b.low + a.high * b.high, where a and b
 * are words of two i16. Weights lie in fours (ir/plan/plan.h):
 *
 *     for each two rows:
 *         copy them: wide[row][k] = left[row, k], as i16
 *         for each two columns:
 *             sum[] = 0
 *             for k = 0, 4, 8, ...: for each column:
 *                 low, high = right[k .. k + 1, column], right[k + 2 .. k + 3, column], as i16
 *                 for each row: sum[row, column] += wide[row][k .. k + 3] * (low, high)
 *             for each row, column: compute the epilogue, store
 *
 * A single row takes four columns at a time. The weights are padded with zeros, so it does not
 * matter what follows a row of the copy. Sums of whole numbers do not depend on the order. */
#include "codegen/matmul/elements.h"

enum { HALVES = LAYOUT_FOUR / 2, WORD = sizeof(int32_t), ROW_COLUMNS = 4, PAIR_COLUMNS = 2 };

bool elements_in_fours(const Emitter *e, const ElementProduct *p) {
    Layout right = p->right.storage.layout;
    return e->cortex_m && p->sum != e->f32 && right.fours && right.axis == p->right.line_axis - 1 &&
           p->left.line_axis == 1 && elements_advance_along(&p->left);
}

/* The number of fours along k. */
static int64_t fours_of(const DividedProduct *p) {
    return divide_up(product_depth(&p->product), LAYOUT_FOUR);
}

static LLVMValueRef bytes_after(Emitter *e, LLVMValueRef pointer, int64_t bytes) {
    LLVMValueRef offset = const_i64(e, bytes);
    return LLVMBuildGEP2(e->builder, e->i8, pointer, &offset, 1, "");
}

/* Bytes 0 and 2 of a word as two i16; those of the word turned by a byte: bytes 1 and 3. */
static void widen_word(Emitter *e, LLVMValueRef word, bool has_sign, LLVMValueRef half[HALVES]) {
    const char *widen = has_sign ? "llvm.arm.sxtb16" : "llvm.arm.uxtb16";
    LLVMValueRef rotation[] = {word, word, const_i32(e, 8)};
    LLVMValueRef turned = call_intrinsic(e, "llvm.fshr", &e->i32, 1, rotation, 3);
    half[0] = call_intrinsic(e, widen, NULL, 0, &word, 1);
    half[1] = call_intrinsic(e, widen, NULL, 0, &turned, 1);
}

/* -- the copy of the rows -- */

static void store_half(Emitter *e, LLVMValueRef value, LLVMValueRef pointer) {
    LLVMSetAlignment(LLVMBuildStore(e->builder, value, pointer), sizeof(int16_t));
}

/* Copies four neighbouring bytes. */
static void copy_four(Emitter *e, const Factor *left, LLVMValueRef from, LLVMValueRef to) {
    LLVMValueRef half[HALVES], sixteen = const_i32(e, 16);
    LLVMValueRef word = load(e, e->i32, load(e, e->pointer, from));
    LLVMSetAlignment(word, 1);
    widen_word(e, word, factor_dtype(e, left) == DTYPE_I8, half);
    LLVMValueRef low = bit_or(e, bit_and(e, half[0], const_i32(e, 0xffff)),
                              LLVMBuildShl(e->builder, half[1], sixteen, "")),
                 high = bit_or(e, LLVMBuildLShr(e->builder, half[0], sixteen, ""),
                               bit_and(e, half[1], const_i32(e, (int32_t)0xffff0000)));
    LLVMValueRef pointer = load(e, e->pointer, to);
    store_half(e, low, pointer);
    store_half(e, high, bytes_after(e, pointer, WORD));
    elements_advance_slot(e, left, from, LAYOUT_FOUR);
    store(e, bytes_after(e, pointer, HALVES * WORD), to);
}

static void copy_byte(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                      LLVMValueRef to) {
    const Factor *left = &p->product.left;
    LLVMTypeRef half = LLVMInt16TypeInContext(e->context);
    LLVMValueRef value = elements_left(e, p, unit, row, NULL, 0);
    LLVMValueRef pointer = load(e, e->pointer, to);
    store_half(e, LLVMBuildTrunc(e->builder, value, half, ""), pointer);
    elements_advance_slot(e, left, unit->left[row], elements_k_step(e, p, left));
    store(e, bytes_after(e, pointer, sizeof(int16_t)), to);
}

/* Copies a row along the innermost loop over k. */
static void copy_run(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                     LLVMValueRef to) {
    int64_t size = p->product.k_size[K_AXES - 1], fours = size / LAYOUT_FOUR;
    if (elements_k_step(e, p, &p->product.left) != 1) fours = 0;
    if (fours) {
        Loop loop = elements_loop_begin(e, fours);
        copy_four(e, &p->product.left, unit->left[row], to);
        elements_loop_end(e, loop, fours);
    }
    int64_t rest = size - fours * LAYOUT_FOUR, turns = fours ? 1 : rest;
    if (!rest) return;
    Loop loop = elements_loop_begin(e, turns);
    for (int64_t i = 0; i < rest / turns; i++) copy_byte(e, p, unit, row, to);
    elements_loop_end(e, loop, turns);
}

static int64_t copy_bytes(const DividedProduct *p) {
    return fours_of(p) * LAYOUT_FOUR * (int64_t)sizeof(int16_t);
}

static void copy_rows(Emitter *e, const DividedProduct *p, ElementUnit *unit, LLVMValueRef wide) {
    LLVMValueRef to[UNIT_ROWS];
    Loop loops[K_AXES - 1];
    for (int i = 0; i < p->high; i++)
        to[i] = elements_slot(e, bytes_after(e, wide, i * copy_bytes(p)));
    FactorStep step = product_begin_loops(e, &p->product, K_AXES - 1, loops);
    step.part[K_AXES - 1] = const_i64(e, 0);
    step.k = times(e, step.k, p->product.k_size[K_AXES - 1]);
    elements_set_pointers(e, p, unit, &step);
    for (int i = 0; i < p->high; i++) copy_run(e, p, unit, i, to[i]);
    for (int i = K_AXES - 1; i-- > 0;)
        if (p->product.k_size[i] > 1) elements_loop_end(e, loops[i], p->product.k_size[i]);
}

/* -- products -- */

/* Loads the next fours of the copied rows, and advances. */
static void load_left(Emitter *e, const DividedProduct *p, LLVMValueRef wide,
                      LLVMValueRef left[UNIT_ROWS][HALVES]) {
    for (int i = p->high; i-- > 0;) {
        int64_t row = i * copy_bytes(p);
        if (row <= MAX_PAIR_OFFSET) {
            elements_load_pair(e, wide, row, i ? 0 : HALVES * WORD, left[i]);
            continue;
        }
        LLVMValueRef from = load(e, e->pointer, wide);
        for (int h = 0; h < HALVES; h++)
            left[i][h] = load(e, e->i32, bytes_after(e, from, row + h * WORD));
    }
}

/* Loads the next four of each column, and advances. */
static void load_right(Emitter *e, const DividedProduct *p, LLVMValueRef words,
                       LLVMValueRef right[ROW_COLUMNS]) {
    int64_t width = p->product.right.storage.layout.width;
    for (int j = p->wide - 2; j >= 0; j -= 2)
        elements_load_pair(e, words, j * WORD, j ? 0 : width * WORD, right + j);
}

/* Adds the products with a word of the right factor to the sums of a row, or of two. This is
 * assembly, as LLVM would widen words earlier than their turn, and then lack registers. $0 and $1
 * are scratch: the first half of the word, and the word. */
static void add_word(Emitter *e, const ElementUnit *unit, int rows, int column, LLVMValueRef word,
                     LLVMValueRef left[UNIT_ROWS][HALVES]) {
    static const char *const texts[] = {
        "sxtb16 $0, $1\n\tsmlad $2, $5, $0, $2\n\t"
        "sxtb16 $1, $1, ror #8\n\tsmlad $2, $6, $1, $2",
        "sxtb16 $0, $1\n\tsmlad $2, $7, $0, $2\n\tsmlad $3, $9, $0, $3\n\t"
        "sxtb16 $1, $1, ror #8\n\tsmlad $2, $8, $1, $2\n\tsmlad $3, $10, $1, $3"};
    static const char *const constraints[] = {"=&r,=&r,=&r,1,2,r,r,~{memory}",
                                              "=&r,=&r,=&r,=&r,1,2,3,r,r,r,r,~{memory}"};
    enum { SCRATCH = 2 };
    LLVMTypeRef results[SCRATCH + UNIT_ROWS];
    LLVMValueRef args[MAX_ASSEMBLY_OPERANDS] = {word};
    for (int i = 0; i < SCRATCH + rows; i++) results[i] = e->i32;
    for (int i = 0; i < rows; i++) {
        args[1 + i] = load(e, e->i32, unit->slots[i][column]);
        for (int h = 0; h < HALVES; h++) args[1 + rows + i * HALVES + h] = left[i][h];
    }
    LLVMTypeRef all =
        LLVMStructTypeInContext(e->context, results, (unsigned)(SCRATCH + rows), false);
    LLVMValueRef sums = call_assembly(e, all, texts[rows - 1], constraints[rows - 1], args,
                                      (unsigned)(1 + rows + rows * HALVES));
    for (int i = 0; i < rows; i++)
        store(e, LLVMBuildExtractValue(e->builder, sums, (unsigned)(SCRATCH + i), ""),
              unit->slots[i][column]);
}

/* Adds the products at the next four k. */
static void add_four(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                     LLVMValueRef wide) {
    LLVMValueRef left[UNIT_ROWS][HALVES], words[ROW_COLUMNS];
    load_left(e, p, wide, left);
    load_right(e, p, unit->right, words);
    for (int j = 0; j < p->wide; j++) add_word(e, unit, p->high, j, words[j], left);
}

static void add_products(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                         LLVMValueRef wide) {
    enum { MAX_FOURS = 4, MAX_SHORT = 7 };
    int64_t fours = fours_of(p),
            turn = fours <= MAX_SHORT ? fours : elements_turn(fours, MAX_FOURS);
    LLVMValueRef slot = elements_slot(e, wide);
    elements_clear_sums(e, p, unit);
    Loop loop = elements_loop_begin(e, fours / turn);
    for (int64_t i = 0; i < turn; i++) add_four(e, p, unit, slot);
    elements_loop_end(e, loop, fours / turn);
}

/* The address of the word of column `column` at k = 0. */
static LLVMValueRef column_address(Emitter *e, const DividedProduct *p, LLVMValueRef column) {
    int64_t width = p->product.right.storage.layout.width;
    LLVMValueRef panel = times(e, over(e, column, width), fours_of(p) * width),
                 word = add(e, panel, modulo(e, column, width));
    return factor_address(e, &p->product.right, times(e, word, WORD));
}

int64_t elements_fours(Emitter *e, DividedProduct *p, LLVMValueRef first, LLVMValueRef last) {
    const ElementProduct *product = &p->product;
    p->high = product->rows == 1 ? 1 : UNIT_ROWS;
    p->wide = p->high == 1 ? ROW_COLUMNS : PAIR_COLUMNS;
    p->down = divide_up(product->rows, p->high);
    p->across = divide_up(product->columns, p->wide);
    LLVMTypeRef copy = LLVMArrayType2(e->i8, (uint64_t)(p->high * copy_bytes(p)));
    LLVMValueRef wide = stack_slot(e, copy, WORD);
    ElementUnit unit = {0};
    elements_make_sums(e, p, &unit);
    Loop units = loop_begin(e, first);
    unit.matrix = over(e, units.index, p->down);
    unit.rows = elements_lines(e, modulo(e, units.index, p->down), p->high, product->rows, false);
    copy_rows(e, p, &unit, wide);
    Loop across = elements_loop_begin(e, p->across);
    unit.columns = elements_lines(e, across.index, p->wide, product->columns, true);
    unit.right = elements_slot(e, column_address(e, p, unit.columns.at));
    add_products(e, p, &unit, wide);
    elements_finish(e, p, &unit);
    elements_loop_end(e, across, p->across);
    loop_end(e, units, last, 1);
    return product->batch * p->down;
}
