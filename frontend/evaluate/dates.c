/* date(source.when, "%d/%m/%Y"): parts of the dates in a column, such as year and month, as
 * numbers. They are computed when the data are read. */
#include "frontend/evaluate/evaluate.h"

#include <string.h>

static bool not_a_column(const Call *call) {
    Diagnostics *diag = call->evaluator->diag;
    if (call->evaluator->phase == PHASE_SPLIT) {
        if (evaluator_error(call->evaluator, call->span,
                            "'date' must be used in a field of the data block"))
            diag_help(
                diag,
                "a split uses a column unchanged: group(source.when, 0.2) keeps the rows of a day together");
        return false;
    }
    call_fail(call, 0, "must be an unchanged column of a table, such as source.when");
    return false;
}

/* Finds the unchanged column of a table that the first argument is. False after reporting another
 * argument. */
static bool dated_column(const Call *call, uint32_t *field) {
    const Evaluator *evaluator = call->evaluator;
    if (call->args[0].kind != VALUE_TENSOR) return not_a_column(call);
    const SourceSchema *schema = evaluator->globals->schema;
    const Node *node = tensor_node(evaluator, call->args[0]);
    SourceRows rows;
    uint32_t count = 0;
    bool input = schema && node->op == OP_input;
    const char *name = input ? evaluator->graph->symbols[node->attrs.symbol].name : "";
    const SourceField *single = input ? source_field(schema, name) : NULL;
    const uint32_t *columns =
        input ? source_columns_find(schema, name, evaluator->arena, &count) : NULL;
    if (single) *field = (uint32_t)(single - schema->fields);
    if (columns && count == 1) *field = columns[0];
    if ((single && single->is_column) || (columns && count == 1)) return true;
    not_a_column(call);
    if (source_rows_of(name, &rows) != name)
        diag_help(evaluator->diag,
                  "windows and ahead take dates: windows(date(source.when, \"%%Y-%%m-%%d\"), 24)");
    return false;
}

static bool check_format(const Call *call) {
    char problem[DATE_PROBLEM];
    if (date_format_check(call->args[1].text, problem)) return true;
    call_fail(call, 1, "%s: \"%.80s\"", problem, call->args[1].text);
    diag_help(call->evaluator->diag,
              "%%Y-%%m-%%d %%H:%%M:%%S is a format; 'mlc explain date' lists its parts");
    return false;
}

static Value unknown_part(const Call *call, const char *word) {
    const char *names[DATE_PARTS];
    Evaluator *evaluator = call->evaluator;
    for (DatePart part = 0; part < DATE_PARTS; part++) names[part] = date_part_name(part);
    call_fail(call, 2, "names \"%.40s\", which is not a part of a date", word);
    const char *near = diag_nearest(word, names, DATE_PARTS);
    if (near)
        diag_help(evaluator->diag, "did you mean \"%s\"?", near);
    else
        diag_help(evaluator->diag, "there are %s",
                  names_quoted(evaluator->arena, names, DATE_PARTS, DATE_PARTS));
    return value_error();
}

/* The parts with these names; without names the usual ones. False after reporting a part that is
 * unknown, or not in the format. */
static bool chosen_parts(const Call *call, const Value *names, uint32_t count, DatePart *parts) {
    const char *format = call->args[1].text;
    for (uint32_t i = 0; i < count; i++) {
        if (names && names[i].kind != VALUE_STRING) {
            call_fail(call, 2, "must be the name of a part, such as \"year\", or a list of them");
            return false;
        }
        parts[i] = (DatePart)i;
        if (names && !date_part_find(names[i].text, &parts[i]))
            return unknown_part(call, names[i].text), false;
        if (date_format_tells(format, parts[i])) continue;
        call_fail(call, names ? 2 : 1, "needs the %s, which the format \"%.80s\" does not contain",
                  date_part_name(parts[i]), format);
        if (!names)
            diag_help(call->evaluator->diag,
                      "name the parts that it contains: date(source.when, \"%.80s\", \"seconds\")",
                      format);
        return false;
    }
    return true;
}

Value call_date(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Value asked = call->args[2];
    bool is_list = asked.kind == VALUE_LIST || asked.kind == VALUE_NONE;
    const Value *names = asked.kind == VALUE_NONE   ? NULL
                         : asked.kind == VALUE_LIST ? asked.list.items
                                                    : &asked;
    uint32_t column = 0, count = asked.kind == VALUE_NONE   ? DATE_USUAL
                                 : asked.kind == VALUE_LIST ? asked.list.count
                                                            : 1;
    DatePart *parts = ARENA_ARRAY(evaluator->arena, DatePart, count);
    if (!dated_column(call, &column) || !check_format(call)) return value_error();
    if (!count) return call_fail(call, 2, "names no part of a date");
    if (!chosen_parts(call, names, count, parts)) return value_error();
    uint32_t *fields = ARENA_ARRAY(evaluator->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) fields[i] = column;
    Derived date = {.kind = DERIVED_DATE, .fields = fields, .count = count, .is_list = is_list};
    date.format = call->args[1].text;
    date.parts = parts;
    Shape shape = tensor_node(evaluator, call->args[0])->shape;
    if (is_list) shape = (Shape){2, {shape.dim[0], count}};
    return derive_column(evaluator, &date, ROW_ITSELF, shape, call->span);
}
