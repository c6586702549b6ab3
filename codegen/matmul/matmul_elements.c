/* Matrix products by single elements, for processors without vectors. A unit is some neighbouring
 * rows and columns of the product:
 *
 *     sum[] = 0
 *     for k ascending: for each row, column:
 *         sum[row, column] = fma(left[row, k], right[k, column], sum[row, column])
 *     for each row, column: compute the epilogue of sum[row, column] + 0, store
 *
 * The + 0 turns -0 into 0, as the numerics contract demands. Sums of bytes are whole numbers:
 * sum = sum + left * right. The loop over k is one to three loops: see element_product.h. */
#include "codegen/matmul/elements.h"

#include <string.h>

/* -- sums -- */

/* Ends a loop and tells LLVM how often it turns: it keeps the values of the busiest loops in
 * registers, and takes loops inside of loops for busier. */
static void loop_end_counted(Emitter *e, Loop loop, LLVMValueRef to, int64_t step, int64_t turns) {
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    loop_end(e, loop, to, step);
    LLVMMetadataRef parts[] = {
        LLVMMDStringInContext2(e->context, "branch_weights", strlen("branch_weights")),
        LLVMValueAsMetadata(const_i32(e, (int32_t)min_i64(turns, INT32_MAX))),
        LLVMValueAsMetadata(const_i32(e, 1))};
    LLVMMetadataRef weights = LLVMMDNodeInContext2(e->context, parts, 3);
    LLVMSetMetadata(LLVMGetBasicBlockTerminator(end),
                    LLVMGetMDKindIDInContext(e->context, "prof", strlen("prof")),
                    LLVMMetadataAsValue(e->context, weights));
}

Loop elements_loop_begin(Emitter *e, int64_t turns) {
    return turns == 1 ? (Loop){.index = const_i64(e, 0)} : loop_begin(e, const_i64(e, 0));
}

void elements_loop_end(Emitter *e, Loop loop, int64_t turns) {
    if (turns > 1) loop_end_counted(e, loop, const_i64(e, turns), 1, turns);
}

int64_t elements_turn(int64_t size, int64_t most) {
    int64_t turn = min_i64(size, most);
    while (size % turn) turn--;
    return turn;
}

/* Adds the products of a row at one k. */
static void add_row(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                    LLVMValueRef left, const LLVMValueRef right[PLAN_COLUMNS]) {
    for (int j = 0; j < p->wide; j++) {
        LLVMValueRef sum = load(e, p->product.sum, unit->slots[row][j]);
        sum = product_accumulate(e, &p->product, left, right[j], sum);
        store(e, sum, unit->slots[row][j]);
    }
}

/* Adds the products at the k that is `later` steps after that of the pointers. */
static void add_step(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                     const FactorStep *step, int64_t later) {
    LLVMValueRef left[UNIT_ROWS], right[PLAN_COLUMNS];
    for (int j = 0; j < p->wide; j++) right[j] = elements_right(e, p, unit, j, step, later);
    for (int i = 0; i < p->high; i++) left[i] = elements_left(e, p, unit, i, step, later);
    for (int i = 0; i < p->high; i++) add_row(e, p, unit, i, left[i], right);
}

/* How many k a turn of the innermost loop adds: two if there are few sums, as most instructions
 * would otherwise be those of the loop. */
static int64_t k_together(const Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    bool few = p->product.sum == e->f32 && p->high * p->wide <= PLAN_COLUMNS && unit->left[0] &&
               unit->right;
    return few && p->product.k_size[K_AXES - 1] % 2 == 0 ? 2 : 1;
}

/* Adds the products at the next `count` k. */
static void add_turn(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int count) {
    LLVMValueRef left[UNIT_ROWS][MAX_TURN], right[PLAN_COLUMNS];
    for (int i = 0; i < p->high; i++) elements_left_run(e, p, unit, i, count, left[i]);
    for (int k = 0; k < count; k++) {
        elements_right_run(e, p, unit, right);
        for (int i = 0; i < p->high; i++) add_row(e, p, unit, i, left[i][k], right);
    }
}

/* Several k at a time: as many as divide the loop. A short loop has one turn. */
static void add_turns(Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    enum { MAX_PRODUCTS = 32, MAX_SHORT = 64 };
    int64_t size = p->product.k_size[K_AXES - 1], sums = p->high * p->wide;
    int64_t most = size * sums <= MAX_SHORT ? size : max_i64(1, MAX_PRODUCTS / sums);
    int64_t turn = elements_turn(size, min_i64(most, MAX_TURN));
    Loop loop = elements_loop_begin(e, size / turn);
    add_turn(e, p, unit, (int)turn);
    elements_loop_end(e, loop, size / turn);
}

/* The innermost loop over k, from a step on. */
static void emit_innermost(Emitter *e, const DividedProduct *p, ElementUnit *unit,
                           FactorStep *step) {
    int64_t size = p->product.k_size[K_AXES - 1];
    step->part[K_AXES - 1] = const_i64(e, 0);
    step->k = times(e, step->k, size);
    elements_set_pointers(e, p, unit, step);
    if (size == 1) {
        add_step(e, p, unit, step, 0);
    } else if (elements_have_runs(e, p, unit)) {
        add_turns(e, p, unit);
    } else {
        Loop loop = loop_begin(e, const_i64(e, 0));
        int64_t together = k_together(e, p, unit);
        step->part[K_AXES - 1] = loop.index;
        step->k = add(e, step->k, loop.index);
        for (int64_t i = 0; i < together; i++) add_step(e, p, unit, step, i);
        elements_advance(e, p, unit, together);
        loop_end_counted(e, loop, const_i64(e, size), together, size / together);
    }
}

void elements_make_sums(Emitter *e, const DividedProduct *p, ElementUnit *unit) {
    for (int i = 0; i < p->high; i++)
        for (int j = 0; j < p->wide; j++)
            unit->slots[i][j] = stack_slot(e, p->product.sum, sizeof(float));
}

void elements_clear_sums(Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    for (int i = 0; i < p->high; i++)
        for (int j = 0; j < p->wide; j++)
            store(e, LLVMConstNull(p->product.sum), unit->slots[i][j]);
}

/* Clears the sums and adds all products. */
static void emit_sums(Emitter *e, const DividedProduct *p, ElementUnit *unit) {
    Loop loops[K_AXES - 1];
    elements_clear_sums(e, p, unit);
    FactorStep step = product_begin_loops(e, &p->product, K_AXES - 1, loops);
    emit_innermost(e, p, unit, &step);
    for (int i = K_AXES - 1; i-- > 0;)
        if (p->product.k_size[i] > 1)
            loop_end_counted(e, loops[i], const_i64(e, p->product.k_size[i]), 1,
                             p->product.k_size[i]);
}

/* -- units -- */

/* Divides the product. The columns of a unit are a panel of the right factor, or else there are as
 * few units as possible, all equally wide. */
static void divide_product(const Emitter *e, DividedProduct *p) {
    Layout layout = p->product.right.storage.layout;
    /* sums of bytes are in the processor's 13 registers for integers */
    bool bytes = p->product.sum != e->f32;
    int64_t most = bytes ? PLAN_BYTE_COLUMNS : PLAN_COLUMNS;
    p->panels = layout.kind == LAYOUT_PANEL && !layout.fours &&
                layout.axis == p->product.right.line_axis - 1 && layout.width <= most;
    p->across = divide_up(p->product.columns, p->panels ? layout.width : most);
    p->wide = (int)divide_up(p->product.columns, p->across);
    if (p->panels) p->wide = layout.width;
    if (bytes && !p->panels) p->wide = (int)min_i64(p->product.columns, most);
    p->high = bytes || p->product.rows == 1 ? 1 : UNIT_ROWS;
    p->down = divide_up(p->product.rows, p->high);
}

ElementLines elements_lines(Emitter *e, LLVMValueRef number, int length, int64_t all, bool padded) {
    LLVMValueRef wanted = times(e, number, length);
    ElementLines lines = {wanted, const_i64(e, 0), const_i64(e, length)};
    if (all % length == 0) return lines;
    if (padded) {
        lines.to = min(e, lines.to, sub(e, const_i64(e, all), wanted));
    } else {
        lines.at = min(e, wanted, const_i64(e, all - length));
        lines.from = sub(e, wanted, lines.at);
    }
    return lines;
}

static ElementUnit unit_of(Emitter *e, const DividedProduct *p, LLVMValueRef number) {
    LLVMValueRef row = over(e, number, p->across), column = modulo(e, number, p->across);
    int64_t k = product_depth(&p->product);
    ElementUnit unit = {
        .matrix = over(e, row, p->down),
        .rows = elements_lines(e, modulo(e, row, p->down), p->high, p->product.rows, false),
        .columns = elements_lines(e, column, p->wide, p->product.columns, p->panels),
        .panel = times(e, column, k * p->wide)};
    elements_make_sums(e, p, &unit);
    return unit;
}

static LLVMValueRef sum_pointer(Emitter *e, const DividedProduct *p, LLVMValueRef sums,
                                LLVMValueRef number) {
    return LLVMBuildGEP2(e->builder, p->product.sum, sums, &number, 1, "");
}

/* Computes the epilogues and stores. Those of several sums are emitted as two loops, as their code
 * is long. */
void elements_finish(Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    const ElementLines *rows = &unit->rows, *columns = &unit->columns;
    if (p->high * p->wide == 1) {
        ProductElement at = {unit->matrix, rows->at, columns->at};
        product_store(e, &p->product, &at, load(e, p->product.sum, unit->slots[0][0]));
        return;
    }
    LLVMTypeRef array = LLVMArrayType2(p->product.sum, (uint64_t)(p->high * p->wide));
    LLVMValueRef sums = stack_slot(e, array, sizeof(float));
    for (int i = 0; i < p->high; i++)
        for (int j = 0; j < p->wide; j++)
            store(e, load(e, p->product.sum, unit->slots[i][j]),
                  sum_pointer(e, p, sums, const_i64(e, i * p->wide + j)));
    Loop down = {.index = const_i64(e, 0)};
    if (p->high > 1) down = loop_begin(e, rows->from);
    Loop across = loop_begin(e, columns->from);
    LLVMValueRef number = add(e, times(e, down.index, p->wide), across.index);
    ProductElement at = {unit->matrix, add(e, rows->at, down.index),
                         add(e, columns->at, across.index)};
    Region region = region_begin(e);
    product_store(e, &p->product, &at, load(e, p->product.sum, sum_pointer(e, p, sums, number)));
    region_end(e, region);
    loop_end_counted(e, across, columns->to, 1, p->wide);
    if (p->high > 1) loop_end_counted(e, down, rows->to, 1, p->high);
}

int64_t matmul_elements(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    DividedProduct p = {.product = elements_product(e)};
    if (elements_in_fours(e, &p.product)) return elements_fours(e, &p, first, last);
    divide_product(e, &p);
    Loop units = loop_begin(e, first);
    ElementUnit unit = unit_of(e, &p, units.index);
    emit_sums(e, &p, &unit);
    elements_finish(e, &p, &unit);
    loop_end(e, units, last, 1);
    return p.product.batch * p.down * p.across;
}
