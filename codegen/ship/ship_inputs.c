/* Computes the inputs of a network from the caller's rows, with the same results as
 * runtime/data/derive.c from the rows of a file: whole numbers in 64 bits, others in f64, rounded
 * once.
 *
 *     for each row: for each line of the input's window: for each element:
 *         input[row][line][element] = the formula in its name
 *
 * A missing cell is NaN. Text is passed as the number of its category, or -1. */
#include "codegen/ship/ship_inputs.h"
#include "codegen/emit/arithmetic.h"
#include "ir/data/derived.h"

#include <assert.h>
#include <string.h>

size_t ship_type_bytes(ShipType type) {
    static const size_t bytes[SHIP_TYPES] = {
        [SHIP_U8] = 1, [SHIP_I32] = 4, [SHIP_F32] = 4, [SHIP_F64] = 8};
    return bytes[type];
}

/* -- inputs by their names -- */

/* The formula of an input: a derived column, or else the plain columns of a field or list, which
 * may be of text. */
static const Derived *formula_of(const SourceSchema *schema, const char *name, Arena *arena) {
    const Derived *derived = derived_find(arena, schema, name);
    if (derived) return derived;
    const SourceField *field = source_field(schema, name);
    Derived *columns = ARENA_NEW(arena, Derived);
    uint32_t *fields = ARENA_ARRAY(arena, uint32_t, 1);
    *columns = (Derived){.kind = DERIVED_COLUMNS, .is_list = !field};
    if (field) {
        *fields = (uint32_t)(field - schema->fields);
        columns->fields = fields;
        columns->count = 1;
    } else
        columns->fields = source_columns_find(schema, name, arena, &columns->count);
    return columns->fields ? columns : NULL;
}

/* Whether a formula gives whole numbers, in 64 bits. */
static bool gives_whole(const ShipField *fields, const Derived *derived) {
    switch (derived->kind) {
    case DERIVED_COLUMNS: {
        bool whole = true;
        for (uint32_t i = 0; i < derived->count; i++)
            whole &= fields[derived->fields[i]].type <= SHIP_I32;
        return whole;
    }
    case DERIVED_WHOLE:
    case DERIVED_INT: return true;
    case DERIVED_ADD:
    case DERIVED_SUB:
    case DERIVED_MUL:
    case DERIVED_MOD:
    case DERIVED_MIN:
    case DERIVED_MAX:
        return gives_whole(fields, derived->args[0]) && gives_whole(fields, derived->args[1]);
    case DERIVED_NEG:
    case DERIVED_ABS:
    case DERIVED_ROUND:
    case DERIVED_FLOOR:
    case DERIVED_AHEAD: return gives_whole(fields, derived->args[0]);
    default: return derived->kind >= DERIVED_LT && derived->kind <= DERIVED_NE;
    }
}

/* The reason why a formula cannot be computed in shipped code; NULL: it can. */
static const char *refused(const ShipField *fields, const Derived *derived) {
    const char *reason = NULL;
    if (!derived) return "does not come from the source";
    if (derived->kind == DERIVED_DATE) return "reads the text of dates";
    if (derived->kind == DERIVED_MOD &&
        !(derived->args[1]->kind == DERIVED_WHOLE && derived->args[1]->whole > 0 &&
          gives_whole(fields, derived->args[0])))
        return "takes a remainder other than that of a whole number and a whole constant";
    for (int i = 0; i < derived_arity(derived->kind) && !reason; i++)
        if (derived->args[i]->kind != DERIVED_FITTED) reason = refused(fields, derived->args[i]);
    return reason;
}

const char *ship_refuses(const SourceSchema *schema, const ShipField *fields, const char *input,
                         Arena *arena) {
    SourceRows rows;
    const char *name = source_rows_of(input, &rows);
    return refused(fields, formula_of(schema, name, arena));
}

int32_t ship_passed(const ShipRequest *request, const Symbol *input) {
    const SourceField *field = source_field(request->schema, input->name);
    if (!field || field->is_column || request->lines > 1) return -1;
    const ShipField *where = &request->fields[field - request->schema->fields];
    ShipType type = input->dtype == DTYPE_F32   ? SHIP_F32
                    : input->dtype == DTYPE_I32 ? SHIP_I32
                                                : SHIP_U8;
    return where->type == type ? (int32_t)where->argument : -1;
}

/* -- one element -- */

/* A number of a formula: an i64 if it is whole, otherwise an f64, which is NaN if the cell is
 * missing. */
typedef struct {
    LLVMValueRef value;
    bool whole;
} Number;

typedef struct {
    Emitter *e;
    const ShipRequest *request;
    const LLVMValueRef *arguments;
    LLVMValueRef row, line; /* i64 */
    LLVMValueRef element;   /* i64: of the input's line */
    int64_t number;         /* of the element; -1: the code runs in a loop over elements */
} Cell;

static LLVMTypeRef f64_type(const Emitter *e) { return LLVMDoubleTypeInContext(e->context); }

static LLVMValueRef const_f64(const Emitter *e, double value) {
    return LLVMConstReal(f64_type(e), value);
}

static Number real_number(LLVMValueRef value) { return (Number){value, false}; }
static Number whole_number(LLVMValueRef value) { return (Number){value, true}; }

static LLVMValueRef real_of(Emitter *e, Number number) {
    return number.whole ? LLVMBuildSIToFP(e->builder, number.value, f64_type(e), "") : number.value;
}

static LLVMValueRef compare_real(Emitter *e, LLVMRealPredicate how, LLVMValueRef a,
                                 LLVMValueRef b) {
    return LLVMBuildFCmp(e->builder, how, a, b, "");
}

static LLVMValueRef is_nan(Emitter *e, LLVMValueRef real) {
    return compare_real(e, LLVMRealUNO, real, real);
}

static LLVMValueRef real_function(Emitter *e, const char *name, LLVMValueRef real) {
    LLVMTypeRef type = f64_type(e);
    return call_intrinsic(e, name, &type, 1, &real, 1);
}

/* A cell of the caller's row: a field of one column, or an element of a field or list. */
static Number cell_number(const Cell *cell, const Derived *columns) {
    static const bool whole[SHIP_TYPES] = {[SHIP_U8] = true, [SHIP_I32] = true};
    Emitter *e = cell->e;
    bool fixed = columns->is_list && cell->number >= 0;
    const ShipField *field = &cell->request->fields[columns->fields[fixed ? cell->number : 0]];
    LLVMTypeRef types[SHIP_TYPES] = {e->i8, e->i32, e->f32, f64_type(e)};
    LLVMValueRef lines = times(e, cell->row, cell->request->lines);
    LLVMValueRef offset = plus(
        e, times(e, add(e, lines, cell->line), (int64_t)cell->request->line_bytes[field->argument]),
        (int64_t)field->offset);
    if (!fixed)
        offset = add(e, offset, times(e, cell->element, (int64_t)ship_type_bytes(field->type)));
    LLVMValueRef at =
        LLVMBuildGEP2(e->builder, e->i8, cell->arguments[field->argument], &offset, 1, "");
    LLVMValueRef value = load(e, types[field->type], at);
    if (field->type == SHIP_U8) return whole_number(LLVMBuildZExt(e->builder, value, e->i64, ""));
    if (whole[field->type]) return whole_number(LLVMBuildSExt(e->builder, value, e->i64, ""));
    return real_number(LLVMBuildFPExt(e->builder, value, f64_type(e), ""));
}

/* -- operations -- */

/* The remainder with the divisor's sign: r = a % b; r + (r != 0 && (r < 0) != (b < 0) ? b : 0) */
static LLVMValueRef whole_remainder(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef zero = const_i64(e, 0), rest = LLVMBuildSRem(e->builder, a, b, "");
    LLVMValueRef signs = LLVMBuildXor(e->builder, lt(e, rest, zero), lt(e, b, zero), "");
    LLVMValueRef off = bit_and(e, ne(e, rest, zero), signs);
    return choose(e, off, add(e, rest, b), rest);
}

/* The larger of two numbers; NaN if one of them is NaN. */
static LLVMValueRef larger(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef first = bit_or(e, is_nan(e, a), compare_real(e, LLVMRealOGT, a, b));
    return choose(e, first, a, b);
}

static LLVMValueRef negative(Emitter *e, LLVMValueRef real) {
    return LLVMBuildFNeg(e->builder, real, "");
}

/* A comparison is the whole number 0 or 1. */
static Number truth(Emitter *e, LLVMValueRef bit) {
    return whole_number(LLVMBuildZExt(e->builder, bit, e->i64, ""));
}

static Number whole_operation(Emitter *e, DerivedKind kind, LLVMValueRef a, LLVMValueRef b) {
    switch (kind) {
    case DERIVED_ADD: return whole_number(add(e, a, b));
    case DERIVED_SUB: return whole_number(sub(e, a, b));
    case DERIVED_MUL: return whole_number(mul(e, a, b));
    case DERIVED_MOD: return whole_number(whole_remainder(e, a, b));
    case DERIVED_MIN: return whole_number(min(e, a, b));
    case DERIVED_MAX: return whole_number(max(e, a, b));
    case DERIVED_LT: return truth(e, lt(e, a, b));
    case DERIVED_LE: return truth(e, le(e, a, b));
    case DERIVED_GT: return truth(e, gt(e, a, b));
    case DERIVED_GE: return truth(e, ge(e, a, b));
    case DERIVED_EQ: return truth(e, eq(e, a, b));
    default:
        assert(kind == DERIVED_NE && "a column is computed in a way unknown here");
        return truth(e, ne(e, a, b));
    }
}

static Number real_operation(Emitter *e, DerivedKind kind, LLVMValueRef a, LLVMValueRef b) {
    switch (kind) {
    case DERIVED_ADD: return real_number(LLVMBuildFAdd(e->builder, a, b, ""));
    case DERIVED_SUB: return real_number(LLVMBuildFSub(e->builder, a, b, ""));
    case DERIVED_MUL: return real_number(LLVMBuildFMul(e->builder, a, b, ""));
    case DERIVED_DIV: return real_number(LLVMBuildFDiv(e->builder, a, b, ""));
    case DERIVED_MIN: return real_number(negative(e, larger(e, negative(e, a), negative(e, b))));
    case DERIVED_MAX: return real_number(larger(e, a, b));
    case DERIVED_LT: return truth(e, compare_real(e, LLVMRealOLT, a, b));
    case DERIVED_LE: return truth(e, compare_real(e, LLVMRealOLE, a, b));
    case DERIVED_GT: return truth(e, compare_real(e, LLVMRealOGT, a, b));
    case DERIVED_GE: return truth(e, compare_real(e, LLVMRealOGE, a, b));
    case DERIVED_EQ: return truth(e, compare_real(e, LLVMRealOEQ, a, b));
    default: return truth(e, compare_real(e, LLVMRealUNE, a, b));
    }
}

static Number compute(const Cell *cell, const Derived *derived);

/* floor(x). If x is a / b of whole numbers with a constant b > 0, it is computed in integers, so
 * that no digit of a large number is lost. */
static Number floor_of(const Cell *cell, const Derived *derived) {
    Emitter *e = cell->e;
    const Derived *quotient = derived->args[0];
    bool whole = quotient->kind == DERIVED_DIV && quotient->args[1]->kind == DERIVED_WHOLE &&
                 quotient->args[1]->whole > 0;
    Number a = compute(cell, whole ? quotient->args[0] : quotient);
    if (!whole && a.whole) return a;
    if (!whole) return real_number(real_function(e, "llvm.floor", a.value));
    LLVMValueRef by = const_i64(e, quotient->args[1]->whole);
    if (!a.whole) {
        LLVMValueRef real = LLVMBuildFDiv(e->builder, a.value, real_of(e, whole_number(by)), "");
        return real_number(real_function(e, "llvm.floor", real));
    }
    LLVMValueRef below = sub(e, a.value, whole_remainder(e, a.value, by));
    return whole_number(LLVMBuildSDiv(e->builder, below, by, ""));
}

static Number single_operation(const Cell *cell, const Derived *derived) {
    Emitter *e = cell->e;
    if (derived->kind == DERIVED_FLOOR) return floor_of(cell, derived);
    Number a = compute(cell, derived->args[0]);
    LLVMTypeRef types[] = {e->i64, f64_type(e)};
    LLVMValueRef negated = a.whole ? sub(e, const_i64(e, 0), a.value) : negative(e, a.value);
    switch (derived->kind) {
    case DERIVED_NEG: return (Number){negated, a.whole};
    case DERIVED_ABS:
        return a.whole ? whole_number(max(e, a.value, negated))
                       : real_number(real_function(e, "llvm.fabs", a.value));
    case DERIVED_ROUND:
        return a.whole ? a : real_number(real_function(e, "llvm.roundeven", a.value));
    default:
        assert(derived->kind == DERIVED_INT && "a column is computed in a way unknown here");
        return a.whole ? a
                       : whole_number(call_intrinsic(e, "llvm.fptosi.sat", types, 2, &a.value, 1));
    }
}

/* -- fitted transforms, classes -- */

static const ShipFitted *fitted_of(const ShipRequest *request, const char *name) {
    for (uint32_t i = 0; i < request->fitted_count; i++)
        if (!strcmp(request->fitted[i].name, name)) return &request->fitted[i];
    return NULL;
}

/* numbers[element] */
static LLVMValueRef fitted_number(const Cell *cell, const double *numbers, int64_t count) {
    Emitter *e = cell->e;
    if (cell->number >= 0) return const_f64(e, numbers[cell->number]);
    if (count == 1) return const_f64(e, numbers[0]);
    LLVMValueRef *items = ARENA_ARRAY(e->arena, LLVMValueRef, count);
    for (int64_t i = 0; i < count; i++) items[i] = const_f64(e, numbers[i]);
    LLVMValueRef values = LLVMConstArray2(f64_type(e), items, (uint64_t)count);
    LLVMValueRef array = LLVMAddGlobal(e->module, LLVMTypeOf(values), "fitted");
    LLVMSetInitializer(array, values);
    LLVMSetGlobalConstant(array, true);
    LLVMSetLinkage(array, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(array, LLVMGlobalUnnamedAddr);
    LLVMValueRef element = cell->element;
    return load(e, f64_type(e), LLVMBuildGEP2(e->builder, f64_type(e), array, &element, 1, ""));
}

static Number standardized(const Cell *cell, const Derived *derived) {
    Emitter *e = cell->e;
    const ShipFitted *fitted = fitted_of(cell->request, derived->args[1]->fit);
    LLVMValueRef x = real_of(e, compute(cell, derived->args[0]));
    LLVMValueRef mean = fitted_number(cell, fitted->values, fitted->count),
                 deviation = fitted_number(cell, fitted->deviation, fitted->count);
    LLVMValueRef centred = LLVMBuildFSub(e->builder, x, mean, "");
    return real_number(LLVMBuildFDiv(e->builder, centred, deviation, ""));
}

static Number imputed(const Cell *cell, const Derived *derived) {
    Emitter *e = cell->e;
    const Derived *by = derived->args[1];
    Number x = compute(cell, derived->args[0]);
    if (x.whole) return x;
    const ShipFitted *fitted =
        by->kind == DERIVED_FITTED ? fitted_of(cell->request, by->fit) : NULL;
    LLVMValueRef other =
        fitted ? fitted_number(cell, fitted->values, fitted->count) : real_of(e, compute(cell, by));
    return real_number(choose(e, is_nan(e, x.value), other, x.value));
}

/* The number of a class: the index of the number among those of the training rows, -1 if it is none
 * of them. */
static Number class_number(const Cell *cell, const Derived *derived, const SourceField *field) {
    Emitter *e = cell->e;
    Number x = compute(cell, derived->args[0]);
    LLVMValueRef number = const_i64(e, -1), real = x.whole ? NULL : x.value;
    for (uint32_t i = 0; i < field->category_count; i++) {
        LLVMValueRef this = const_i64(e, field->numbers[i]);
        LLVMValueRef same =
            x.whole ? eq(e, x.value, this)
                    : compare_real(e, LLVMRealOEQ, real, const_f64(e, (double)field->numbers[i]));
        number = choose(e, same, const_i64(e, i), number);
    }
    return whole_number(number);
}

static Number number_ahead(const Cell *cell, const Derived *derived) {
    Cell other = *cell;
    other.line = plus(cell->e, cell->line, derived->whole);
    return compute(&other, derived->args[0]);
}

static Number compute(const Cell *cell, const Derived *derived) {
    Emitter *e = cell->e;
    switch (derived->kind) {
    case DERIVED_COLUMNS: return cell_number(cell, derived);
    case DERIVED_WHOLE: return whole_number(const_i64(e, derived->whole));
    case DERIVED_REAL: return real_number(const_f64(e, derived->real));
    case DERIVED_IMPUTE: return imputed(cell, derived);
    case DERIVED_STANDARDIZE: return standardized(cell, derived);
    case DERIVED_AHEAD: return number_ahead(cell, derived);
    default: break;
    }
    if (derived_arity(derived->kind) == 1) return single_operation(cell, derived);
    Number a = compute(cell, derived->args[0]), b = compute(cell, derived->args[1]);
    if (a.whole && b.whole && derived->kind != DERIVED_DIV)
        return whole_operation(e, derived->kind, a.value, b.value);
    return real_operation(e, derived->kind, real_of(e, a), real_of(e, b));
}

/* -- all elements of an input -- */

/* Whether the columns of every list are contiguous and have one type, so that a loop can compute
 * its elements. */
static bool lists_are_regular(const ShipField *fields, const Derived *derived) {
    const ShipField *first = derived->is_list ? &fields[derived->fields[0]] : NULL;
    for (uint32_t i = 1; first && i < derived->count; i++) {
        const ShipField *next = &fields[derived->fields[i]];
        if (next->type != first->type || next->argument != first->argument ||
            next->offset != first->offset + i * ship_type_bytes(first->type))
            return false;
    }
    for (int i = 0; i < derived_arity(derived->kind); i++)
        if (!lists_are_regular(fields, derived->args[i])) return false;
    return true;
}

/* Rounds a number to the type of the input and stores it as element `at`. */
static void store_number(Emitter *e, DType dtype, Number number, LLVMValueRef to, LLVMValueRef at) {
    LLVMTypeRef type = dtype_type(e, dtype, true);
    LLVMValueRef value = number.value;
    if (dtype == DTYPE_F32)
        value = number.whole ? LLVMBuildSIToFP(e->builder, value, type, "")
                             : LLVMBuildFPTrunc(e->builder, value, type, "");
    else if (number.whole)
        value = LLVMBuildTrunc(e->builder, value, type, "");
    else {
        LLVMTypeRef types[] = {type, f64_type(e)};
        value = call_intrinsic(e, "llvm.fptosi.sat", types, 2, &value, 1);
    }
    store(e, value, element_pointer(e, to, dtype, at));
}

/* The window of an input: lines from .. to around the row. */
typedef struct {
    const Derived *derived;
    const SourceField *classes; /* of classes(...); else NULL */
    SourceRows rows;
    int64_t elements; /* of a line */
} InputLines;

static InputLines lines_of(const ShipRequest *request, const Symbol *input, Arena *arena) {
    InputLines lines;
    const char *name = source_rows_of(input->name, &lines.rows);
    int64_t count = lines.rows.to - lines.rows.from + 1;
    lines.derived = formula_of(request->schema, name, arena);
    lines.classes =
        lines.derived->kind == DERIVED_CLASSES ? source_any(request->schema, name) : NULL;
    lines.elements = shape_elements(input->shape) / input->shape.dim[0] / count;
    return lines;
}

static void compute_element(const Cell *cell, const InputLines *lines, DType dtype, LLVMValueRef to,
                            LLVMValueRef first) {
    Number number = lines->classes ? class_number(cell, lines->derived, lines->classes)
                                   : compute(cell, lines->derived);
    store_number(cell->e, dtype, number, to, add(cell->e, first, cell->element));
}

/* All elements of a line; `first` is the number of its first one. */
static void compute_line(Cell *cell, const InputLines *lines, DType dtype, LLVMValueRef to,
                         LLVMValueRef first) {
    Emitter *e = cell->e;
    if (lists_are_regular(cell->request->fields, lines->derived)) {
        Loop loop = loop_begin(e, const_i64(e, 0));
        cell->element = loop.index;
        cell->number = -1;
        compute_element(cell, lines, dtype, to, first);
        loop_end(e, loop, const_i64(e, lines->elements), 1);
    } else
        for (cell->number = 0; cell->number < lines->elements; cell->number++) {
            cell->element = const_i64(e, cell->number);
            compute_element(cell, lines, dtype, to, first);
        }
}

void ship_compute(Emitter *e, const ShipRequest *request, const Symbol *input,
                  const LLVMValueRef *arguments, LLVMValueRef to) {
    InputLines lines = lines_of(request, input, e->arena);
    int64_t count = lines.rows.to - lines.rows.from + 1;
    Loop rows = loop_begin(e, const_i64(e, 0)), window = loop_begin(e, const_i64(e, 0));
    LLVMValueRef line = add(e, times(e, rows.index, count), window.index);
    Cell cell = {.e = e,
                 .request = request,
                 .arguments = arguments,
                 .row = rows.index,
                 .line = plus(e, window.index, request->before + lines.rows.from)};
    compute_line(&cell, &lines, input->dtype, to, times(e, line, lines.elements));
    loop_end(e, window, const_i64(e, count), 1);
    loop_end(e, rows, const_i64(e, input->shape.dim[0]), 1);
}
