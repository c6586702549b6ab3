/* Inverts the steps that compute a target from the data, one after the other:
 *
 *     field y = log(source.price / 1000) |> standardize
 *     source.price = exp(y * deviation + mean) * 1000
 *
 * A step without an inverse (clip, impute, a ratio of two columns) ends the chain. Then the result
 * has the units of that step's result. */
#include "frontend/model/undo.h"

#include <string.h>

static bool is_constant(const Undoing *undoing, NodeId id) {
    const Node *node = node_of(undoing, id);
    bool constant = op_class(node->op) == CLASS_VIEW;
    for (uint32_t i = 0; i < node->operand_count && constant; i++)
        constant = is_constant(undoing, node->operands[i]);
    return constant || node->op == OP_constant;
}

/* -- where the inversion ends -- */

static const char *element_name(const Undoing *undoing, const char *name, int64_t element,
                                int64_t width) {
    return width == 1
               ? name
               : arena_format(undoing->evaluator->arena, "%s[%lld]", name, (long long)element);
}

/* The name of the field that a node is the value of, or else `outer`. */
static const char *field_name(const Undoing *undoing, NodeId id, const char *outer) {
    const Names *fields = undoing->evaluator->fields;
    for (uint32_t i = 0; i < names_count(fields); i++) {
        const Value *value = names_find(fields, names_all(fields)[i]);
        if (value->kind == VALUE_TENSOR && value->node == id) return names_all(fields)[i];
    }
    return outer;
}

/* The name of an element of an input: "price", "price+2" (two rows later in a series) or
 * "image[7]"; NULL for a computed column. */
static const char *source_name(const Undoing *undoing, const char *input, int64_t element,
                               int64_t width) {
    Arena *arena = undoing->evaluator->arena;
    const SourceSchema *schema = &undoing->model->info.schema;
    SourceRows around;
    const char *name = source_rows_of(input, &around);
    int64_t each = width / (around.to - around.from + 1), row = around.from + element / each;
    uint32_t count = 0;
    const Derived *derived = derived_find(arena, schema, name);
    /* impute keeps the name */
    while (derived && derived->kind == DERIVED_IMPUTE) derived = derived->args[0];
    const uint32_t *columns =
        derived && derived->kind == DERIVED_COLUMNS && derived->is_list ? derived->fields : NULL;
    if (derived) count = derived->count;
    const SourceField *single = derived && derived->kind == DERIVED_COLUMNS && !columns
                                    ? &schema->fields[derived->fields[0]]
                                    : NULL;
    if (!single && (!columns || count != each)) return NULL;
    name = columns ? schema->fields[columns[element % each]].name
                   : element_name(undoing, single->name, element % each, each);
    return row ? arena_format(arena, "%s%+lld", name, (long long)row) : name;
}

/* A column of whole numbers can have fractions in new rows, which i32 would cut off. As
 * columns([...]) the same column is read with all digits. Other nodes are returned unchanged. */
static NodeId with_fractions(const Undoing *undoing, NodeId id) {
    SourceRows rows;
    const Derived *column = derived_around(undoing->evaluator, id, &rows);
    bool whole = column && column->kind == DERIVED_COLUMNS && !column->is_list &&
                 node_of(undoing, id)->dtype == DTYPE_I32;
    if (!whole || !undoing->evaluator->globals->schema->fields[column->fields[0]].is_column)
        return id;
    Derived *list = ARENA_NEW(undoing->evaluator->arena, Derived);
    *list = *column;
    list->is_list = true;
    Shape shape = shape_at(undoing, id), wide = shape;
    if (wide.rank == SHAPE_MAX_RANK) return id;
    wide.dim[wide.rank++] = 1;
    return build_reshape(undoing->graph, derived_node(undoing->evaluator, list, rows, wide), shape);
}

/* Ends the inversion at node `id`. */
static Undone undone(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    int64_t width = width_of(undoing, id);
    const char **names = ARENA_ARRAY(undoing->evaluator->arena, const char *, width);
    const Node *node = node_of(undoing, id);
    /* impute keeps the name */
    while (node->op == OP_select) node = graph_operand(undoing->graph, node, 2);
    const char *input =
        node->op == OP_input ? undoing->graph->symbols[node->attrs.symbol].name : NULL;
    for (int64_t i = 0; i < width; i++) {
        names[i] = input ? source_name(undoing, input, i, width) : NULL;
        if (!names[i]) names[i] = element_name(undoing, field, i, width);
    }
    return (Undone){value, with_fractions(undoing, id), names, false};
}

/* -- inverting one step after the other -- */

/* Continues at the operand `id` after one step. */
static Undone undo_further(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    Undone result = undo(undoing, id, value, field);
    result.converted = true;
    return result;
}

static const struct FitItem *standardized(const Undoing *undoing, NodeId id) {
    for (const struct FitItem *item = undoing->evaluator->fits->last; item; item = item->before)
        if (item->fit.kind == FIT_STANDARDIZE && item->output == id) return item;
    return NULL;
}

static NodeId fitted_state(const Undoing *undoing, const struct FitItem *item, const char *part) {
    return graph_symbol(undoing->graph,
                        arena_format(undoing->evaluator->arena, "%s.%s", item->fit.name, part))
        ->node;
}

static Undone undo_standardize(const Undoing *undoing, const struct FitItem *item, NodeId value,
                               const char *field) {
    NodeId spread =
        build_binary(undoing->graph, OP_mul, value, fitted_state(undoing, item, "deviation"));
    NodeId moved =
        build_binary(undoing->graph, OP_add, spread, fitted_state(undoing, item, "mean"));
    return undo_further(undoing, item->from, moved, field);
}

/* Solves value = x OP constant, or value = constant OP x, for x. */
static NodeId without_constant(const Undoing *undoing, Op op, bool constant_first, NodeId value,
                               NodeId constant) {
    Graph *graph = undoing->graph;
    constant = build_convert(graph, constant, DTYPE_F32);
    if (constant_first && op == OP_sub) return build_binary(graph, OP_sub, constant, value);
    if (constant_first && op == OP_div) return build_binary(graph, OP_div, constant, value);
    static const Op inverse[] = {
        [OP_add] = OP_sub, [OP_sub] = OP_add, [OP_mul] = OP_div, [OP_div] = OP_mul};
    return build_binary(graph, inverse[op], value, constant);
}

static Undone undo_arithmetic(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    Op op = node_of(undoing, id)->op;
    NodeId a = node_of(undoing, id)->operands[0], b = node_of(undoing, id)->operands[1];
    bool first = is_constant(undoing, a);
    if (first == is_constant(undoing, b)) return undone(undoing, id, value, field);
    return undo_further(undoing, first ? b : a,
                        without_constant(undoing, op, first, value, first ? a : b), field);
}

static Undone undo_function(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    Graph *graph = undoing->graph;
    Op op = node_of(undoing, id)->op;
    NodeId one = build_f32(graph, 1, (Shape){0}),
           before = op == OP_neg   ? build_unary(graph, OP_neg, value)
                    : op == OP_log ? build_unary(graph, OP_exp, value)
                    : op == OP_exp ? build_unary(graph, OP_log, value)
                    : op == OP_sqrt
                        ? build_binary(graph, OP_mul, value, value)
                        : build_unary(graph, OP_log, build_binary(graph, OP_add, value, one));
    return undo_further(undoing, node_of(undoing, id)->operands[0], before, field);
}

static Undone undo_reshape(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    NodeId from = node_of(undoing, id)->operands[0];
    Shape shape = shape_at(undoing, id);
    if (!has_rows(undoing, from)) return undone(undoing, id, value, field);
    Undone result =
        undo(undoing, from, build_reshape(undoing->graph, value, shape_at(undoing, from)), field);
    result.value = build_reshape(undoing->graph, result.value, shape);
    result.data = build_reshape(undoing->graph, result.data, shape);
    return result;
}

/* Columns side by side: inverts each part by itself. */
static Undone undo_concat(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    Graph *graph = undoing->graph;
    uint32_t count = node_of(undoing, id)->operand_count;
    int64_t at = 0, stop[2] = {shape_at(undoing, id).dim[0], 0}, start[2] = {0, 0};
    NodeId *values = ARENA_ARRAY(undoing->evaluator->arena, NodeId, count),
           *data = ARENA_ARRAY(undoing->evaluator->arena, NodeId, count);
    const char **names =
        ARENA_ARRAY(undoing->evaluator->arena, const char *, width_of(undoing, id));
    bool converted = false;
    for (uint32_t i = 0; i < count; i++) {
        NodeId part = node_of(undoing, id)->operands[i];
        int64_t width = width_of(undoing, part);
        start[1] = at;
        stop[1] = at + width;
        Undone result = undo(undoing, part, build_slice(graph, value, start, stop, NULL), field);
        values[i] = build_convert(graph, result.value, DTYPE_F32);
        data[i] = build_convert(graph, result.data, DTYPE_F32);
        converted |= result.converted;
        for (int64_t k = 0; k < width; k++) names[at++] = result.names[k];
    }
    return (Undone){build_concat(graph, values, count, 1), build_concat(graph, data, count, 1),
                    names, converted};
}

/* A slice of columns: pads the value with zeros for the other columns, inverts, and slices
 * again. */
static Undone undo_slice(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    Graph *graph = undoing->graph;
    const Attrs attrs = node_of(undoing, id)->attrs; /* a copy: the array of nodes moves */
    NodeId from = node_of(undoing, id)->operands[0];
    int64_t whole = width_of(undoing, from), width = width_of(undoing, id),
            first = attrs.range.start[1];
    int64_t before[2] = {0, first}, after[2] = {0, whole - first - width};
    Undone result = undo(undoing, from, build_pad(graph, value, before, after), field);
    result.value =
        build_slice(graph, result.value, attrs.range.start, attrs.range.stop, attrs.range.step);
    result.data =
        build_slice(graph, result.data, attrs.range.start, attrs.range.stop, attrs.range.step);
    result.names += first;
    return result;
}

static bool is_number(const Derived *derived) {
    return derived->kind == DERIVED_WHOLE || derived->kind == DERIVED_REAL;
}

/* A statistic of a fitted transform, such as the mean, for each element of a row. */
static NodeId fitted_of_column(const Undoing *undoing, const Derived *derived, const char *part) {
    const SourceSchema *schema = undoing->evaluator->globals->schema;
    const char *name =
        arena_format(undoing->evaluator->arena, UNITS_FITTED ":%s.%s", derived->args[1]->fit, part);
    return graph_input(undoing->graph, SYMBOL_VALUE, name, DTYPE_F32, derived_row(schema, derived));
}

/* A constant of a derived column, which is computed in f64. One that f32 cannot hold becomes an
 * input of the graph. */
static NodeId number_node(const Undoing *undoing, double number) {
    if ((double)(float)number == number) return build_f32(undoing->graph, number, (Shape){0});
    const char *name = arena_format(undoing->evaluator->arena, UNITS_NUMBER ":%.17g", number);
    return graph_input(undoing->graph, SYMBOL_VALUE, name, DTYPE_F32, (Shape){0});
}

/* Inverts the operation that computes a derived column from the column *of; NODE_NONE: it has no
 * inverse. */
static NodeId before_derived(const Undoing *undoing, const Derived *derived, NodeId value,
                             const Derived **of) {
    static const Op ops[DERIVED_KINDS] = {[DERIVED_ADD] = OP_add,
                                          [DERIVED_SUB] = OP_sub,
                                          [DERIVED_MUL] = OP_mul,
                                          [DERIVED_DIV] = OP_div};
    Graph *graph = undoing->graph;
    *of = derived->args[0];
    if (derived->kind == DERIVED_NEG) return build_unary(graph, OP_neg, value);
    if (derived->kind == DERIVED_STANDARDIZE) {
        NodeId spread =
            build_binary(graph, OP_mul, value, fitted_of_column(undoing, derived, "deviation"));
        return build_binary(graph, OP_add, spread, fitted_of_column(undoing, derived, "mean"));
    }
    if (!ops[derived->kind] || is_number(derived->args[0]) == is_number(derived->args[1]))
        return NODE_NONE;
    bool first = is_number(derived->args[0]);
    const Derived *number = derived->args[!first];
    *of = derived->args[first];
    double real = number->kind == DERIVED_WHOLE ? (double)number->whole : number->real;
    return without_constant(undoing, ops[derived->kind], first, value, number_node(undoing, real));
}

/* Inverts the steps of a column that the runtime computes. */
static Undone undo_derived(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    SourceRows rows;
    const Derived *derived = derived_around(undoing->evaluator, id, &rows), *of;
    NodeId before = derived ? before_derived(undoing, derived, value, &of) : NODE_NONE;
    if (!before) return undone(undoing, id, value, field);
    return undo_further(undoing, derived_node(undoing->evaluator, of, rows, shape_at(undoing, id)),
                        before, field);
}

Undone undo(const Undoing *undoing, NodeId id, NodeId value, const char *field) {
    const Node *node = node_of(undoing, id);
    const struct FitItem *fit = standardized(undoing, id);
    field = field_name(undoing, id, field);
    if (fit) return undo_standardize(undoing, fit, value, field);
    switch (node->op) {
    case OP_input: return undo_derived(undoing, id, value, field);
    case OP_add:
    case OP_sub:
    case OP_mul:
    case OP_div: return undo_arithmetic(undoing, id, value, field);
    case OP_neg:
    case OP_log:
    case OP_exp:
    case OP_expm1:
    case OP_sqrt: return undo_function(undoing, id, value, field);
    case OP_reshape: return undo_reshape(undoing, id, value, field);
    case OP_concat:
        if (node->attrs.axis == 1 && is_table(undoing, id))
            return undo_concat(undoing, id, value, field);
        break;
    case OP_slice:
        if (columns_only(undoing, node)) return undo_slice(undoing, id, value, field);
        break;
    case OP_convert:
        if (node->dtype == DTYPE_F32 && graph_operand(undoing->graph, node, 0)->dtype != DTYPE_BOOL)
            return undo(undoing, node->operands[0], value, field);
        break;
    default: break;
    }
    return undone(undoing, id, value, field);
}
