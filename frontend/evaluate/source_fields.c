/* The data source in the data block: its fields by name or number, columns(...), and which fields
 * are text. */
#include "frontend/evaluate/evaluate.h"
#include "ir/data/date.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define COLUMNS_HELP "columns of a table side by side are columns(source, [\"a\", \"b\"])"

static Value input(Evaluator *evaluator, const char *name, DType dtype, Shape row, Span span) {
    Shape shape = {.rank = row.rank + 1, .dim = {evaluator->batch}};
    for (int axis = 0; axis < row.rank; axis++) shape.dim[axis + 1] = row.dim[axis];
    evaluator_at(evaluator, span);
    return evaluator_built(evaluator, span,
                           graph_input(evaluator->graph, SYMBOL_BATCH, name, dtype, shape));
}

Value source_input(Evaluator *evaluator, const SourceField *field, Span span) {
    return input(evaluator, field->name, field->dtype, field->row, span);
}

/* Reports why an array of the source cannot be a field; false if there is no such array. */
static bool report_unreadable(Evaluator *evaluator, const char *name, Span span) {
    const SourceSchema *schema = evaluator->globals->schema;
    for (uint32_t i = 0; i < schema->unreadable_count; i++) {
        const SourceUnreadable *array = &schema->unreadable[i];
        if (strcmp(array->name, name)) continue;
        if (evaluator_error(evaluator, span, "%s", array->finding) && array->help)
            diag_help(evaluator->diag, "%s", array->help);
        return true;
    }
    return false;
}

void source_no_field(Evaluator *evaluator, const char *name, Span span) {
    if (report_unreadable(evaluator, name, span)) return;
    if (evaluator_error(evaluator, span, "the source has no field '%s'", name)) {
        enum { SHOWN = 12 };
        const SourceSchema *schema = evaluator->globals->schema;
        const char **names = ARENA_ARRAY(evaluator->arena, const char *, schema->field_count);
        for (uint32_t i = 0; i < schema->field_count; i++) names[i] = schema->fields[i].name;
        if (!diag_suggest(evaluator->diag, name, names, schema->field_count))
            diag_help(evaluator->diag, "it has %s",
                      names_quoted(evaluator->arena, names, schema->field_count, SHOWN));
    }
}

static const SourceField *find_by_name(Evaluator *evaluator, const char *name, Span span) {
    const SourceField *field = source_field(evaluator->globals->schema, name);
    if (!field) source_no_field(evaluator, name, span);
    return field;
}

static const SourceField *find_field(Evaluator *evaluator, Value value, Span span) {
    if (value.kind == VALUE_STRING) return find_by_name(evaluator, value.text, span);
    if (value.kind == VALUE_INT) {
        int64_t number = value.integer;
        const SourceSchema *schema = evaluator->globals->schema;
        if (number >= 0 && number < schema->field_count) return &schema->fields[number];
        evaluator_error(evaluator, span, "the source has the fields 0 to %u, not %" PRId64,
                        schema->field_count - 1, number);
        return NULL;
    }
    if (value.kind != VALUE_ERROR)
        if (evaluator_error(evaluator, span,
                            "an index of the source must be the name or number of a field, not %s",
                            value_text(evaluator->arena, evaluator->graph, value)) &&
            value.kind == VALUE_LIST)
            diag_help(evaluator->diag, COLUMNS_HELP);
    return NULL;
}

Value source_member(Evaluator *evaluator, const char *name, Span span) {
    if (evaluator->phase == PHASE_SPLIT) return value_string(name);
    const SourceField *field = find_by_name(evaluator, name, span);
    return field ? source_input(evaluator, field, span) : value_error();
}

Value source_element(Evaluator *evaluator, const Expr *expr) {
    const Sub *sub = expr->index.subs.first;
    if (expr->index.subs.count != 1 || sub->is_slice) {
        if (evaluator_error(evaluator, expr->span,
                            "the source takes one index: the name or number of a field"))
            diag_help(evaluator->diag, COLUMNS_HELP);
        return value_error();
    }
    Value name = evaluate(evaluator, sub->from);
    if (evaluator->phase == PHASE_SPLIT && (name.kind == VALUE_STRING || name.kind == VALUE_ERROR))
        return name;
    if (evaluator->phase == PHASE_SPLIT) {
        if (evaluator_error(evaluator, sub->span,
                            "here a field must be given by its name, not by %s",
                            value_text(evaluator->arena, evaluator->graph, name)))
            diag_help(evaluator->diag, "columns without a name are called column0, column1...");
        return value_error();
    }
    const SourceField *field = find_field(evaluator, name, sub->span);
    return field ? source_input(evaluator, field, expr->span) : value_error();
}

/* -- columns(source, names) -- */

/* The second argument as a list: it is a name or number, a list of them, or a range. */
static bool chosen_names(const Call *call, Value *names) {
    Value value = call->args[1];
    *names = value;
    if (value.kind == VALUE_STRING || value.kind == VALUE_INT)
        *names = value_list(&call->args[1], 1);
    if (value.kind == VALUE_RANGE && value.range.to >= value.range.from &&
        value.range.to - value.range.from < LIST_MAX_ITEMS) {
        uint32_t count = (uint32_t)(value.range.to - value.range.from + 1);
        Value *items = ARENA_ARRAY(call->evaluator->arena, Value, count);
        for (uint32_t i = 0; i < count; i++) items[i] = value_int(value.range.from + i);
        *names = value_list(items, count);
    }
    if (names->kind == VALUE_LIST && names->list.count > 0) return true;
    call_fail(
        call, 1,
        "must be the name or number of a column, a list of them, or a range of numbers, not %s",
        value_text(call->evaluator->arena, call->evaluator->graph, value));
    return false;
}

/* Texts that programs write for a missing number. */
static bool marks_missing(const char *cell) {
    static const char *const marks[] = {"NA",  "N/A", "#N/A",    "NULL",   "None",
                                        "nil", "-",   "missing", "none",   "?",
                                        "--",  ".",   "n.a.",    "unknown"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (!strcasecmp(cell, marks[i])) return true;
    return false;
}

void source_explain_text(Evaluator *evaluator, const SourceField *field) {
    char format[DATE_FORMAT];
    const char *hint = "";
    if (!field->why_text) return;
    if (field->why_cell && date_format_of(field->why_cell, format))
        hint = arena_format(evaluator->arena, "; date(..., \"%s\") turns it into numbers", format);
    else if (field->why_cell && marks_missing(field->why_cell))
        hint = arena_format(evaluator->arena, "; csv(..., missing = \"%s\") marks missing cells",
                            field->why_cell);
    diag_help(evaluator->diag, "'%s' is text because %s%s", field->name, field->why_text, hint);
}

static bool check_column(const Call *call, const SourceField *field, const SourceField *first) {
    if (!field->is_column) {
        call_fail(call, 1, "must name columns of a table; '%s' is not a column", field->name);
        return false;
    }
    if (field->is_text == first->is_text) return true;
    const SourceField *text = field->is_text ? field : first,
                      *number = field->is_text ? first : field;
    call_fail(call, 1, "must not mix text and numbers: '%s' is text, '%s' is not", text->name,
              number->name);
    source_explain_text(call->evaluator, text);
    return false;
}

static bool choose_columns(const Call *call, Value names, uint32_t *fields) {
    const SourceSchema *schema = call->evaluator->globals->schema;
    for (uint32_t i = 0; i < names.list.count; i++) {
        const SourceField *field = find_field(call->evaluator, names.list.items[i], call->spans[1]);
        if (!field) return false;
        fields[i] = (uint32_t)(field - schema->fields);
        if (!check_column(call, field, &schema->fields[fields[0]])) return false;
    }
    return true;
}

Value call_columns(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    const SourceSchema *schema = evaluator->globals->schema;
    Value names;
    if (call->args[0].kind != VALUE_SOURCE)
        return call_fail(call, 0, "must be the source, not %s",
                         value_text(evaluator->arena, evaluator->graph, call->args[0]));
    if (!chosen_names(call, &names)) return value_error();
    uint32_t *fields = ARENA_ARRAY(evaluator->arena, uint32_t, names.list.count);
    if (!choose_columns(call, names, fields)) return value_error();
    DType dtype = schema->fields[fields[0]].is_text ? DTYPE_I32 : DTYPE_F32;
    const char *name = source_columns_name(evaluator->arena, fields, names.list.count);
    return input(evaluator, name, dtype, (Shape){1, {names.list.count}}, call->span);
}

/* -- text -- */

static const SourceField **text_of_input(const Evaluator *evaluator, const Node *node,
                                         uint32_t *count) {
    const SourceSchema *schema = evaluator->globals->schema;
    SourceRows rows;
    const char *name = source_rows_of(evaluator->graph->symbols[node->attrs.symbol].name, &rows);
    const SourceField *field = source_any(schema, name);
    const uint32_t *fields =
        field ? NULL : source_columns_find(schema, name, evaluator->arena, count);
    if (field) *count = 1;
    if (!field && !fields) return NULL;
    const SourceField **text = ARENA_ARRAY(evaluator->arena, const SourceField *, *count);
    for (uint32_t i = 0; i < *count; i++) text[i] = field ? field : &schema->fields[fields[i]];
    return text[0]->is_text ? text : NULL;
}

/* Follows the tensor back through impute (select), reshape and concat of columns. */
const SourceField **source_text(const Evaluator *evaluator, NodeId id, uint32_t *count) {
    const Graph *graph = evaluator->graph;
    const Node *node = graph_node(graph, id);
    if (id == NODE_NONE || node->dtype != DTYPE_I32) return NULL;
    if (node->op == OP_input) return text_of_input(evaluator, node, count);
    if (node->op == OP_reshape || node->op == OP_select)
        return source_text(evaluator, node->operands[node->operand_count - 1], count);
    bool beside = node->op == OP_concat && node->attrs.axis == node->shape.rank - 1;
    const SourceField **text = beside ? ARENA_ARRAY(evaluator->arena, const SourceField *,
                                                    node->shape.dim[node->attrs.axis])
                                      : NULL;
    *count = 0;
    for (uint32_t i = 0; beside && i < node->operand_count; i++) {
        uint32_t part;
        const SourceField **found = source_text(evaluator, node->operands[i], &part);
        if (!found || part != graph_operand(graph, node, i)->shape.dim[node->attrs.axis])
            return NULL;
        memcpy(text + *count, found, part * sizeof *text);
        *count += part;
    }
    return text;
}

bool source_is_number(Evaluator *evaluator, NodeId node) {
    uint32_t count;
    const SourceField **text = source_text(evaluator, node, &count);
    if (!text) return true;
    bool classes = text[0]->numbers != NULL;
    if (evaluator_error(evaluator, evaluator->graph->span, "'%s' %s, where numbers are needed",
                        text[0]->name, classes ? "holds classes" : "is text")) {
        source_explain_text(evaluator, text[0]);
        diag_help(
            evaluator->diag,
            classes
                ? "one_hot turns classes into numbers"
                : "one_hot turns categories into numbers; `missing = \"...\"` names the text of missing cells");
    }
    return false;
}

Value call_categories(const Call *call) {
    uint32_t count;
    const SourceField **text = source_text(call->evaluator, call->args[0].node, &count);
    if (!text)
        return call_fail(
            call, 0,
            "must be columns of text, whose categories are known; for numbers, give the number of classes or use classes(...)");
    Value *sizes = ARENA_ARRAY(call->evaluator->arena, Value, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!text[i]->category_count)
            return call_fail(call, 0, "has no category in any training row: '%s' is empty",
                             text[i]->name);
        sizes[i] = value_int(text[i]->category_count);
    }
    return value_list(sizes, count);
}
