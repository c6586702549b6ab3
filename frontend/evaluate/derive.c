/* Derived columns: source.end - source.start becomes one input of the graph, "end - start". The
 * runtime computes it from the numbers of the file, in whole numbers of 64 bits or in f64
 * (ir/data/derived.h). An operation on f32 would lose digits: f32 cannot hold a Unix time.
 *
 * The result is an input again, so further arithmetic extends its formula. That also holds for the
 * rows of windows(...) and ahead(...). */
#include "frontend/evaluate/evaluate.h"
#include "ir/data/derived.h"

#include <string.h>

enum { MAX_DEPTH = 100 }; /* the maximal depth of a formula */

static int depth_of(const Derived *derived) {
    int deepest = 0;
    for (int i = 0; i < derived_arity(derived->kind); i++) {
        int depth = depth_of(derived->args[i]);
        if (depth > deepest) deepest = depth;
    }
    return deepest + 1;
}

/* -- from nodes to columns -- */

/* Columns of tables, i32 and wide numbers can have more digits than f32. Bytes and f32 arrays
 * cannot. */
bool derived_has_digits(const SourceSchema *schema, const Derived *derived) {
    if (derived->kind == DERIVED_DATE) return true;
    if (derived->kind == DERIVED_COLUMNS) {
        const SourceField *field = &schema->fields[derived->fields[0]];
        return field->is_column || field->is_wide || field->dtype == DTYPE_I32;
    }
    bool digits = false;
    for (int i = 0; i < derived_arity(derived->kind); i++)
        digits |= derived_has_digits(schema, derived->args[i]);
    return digits;
}

/* Whether the column has whole numbers only, whatever the data are. */
static bool is_whole(const Evaluator *evaluator, const Derived *derived) {
    const SourceSchema *schema = evaluator->globals->schema;
    bool whole = derived->kind != DERIVED_REAL && derived->kind != DERIVED_DIV &&
                 derived->kind != DERIVED_STANDARDIZE;
    if (derived->kind == DERIVED_DATE) {
        for (uint32_t i = 0; i < derived->count; i++) whole &= derived->parts[i] != DATE_seconds;
        return whole || !date_format_has_fraction(derived->format);
    }
    if (derived->kind == DERIVED_FITTED) {
        /* impute by the most frequent value: the most frequent of whole numbers is a whole
         * number. */
        for (const struct FitItem *item = evaluator->fits->last; item; item = item->before)
            if (!strcmp(item->fit.name, derived->fit)) return item->fit.kind == FIT_MODE;
        return false;
    }
    for (uint32_t i = 0; i < derived->count; i++)
        whole &= schema->fields[derived->fields[i]].dtype == DTYPE_I32;
    if (derived->kind == DERIVED_INT) return true;
    if (derived->kind == DERIVED_FLOOR && derived->args[0]->kind == DERIVED_DIV)
        derived = derived->args[0];
    for (int i = 0; i < derived_arity(derived->kind); i++)
        whole &= is_whole(evaluator, derived->args[i]);
    return whole;
}

/* A list of one column becomes that column. */
static const Derived *simplest(Arena *arena, const Derived *derived) {
    if (!derived->is_list || derived->count != 1) return derived;
    Derived *single = ARENA_NEW(arena, Derived);
    *single = *derived;
    single->is_list = false;
    return single;
}

/* The columns from, from + step, ... of a list, `count` of them. */
static const Derived *some_columns(Arena *arena, const Derived *derived, int64_t from, int64_t step,
                                   uint32_t count) {
    Derived *some = ARENA_NEW(arena, Derived);
    *some = *derived;
    for (int i = 0; i < derived_arity(derived->kind); i++)
        some->args[i] = some_columns(arena, derived->args[i], from, step, count);
    if (!derived->is_list) return some;
    uint32_t *fields = ARENA_ARRAY(arena, uint32_t, count);
    DatePart *parts = ARENA_ARRAY(arena, DatePart, count);
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = derived->fields[from + i * step];
        if (derived->parts) parts[i] = derived->parts[from + i * step];
    }
    some->fields = fields;
    some->parts = parts;
    some->count = count;
    return simplest(arena, some);
}

/* Whether all columns in the formula are lists, so that a slice of the result is the same slice of
 * each. */
static bool reads_lists(const Derived *derived) {
    bool lists = !derived->count || derived->is_list;
    for (int i = 0; i < derived_arity(derived->kind); i++) lists &= reads_lists(derived->args[i]);
    return lists;
}

static bool is_row_itself(SourceRows rows) {
    return rows.from == 0 && rows.to == 0 && rows.stride == 1;
}

bool derived_is_list(const Derived *derived) {
    bool list = derived->is_list;
    for (int i = 0; i < derived_arity(derived->kind); i++)
        list |= derived_is_list(derived->args[i]);
    return list;
}

/* A formula with fitted numbers cannot be sliced or moved: they belong to columns by position. */
bool derived_has_fitted(const Derived *derived) {
    bool fitted = derived->kind == DERIVED_FITTED;
    for (int i = 0; i < derived_arity(derived->kind); i++)
        fitted |= derived_has_fitted(derived->args[i]);
    return fitted;
}

/* Narrows the rows of windows(...) or ahead(...), [N, rows, ...], to those that a slice along axis
 * 1 leaves. False for other slices. */
static bool some_rows(const Node *whole, const Node *node, SourceRows *rows) {
    const int64_t *from = node->attrs.range.start, *step = node->attrs.range.step;
    bool good = whole->op == OP_input && whole->shape.rank >= 2;
    for (int axis = 0; axis < whole->shape.rank; axis++)
        good &= step[axis] == 1 && (axis == 1 || node->shape.dim[axis] == whole->shape.dim[axis]);
    rows->from += from[1];
    rows->to = rows->from + node->shape.dim[1] - 1;
    return good;
}

static const Derived *of_slice(const Evaluator *evaluator, const Node *node, SourceRows *rows) {
    const Node *whole = graph_operand(evaluator->graph, node, 0);
    const Derived *derived = derived_around(evaluator, node->operands[0], rows);
    if (!is_row_itself(*rows)) return derived && some_rows(whole, node, rows) ? derived : NULL;
    bool columns = derived && whole->shape.rank == 2 && node->shape.dim[0] == whole->shape.dim[0] &&
                   reads_lists(derived) && !derived_has_fitted(derived);
    if (!columns || derived_row(evaluator->globals->schema, derived).rank != 1) return NULL;
    return some_columns(evaluator->arena, derived, node->attrs.range.start[1],
                        node->attrs.range.step[1], (uint32_t)node->shape.dim[1]);
}

/* Whether a node has the same numbers as its operand: whole numbers as f32, or another shape of the
 * row. */
static bool is_same(const Graph *graph, const Node *node) {
    const Node *operand = node->operand_count ? graph_operand(graph, node, 0) : NULL;
    if (node->op == OP_convert)
        return node->dtype == DTYPE_F32 && (operand->op == OP_input || operand->op == OP_reshape);
    return node->op == OP_reshape && node->shape.rank > 0 && operand->shape.rank > 0 &&
           node->shape.dim[0] == operand->shape.dim[0];
}

const Derived *derived_around(const Evaluator *evaluator, NodeId id, SourceRows *rows) {
    const Node *node = graph_node(evaluator->graph, id);
    *rows = ROW_ITSELF;
    if (node->op == OP_input) {
        const SourceSchema *schema = evaluator->globals->schema;
        const Symbol *symbol = &evaluator->graph->symbols[node->attrs.symbol];
        if (!schema || symbol->kind != SYMBOL_BATCH) return NULL;
        const Derived *derived =
            derived_find(evaluator->arena, schema, source_rows_of(symbol->name, rows));
        /* Classes are not numbers to compute with. */
        bool number = derived && derived->kind != DERIVED_CLASSES;
        return number ? simplest(evaluator->arena, derived) : NULL;
    }
    if (node->op == OP_slice) return of_slice(evaluator, node, rows);
    return is_same(evaluator->graph, node) ? derived_around(evaluator, node->operands[0], rows)
                                           : NULL;
}

const Derived *derived_of(const Evaluator *evaluator, NodeId id) {
    SourceRows rows;
    const Derived *derived = derived_around(evaluator, id, &rows);
    return is_row_itself(rows) ? derived : NULL;
}

/* -- from columns to nodes -- */

/* Adds a derived column to the schema, so that the runtime computes it. */
static void declare(Evaluator *evaluator, const char *name, const Derived *derived) {
    SourceSchema *schema = evaluator->globals->schema;
    if (!evaluator->log || source_any(schema, name)) return;
    SourceField *field = ARENA_NEW(schema->derived->arena, SourceField);
    *field = (SourceField){.name = arena_copy_string(schema->derived->arena, name, strlen(name)),
                           .dtype = derived_dtype(derived),
                           .row = derived_row(schema, derived),
                           .is_column = true};
    source_add_derived(schema, field);
}

/* The input of the graph for a field in these rows, reshaped to `shape`. */
static Value shaped_input(Evaluator *evaluator, SourceField field, SourceRows rows, Shape shape,
                          Span span) {
    if (!is_row_itself(rows)) {
        field.name =
            source_rows_name(evaluator->arena, rows.from, rows.to, rows.stride, field.name);
        memmove(&field.row.dim[1], &field.row.dim[0],
                (size_t)field.row.rank++ * sizeof *field.row.dim);
        field.row.dim[0] = rows.to - rows.from + 1;
    }
    Value value = source_input(evaluator, &field, span);
    if (value.kind == VALUE_ERROR) return value;
    return evaluator_built(evaluator, span, build_reshape(evaluator->graph, value.node, shape));
}

Value derive_column(Evaluator *evaluator, const Derived *derived, SourceRows rows, Shape shape,
                    Span span) {
    const SourceSchema *schema = evaluator->globals->schema;
    const char *name = derived_name(evaluator->arena, schema, derived);
    SourceField field = {
        .name = name, .dtype = derived_dtype(derived), .row = derived_row(schema, derived)};
    declare(evaluator, name, derived);
    return shaped_input(evaluator, field, rows, shape, span);
}

NodeId derived_node(Evaluator *evaluator, const Derived *derived, SourceRows rows, Shape shape) {
    const SourceSchema *schema = evaluator->globals->schema;
    if (derived->kind != DERIVED_COLUMNS)
        return derive_column(evaluator, derived, rows, shape, (Span){0}).node;
    SourceField field = schema->fields[derived->fields[0]];
    if (derived->is_list)
        field = (SourceField){
            .name = source_columns_name(evaluator->arena, derived->fields, derived->count),
            .dtype = DTYPE_F32,
            .row = derived_row(schema, derived)};
    return shaped_input(evaluator, field, rows, shape, (Span){0}).node;
}

static bool is_derivable(const Derived *derived) {
    return derived && depth_of(derived) < MAX_DEPTH;
}

/* int(x) of a column that is whole already; VALUE_NONE for others. */
Value derive_whole(Evaluator *evaluator, Value x, Span span) {
    SourceRows rows;
    const Derived *of = x.kind == VALUE_TENSOR ? derived_around(evaluator, x.node, &rows) : NULL;
    if (!of || !is_whole(evaluator, of)) return value_none();
    return derive_single(evaluator, DERIVED_INT, x, span);
}

Value derive_single(Evaluator *evaluator, DerivedKind kind, Value x, Span span) {
    SourceRows rows;
    const Derived *of = x.kind == VALUE_TENSOR ? derived_around(evaluator, x.node, &rows) : NULL;
    if (!is_derivable(of) ||
        !(kind == DERIVED_INT || derived_has_digits(evaluator->globals->schema, of)))
        return value_none();
    Derived derived = {.kind = kind, .args = {of}};
    return derive_column(evaluator, &derived, rows, tensor_node(evaluator, x)->shape, span);
}

static const Derived *of_value(const Evaluator *evaluator, Value value, SourceRows *rows) {
    Derived *number = ARENA_NEW(evaluator->arena, Derived);
    if (value.kind == VALUE_TENSOR) return derived_around(evaluator, value.node, rows);
    if (!value_is_number(value)) return NULL;
    *number = value.kind == VALUE_INT ? (Derived){.kind = DERIVED_WHOLE, .whole = value.integer}
                                      : (Derived){.kind = DERIVED_REAL, .real = value.real};
    return number;
}

/* -- operands in different rows -- */

/* The column read `rows` rows later. */
static const Derived *ahead_by(Arena *arena, const Derived *derived, int64_t rows) {
    bool again = derived->kind == DERIVED_AHEAD;
    Derived *ahead = ARENA_NEW(arena, Derived);
    if (again) rows += derived->whole;
    *ahead = (Derived){
        .kind = DERIVED_AHEAD, .whole = rows, .args = {again ? derived->args[0] : derived}};
    return rows ? ahead : ahead->args[0];
}

/* Brings two columns to the same rows: one of them is read some rows ahead. windows(x, 2) -
 * ahead(y, 1, length = 2) has the rows -1..0 and 1..2, so y is read two rows ahead in the rows of
 * x. False if the numbers of rows differ. */
static bool align(Arena *arena, const Derived **a, SourceRows *rows, const Derived **b,
                  SourceRows *others) {
    int64_t distance = others->from - rows->from;
    bool apart = rows->to - rows->from != others->to - others->from;
    if (apart || (rows->from < 0 && others->from < 0 && rows->stride != others->stride))
        return false;
    /* the row itself keeps its rows before windows do, and windows before ahead */
    bool keeps =
        is_row_itself(*rows) || rows->stride > 1 ||
        (!is_row_itself(*others) && others->stride == 1 && (rows->to == 0 || others->to != 0));
    if (keeps) return *b = ahead_by(arena, *b, distance), *others = *rows, true;
    *a = ahead_by(arena, *a, -distance);
    *rows = *others;
    return true;
}

Value derive_double(Evaluator *evaluator, DerivedKind kind, Value a, Value b, Span span) {
    SourceRows rows = ROW_ITSELF, others = ROW_ITSELF;
    bool tensors = a.kind == VALUE_TENSOR && b.kind == VALUE_TENSOR;
    const Derived *left = of_value(evaluator, a, &rows),
                  *right = left ? of_value(evaluator, b, &others) : NULL;
    const SourceSchema *schema = evaluator->globals->schema;
    if (!is_derivable(left) || !is_derivable(right) ||
        !(derived_has_digits(schema, left) || derived_has_digits(schema, right)))
        return value_none();
    Shape shape = tensor_node(evaluator, a.kind == VALUE_TENSOR ? a : b)->shape;
    if (tensors && (!shape_equal(shape, tensor_node(evaluator, b)->shape) ||
                    !align(evaluator->arena, &left, &rows, &right, &others) ||
                    !shape_equal(derived_row(schema, left), derived_row(schema, right))))
        return value_none();
    Derived derived = {.kind = kind, .args = {left, right}};
    return derive_column(evaluator, &derived, a.kind == VALUE_TENSOR ? rows : others, shape, span);
}
