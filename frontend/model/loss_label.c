/* Finds the field of the source that is the label, in the text of the model alone. For `loss =
 * cross_entropy(logits, y)` and `field y = classes(source.kind)` it is `kind`. `stratified(0.2)`
 * splits the rows by it, before the data are known. */
#include "frontend/model/loading.h"

#include <string.h>

typedef struct {
    const Model *model;
    Names *fields;  /* fields of the data block that the loss uses and the network does not */
    Names *sources; /* fields of the source that these are computed from */
} LabelSearch;

static bool is_source(const Expr *expr) {
    return expr->kind == EXPR_NAME && !strcmp(expr->text, "source");
}

static void see_field(void *context, const Expr *expr);

static void add_field(LabelSearch *search, const char *name) {
    const Setting *setting = names_find(search->model->globals.fields, name);
    if (!setting || names_index(search->fields, name) >= 0) return;
    names_add(search->fields, name);
    ast_visit(setting->value, see_field, search);
}

static void see_name(void *context, const Expr *expr) {
    if (expr->kind == EXPR_STRING) names_add(((LabelSearch *)context)->sources, expr->text);
}

/* Collects what the expression of a field reads: source.kind, source["kind"], columns(source,
 * "kind"), and other fields. */
static void see_field(void *context, const Expr *expr) {
    LabelSearch *search = context;
    bool columns = expr->kind == EXPR_CALL && expr->call.callee->kind == EXPR_NAME &&
                   !strcmp(expr->call.callee->text, "columns");
    if (expr->kind == EXPR_NAME) add_field(search, expr->text);
    if (expr->kind == EXPR_MEMBER && is_source(expr->member.object))
        names_add(search->sources, expr->member.name.text);
    if (columns || (expr->kind == EXPR_INDEX && is_source(expr->index.object)))
        ast_visit(expr, see_name, search);
}

/* Collects the names in the loss that are fields which the network does not read. */
static void see_loss(void *context, const Expr *expr) {
    LabelSearch *search = context;
    if (expr->kind == EXPR_NAME && !network_has_input(search->model, expr->text))
        add_field(search, expr->text);
}

const char *loss_label(const Model *model) {
    LabelSearch search = {
        .model = model, .fields = names_new(model->arena), .sources = names_new(model->arena)};
    const Setting *loss = item_setting(model->train, "loss");
    if (loss) ast_visit(loss->value, see_loss, &search);
    return names_count(search.sources) == 1 ? names_all(search.sources)[0] : NULL;
}
