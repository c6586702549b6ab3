/* Fields of the data block. They are evaluated on first use, so that a graph has no unused inputs.
 * In training the field of `augment` is augmented. */
#include "frontend/evaluate/evaluate.h"

#include <string.h>

/* The value of a field while it is evaluated: to meet it again is an error. */
static const Value field_in_progress = {.kind = VALUE_ERROR};

/* Evaluates an expression of the data block; `name`, if not NULL, is a variable with the value
 * `known`. */
static Value evaluate_data(Evaluator *evaluator, const Expr *expr, const char *name, Value known) {
    Evaluator saved = *evaluator;
    evaluator->phase = PHASE_DATA;
    evaluator->scope = scope_new(evaluator, false);
    evaluator->frame = NULL;
    if (name) scope_put(evaluator, name, known);
    Value value = evaluate(evaluator, expr);
    evaluator->phase = saved.phase;
    evaluator->scope = saved.scope;
    evaluator->frame = saved.frame;
    return value;
}

/* The field after augmentation, which must keep its shape. */
static Value augmented(Evaluator *evaluator, Value field) {
    const Setting *augment = evaluator->globals->augment;
    Value value = evaluate_data(evaluator, augment->value, evaluator->globals->augmented, field);
    bool same = value.kind == VALUE_TENSOR && shape_equal(tensor_node(evaluator, value)->shape,
                                                          tensor_node(evaluator, field)->shape);
    if (same || value.kind == VALUE_ERROR) return value;
    evaluator_error(evaluator, augment->value->span,
                    "'augment' must keep the shape of '%s', %s, and not make it %s",
                    evaluator->globals->augmented,
                    value_text(evaluator->arena, evaluator->graph, field),
                    value_text(evaluator->arena, evaluator->graph, value));
    return value_error();
}

static Value evaluate_field_value(Evaluator *evaluator, const Setting *setting) {
    Value value = evaluate_data(evaluator, setting->value, NULL, value_none());
    if (value.kind == VALUE_TENSOR && tensor_node(evaluator, value)->shape.rank > 0 &&
        tensor_node(evaluator, value)->shape.dim[0] == evaluator->batch)
        return evaluator->training && evaluator->globals->augment &&
                       !strcmp(setting->name.text, evaluator->globals->augmented)
                   ? augmented(evaluator, value)
                   : value;
    if (value.kind != VALUE_ERROR &&
        evaluator_error(evaluator, setting->value->span,
                        "field '%s' must have a row for each row of the data, not be %s",
                        setting->name.text, value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag,
                  value.kind == VALUE_TENSOR || source_field(evaluator->globals->schema, "image")
                      ? "compute fields from those of the source, such as 'source.image'"
                      : "a field of the source is source.NAME; columns of a table side by side are "
                        "columns(source, [\"a\", \"b\"])");
    return value_error();
}

Value evaluate_field(Evaluator *evaluator, const char *name) {
    const Value *known = names_find(evaluator->fields, name);
    const Setting *setting = names_find(evaluator->globals->fields, name);
    if (known == &field_in_progress) {
        if (evaluator_error(evaluator, setting->value->span, "field '%s' depends on itself", name))
            diag_help(evaluator->diag, "write source.%s for the field of the source", name);
        return value_error();
    }
    if (known || !setting) return known ? *known : value_error();
    names_put(evaluator->fields, name, (void *)&field_in_progress);
    Value *value = ARENA_NEW(evaluator->arena, Value);
    const char *outer = evaluator->field;
    evaluator->field = setting->name.text;
    *value = evaluate_field_value(evaluator, setting);
    evaluator->field = outer;
    names_put(evaluator->fields, name, value);
    return *value;
}
