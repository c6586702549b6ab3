/* Arithmetic of columns: instead of operations on f32, which has no room for the digits of a Unix time, the graph gets an input that
 * the runtime computes from the file's own numbers (ir/derived.h). What is an input, moved or not, can be computed with further. */
#include "frontend/evaluate.h"
#include "ir/derived.h"

#include <string.h>

enum { DEEPEST = 100 };

static int depth_of(const Derived *derived) {
    int deepest = 0;
    for (int i = 0; i < derived_arity(derived->kind); i++) {
        int depth = depth_of(derived->args[i]);
        if (depth > deepest) deepest = depth;
    }
    return deepest + 1;
}

/* -- from nodes to columns -- */

/* Whether arithmetic may lose digits of a field: bytes have none to lose, and f32 of arrays are exact as they are. */
static bool has_digits(const SourceSchema *schema, const Derived *derived) {
    if (derived->kind == DERIVED_DATE) return true;
    if (derived->kind == DERIVED_COLUMNS) {
        const SourceField *field = &schema->fields[derived->fields[0]];
        return field->is_column || field->dtype == DTYPE_I32;
    }
    bool digits = false;
    for (int i = 0; i < derived_arity(derived->kind); i++) digits |= has_digits(schema, derived->args[i]);
    return digits;
}

/* Only the seconds have a fraction. */
static bool tells_whole(const Derived *derived) {
    bool whole = true;
    for (uint32_t i = 0; i < derived->count; i++) whole &= derived->parts[i] != DATE_seconds;
    return whole || !date_format_has_fraction(derived->format);
}

/* Of whole numbers only, whatever the data are. */
static bool is_whole(const SourceSchema *schema, const Derived *derived) {
    bool whole = derived->kind != DERIVED_REAL && derived->kind != DERIVED_DIV;
    if (derived->kind == DERIVED_DATE) return tells_whole(derived);
    for (uint32_t i = 0; i < derived->count; i++) whole &= schema->fields[derived->fields[i]].dtype == DTYPE_I32;
    if (derived->kind == DERIVED_INT) return true;
    if (derived->kind == DERIVED_FLOOR && derived->args[0]->kind == DERIVED_DIV) derived = derived->args[0];
    for (int i = 0; i < derived_arity(derived->kind); i++) whole &= is_whole(schema, derived->args[i]);
    return whole;
}

/* A single column side by side with none is a column. */
static const Derived *simplest(Arena *arena, const Derived *derived) {
    if (!derived->is_list || derived->count != 1) return derived;
    Derived *single = ARENA_NEW(arena, Derived);
    *single = *derived;
    single->is_list = false;
    return single;
}

static const Derived *of_input(const Evaluator *evaluator, const Node *node) {
    const SourceSchema *schema = evaluator->globals->schema;
    const Symbol *symbol = &evaluator->graph->symbols[node->attrs.symbol];
    if (!schema || symbol->kind != SYMBOL_BATCH) return NULL;
    const Derived *derived = derived_find(evaluator->arena, schema, symbol->name);
    bool number = derived && derived->kind != DERIVED_CLASSES; /* nobody computes with classes */
    return number ? simplest(evaluator->arena, derived) : NULL;
}

/* Columns from `from`, every `step`th, `count` of them. */
static const Derived *some_columns(Arena *arena, const Derived *derived, int64_t from, int64_t step, uint32_t count) {
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

static bool reads_lists(const Derived *derived) {
    bool lists = !derived->count || derived->is_list;
    for (int i = 0; i < derived_arity(derived->kind); i++) lists &= reads_lists(derived->args[i]);
    return lists;
}

bool derived_is_list(const Derived *derived) {
    bool list = derived->kind == DERIVED_COLUMNS && derived->is_list;
    for (int i = 0; i < derived_arity(derived->kind); i++) list |= derived_is_list(derived->args[i]);
    return list;
}

static const Derived *of_slice(const Evaluator *evaluator, const Node *node) {
    const Node *whole = graph_operand(evaluator->graph, node, 0);
    const Derived *derived = derived_of(evaluator, node->operands[0]);
    bool columns = derived && whole->shape.rank == 2 && node->shape.dim[0] == whole->shape.dim[0] && reads_lists(derived);
    if (!columns || derived_row(evaluator->globals->schema, derived).rank != 1) return NULL;
    return some_columns(evaluator->arena, derived, node->attrs.a[1], node->attrs.c[1], (uint32_t)node->shape.dim[1]);
}

/* The same numbers: whole ones as f32, or under another shape of the row. */
static bool is_same(const Graph *graph, const Node *node) {
    const Node *operand = node->operand_count ? graph_operand(graph, node, 0) : NULL;
    if (node->op == OP_convert) return node->dtype == DTYPE_F32 && operand->op == OP_input;
    return node->op == OP_reshape && node->shape.rank > 0 && operand->shape.rank > 0 &&
           node->shape.dim[0] == operand->shape.dim[0];
}

const Derived *derived_of(const Evaluator *evaluator, NodeId id) {
    const Node *node = graph_node(evaluator->graph, id);
    if (node->op == OP_input) return of_input(evaluator, node);
    if (node->op == OP_slice) return of_slice(evaluator, node);
    return is_same(evaluator->graph, node) ? derived_of(evaluator, node->operands[0]) : NULL;
}

/* -- from columns to nodes -- */

static void keep(Evaluator *evaluator, const char *name, const Derived *derived) {
    SourceSchema *schema = evaluator->globals->schema;
    if (!evaluator->log || source_any(schema, name)) return;
    SourceField *field = ARENA_NEW(schema->derived->arena, SourceField);
    *field = (SourceField){.name = arena_copy_string(schema->derived->arena, name, strlen(name)),
                           .dtype = derived_dtype(derived),
                           .row = derived_row(schema, derived),
                           .is_column = true};
    source_add_derived(schema, field);
}

/* Under the shape of the node that it is computed from. */
Value derive_column(Evaluator *evaluator, const Derived *derived, Shape shape, Span span) {
    const SourceSchema *schema = evaluator->globals->schema;
    const char *name = derived_name(evaluator->arena, schema, derived);
    SourceField field = {.name = name, .dtype = derived_dtype(derived), .row = derived_row(schema, derived)};
    keep(evaluator, name, derived);
    Value value = source_input(evaluator, &field, span);
    if (value.kind == VALUE_ERROR) return value;
    return evaluator_built(evaluator, span, build_reshape(evaluator->graph, value.node, shape));
}

NodeId derived_node(Evaluator *evaluator, const Derived *derived, Shape shape) {
    const SourceSchema *schema = evaluator->globals->schema;
    bool single = derived->kind == DERIVED_COLUMNS && !derived->is_list;
    if (derived->kind != DERIVED_COLUMNS || single) {
        const char *name = single ? schema->fields[derived->fields[0]].name : NULL;
        Value value = single ? source_input(evaluator, source_field(schema, name), (Span){0})
                             : derive_column(evaluator, derived, shape, (Span){0});
        return build_reshape(evaluator->graph, value.node, shape);
    }
    SourceField field = {.name = source_columns_name(evaluator->arena, derived->fields, derived->count),
                         .dtype = DTYPE_F32,
                         .row = derived_row(schema, derived)};
    return build_reshape(evaluator->graph, source_input(evaluator, &field, (Span){0}).node, shape);
}

static bool is_derivable(const Derived *derived) { return derived && depth_of(derived) < DEEPEST; }

Value derive_whole(Evaluator *evaluator, Value x, Span span) {
    const Derived *of = x.kind == VALUE_TENSOR ? derived_of(evaluator, x.node) : NULL;
    if (!of || !is_whole(evaluator->globals->schema, of)) return value_none();
    return derive_single(evaluator, DERIVED_INT, x, span);
}

Value derive_single(Evaluator *evaluator, DerivedKind kind, Value x, Span span) {
    const Derived *of = x.kind == VALUE_TENSOR ? derived_of(evaluator, x.node) : NULL;
    if (!is_derivable(of) || !(kind == DERIVED_INT || has_digits(evaluator->globals->schema, of))) return value_none();
    Derived derived = {.kind = kind, .args = {of}};
    return derive_column(evaluator, &derived, tensor_node(evaluator, x)->shape, span);
}

static const Derived *of_value(const Evaluator *evaluator, Value value) {
    Derived *number = ARENA_NEW(evaluator->arena, Derived);
    if (value.kind == VALUE_TENSOR) return derived_of(evaluator, value.node);
    if (!value_is_number(value)) return NULL;
    *number = value.kind == VALUE_INT ? (Derived){.kind = DERIVED_WHOLE, .whole = value.integer}
                                      : (Derived){.kind = DERIVED_REAL, .real = value.real};
    return number;
}

Value derive_double(Evaluator *evaluator, DerivedKind kind, Value a, Value b, Span span) {
    bool tensors = a.kind == VALUE_TENSOR && b.kind == VALUE_TENSOR;
    const Derived *left = of_value(evaluator, a), *right = left ? of_value(evaluator, b) : NULL;
    const SourceSchema *schema = evaluator->globals->schema;
    if (!is_derivable(left) || !is_derivable(right) || !(has_digits(schema, left) || has_digits(schema, right)))
        return value_none();
    Shape shape = tensor_node(evaluator, a.kind == VALUE_TENSOR ? a : b)->shape;
    if (tensors && (!shape_equal(shape, tensor_node(evaluator, b)->shape) ||
                    !shape_equal(derived_row(schema, left), derived_row(schema, right))))
        return value_none();
    Derived derived = {.kind = kind, .args = {left, right}};
    return derive_column(evaluator, &derived, shape, span);
}
