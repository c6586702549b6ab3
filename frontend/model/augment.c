/* augment = image |> random_shift(2): finds the field that is changed at random during training. */
#include "frontend/model/loading.h"

/* The leftmost part of an expression: the first argument of the innermost call, the left operand of
 * the innermost operator. */
static const Expr *innermost(const Expr *expr) {
    for (;;) {
        if (expr->kind == EXPR_CALL && expr->call.args.first)
            expr = expr->call.args.first->value;
        else if (expr->kind == EXPR_BINARY)
            expr = expr->operation.left;
        else
            return expr;
    }
}

bool augment_read(Model *model) {
    const Setting *setting = item_setting(model->data, "augment");
    if (!setting) return true;
    const Expr *field = innermost(setting->value);
    bool known = field->kind == EXPR_NAME && names_find(model->globals.fields, field->text);
    if (known) {
        model->globals.augment = setting;
        model->globals.augmented = field->text;
        return true;
    }
    diag_error(model->diag, STATUS_MODEL, field->span,
               "'augment' must begin with a field of the data block");
    const Names *fields = model->globals.fields;
    if (field->kind != EXPR_NAME ||
        !diag_suggest(model->diag, field->text, names_all(fields), names_count(fields)))
        diag_help(model->diag, "for example augment = image |> random_shift(2)");
    return false;
}
