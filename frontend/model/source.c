/* Reads the setting `source`: gives the call, such as csv("t.csv"), to the runtime, which returns
 * the schema of the data. */
#include "frontend/model/loading.h"
#include "ir/base/names.h"
#include "ir/data/readers.h"

#include <string.h>

static bool source_item(Value value, SourceArg *arg) {
    switch (value.kind) {
    case VALUE_STRING:
        arg->kind = SOURCE_ARG_STRING;
        arg->text = value.text;
        return true;
    case VALUE_INT:
    case VALUE_FLOAT:
        arg->kind = SOURCE_ARG_NUMBER;
        arg->number = value_number(value);
        return true;
    case VALUE_BOOL:
        arg->kind = SOURCE_ARG_BOOL;
        arg->number = value.boolean;
        return true;
    default: return false;
    }
}

/* A list of items, or of lists of items; `inside`: it is an inner list. */
static bool source_list(Arena *arena, Value value, SourceArg *arg, bool inside) {
    SourceArg *items = ARENA_ARRAY(arena, SourceArg, value.list.count);
    arg->kind = SOURCE_ARG_LIST;
    arg->items = items;
    arg->item_count = value.list.count;
    for (uint32_t i = 0; i < value.list.count; i++) {
        items[i] = (SourceArg){.name = "", .span = arg->span};
        bool list = value.list.items[i].kind == VALUE_LIST && !inside;
        if (list ? !source_list(arena, value.list.items[i], &items[i], true)
                 : !source_item(value.list.items[i], &items[i]))
            return false;
    }
    return true;
}

static bool source_arg(Model *model, Evaluator *evaluator, const Bound *bound, uint32_t i,
                       SourceArg *arg) {
    Value value = bound->args[i];
    arg->span = evaluator_place(evaluator, bound->spans[i]);
    if (value.kind == VALUE_LIST ? source_list(model->arena, value, arg, false)
                                 : source_item(value, arg))
        return true;
    evaluator_error(evaluator, bound->spans[i],
                    "'%s' of %s() must be a string, a number, true or false, or a list of these",
                    arg->name, bound->callee->name);
    return false;
}

static bool data_source(Model *model, Evaluator *evaluator, const Bound *bound) {
    const Callable *callee = bound->callee;
    SourceArg *args = ARENA_ARRAY(model->arena, SourceArg, callee->formals->count);
    uint32_t count = 0, i = 0;
    for (const Formal *formal = callee->formals->first; formal; formal = formal->next, i++) {
        if (bound->args[i].kind == VALUE_NONE) continue; /* not given */
        args[count].name = formal->name.text;
        if (!source_arg(model, evaluator, bound, i, &args[count++])) return false;
    }
    model->info.source = (DataSource){callee->name, model->info.source.folder, args, count,
                                      bound->span,  model->options->like};
    return true;
}

static bool not_a_source(Evaluator *evaluator, Span span, Value value) {
    uint32_t count;
    const char *const *names = reader_names(&count);
    if (value.kind != VALUE_ERROR &&
        evaluator_error(evaluator, span, "'source' must be a call of a source, not %s",
                        value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag,
                  "the sources are %s; 'mlc explain csv' shows how a call is written",
                  names_quoted(evaluator->arena, names, count, count));
    return false;
}

/* A field that splits or series are chosen by must have one value a row. */
static bool check_field(const Model *model, Evaluator *evaluator, const char *name, Span span) {
    const SourceSchema *schema = &model->info.schema;
    const SourceField *field = name ? source_field(schema, name) : NULL;
    if (!name || (field && shape_elements(field->row) == 1)) return true;
    if (field)
        evaluator_error(evaluator, span, "'%s' must have one value a row to tell rows apart", name);
    else
        source_no_field(evaluator, name, span);
    return false;
}

static bool check_splits(const Model *model, Evaluator *evaluator) {
    const ModelInfo *info = &model->info;
    const Setting *series = item_setting(model->data, "series");
    return check_field(model, evaluator, info->split.valid.field, info->split.valid.span) &&
           check_field(model, evaluator, info->split.test.field, info->split.test.span) &&
           (!series || check_field(model, evaluator, info->split.series, series->value->span));
}

bool source_read(Model *model, Evaluator *evaluator) {
    const Expr *expr = item_setting(model->data, "source")->value;
    Value value = evaluate(evaluator, expr);
    if (value.kind != VALUE_BOUND || value.bound->callee->builtin->kind != KIND_SOURCE)
        return not_a_source(evaluator, expr->span, value);
    const ModelOptions *options = model->options;
    SourceSchema *schema = &model->info.schema;
    if (!data_source(model, evaluator, value.bound) ||
        !options->schema(options->schema_context, &model->info.source, &model->info.split,
                         model->arena, schema, model->diag) ||
        !check_splits(model, evaluator))
        return false;
    DerivedFields *derived = ARENA_NEW(model->arena, DerivedFields), *trained = schema->derived;
    derived->arena = model->arena;
    schema->derived = derived;
    for (uint32_t i = 0; trained && i < trained->count; i++)
        source_add_derived(schema, trained->items[i]);
    for (uint32_t i = 0; i < schema->field_count && !model->info.image_field; i++)
        if (schema->fields[i].dtype == DTYPE_U8 &&
            (schema->fields[i].row.rank == 3 || schema->fields[i].row.rank == 2))
            model->info.image_field = schema->fields[i].name;
    return true;
}
