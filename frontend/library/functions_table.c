/* standardize and impute: transforms that are fitted to the training rows. A mean, for instance, is
 * a state of the graph. It is computed before the first step and stored with the weights, so that
 * evaluation and prediction use the same number. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

#include <math.h>
#include <string.h>

static bool check_place(const Call *call) {
    if (call->evaluator->phase == PHASE_DATA) return true;
    if (evaluator_error(call->evaluator, call->span,
                        "'%s' must be used in a field of the data block", call->callee->name))
        diag_help(call->evaluator->diag, "it is fitted to the data before the training begins");
    return false;
}

static bool check_rows(const Call *call, Shape shape) {
    if (shape.rank > 0 && shape.dim[0] == call->evaluator->batch) return true;
    call_fail(call, 0, "must have a row for each row of the data, not be %s",
              value_text(call->evaluator->arena, call->evaluator->graph, call->args[0]));
    return false;
}

/* The tensor to fit to. For windows it is their newest row, so that each training row counts once
 * and a column has one mean. *every_row: each training row has a value. */
static NodeId fitted_to(const Call *call, NodeId x, bool *every_row) {
    NodeId newest = series_newest(call->evaluator, x);
    *every_row = newest || !series_crosses_rows(call->evaluator, x);
    return newest ? newest : x;
}

/* Adds a transform that is fitted to `node`, as the last item of the list; returns its name. */
static const char *fit_new(const Call *call, FitKind kind, NodeId node, bool every_row) {
    Evaluator *evaluator = call->evaluator;
    struct FitItem *item = ARENA_NEW(evaluator->arena, struct FitItem);
    /* "x.standardize": the name is that of the field, so it does not depend on the other fields of
     * a graph. */
    const char *name = weight_name(
        evaluator, arena_format(evaluator->arena, "%s.%s", evaluator->field, call->callee->name));
    names_put(evaluator->weights, name, (void *)name);
    *item = (struct FitItem){.before = evaluator->fits->last, .input = node};
    item->fit = (Fit){.name = name,
                      .kind = kind,
                      .every_row = every_row,
                      .span = evaluator_place(evaluator, call->span)};
    evaluator->fits->last = item;
    evaluator->fits->count++;
    return name;
}

/* -- columns with more digits than f32 -- */

/* The derived column that a tensor is, if f32 cannot hold its digits; else NULL. The runtime then
 * computes the transform in f64 while it reads the data. */
static const Derived *with_digits(const Call *call, NodeId x, SourceRows *rows) {
    const Derived *of = derived_around(call->evaluator, x, rows);
    return of && derived_has_digits(call->evaluator->globals->schema, of) ? of : NULL;
}

/* Whether a transform of these rows has one value for each column. For windows it is fitted to all
 * rows, for ahead(x, 3) to the rows that are three rows after a training row. ahead(x, 1, length =
 * 5) has five rows with their own values, so it is not computed as a column. */
static bool fits_column(SourceRows rows) { return rows.to == 0 || rows.from == rows.to; }

/* The transform as a derived column: op(of, by). */
static Value derive_transform(const Call *call, DerivedKind op, const Derived *of,
                              const Derived *by, NodeId x, SourceRows rows) {
    Derived derived = {.kind = op, .args = {of, by}};
    const Graph *graph = call->evaluator->graph;
    Span span =
        graph_node(graph, call->args[0].node)->span; /* errors in the data name the argument */
    return derive_column(call->evaluator, &derived, rows, graph_node(graph, x)->shape, span);
}

/* Combines the column with a number that is fitted to it. */
static Value derive_by_fit(const Call *call, FitKind kind, DerivedKind op, const Derived *of,
                           NodeId x, SourceRows rows) {
    Evaluator *evaluator = call->evaluator;
    Derived *by = ARENA_NEW(evaluator->arena, Derived);
    by->kind = DERIVED_FITTED;
    by->fit = fit_new(call, kind, NODE_NONE, rows.to == 0);
    Arena *arena = evaluator->arena;
    const char *name = derived_name(arena, evaluator->globals->schema, of);
    evaluator->fits->last->fit.column =
        rows.to ? source_rows_name(arena, rows.from, rows.to, rows.stride, name) : name;
    evaluator->fits->last->fit.row = derived_row(evaluator->globals->schema, of);
    return derive_transform(call, op, of, by, x, rows);
}

const Fit *fits_list(const FitList *fits, Arena *arena, uint32_t *count) {
    Fit *list = ARENA_ARRAY(arena, Fit, fits->count);
    uint32_t at = *count = fits->count;
    for (const struct FitItem *item = fits->last; item; item = item->before) list[--at] = item->fit;
    return list;
}

/* The state NAME.PART with one number for each element of a row of `like`. It holds `initial` until
 * it is fitted. */
static NodeId fitted_state(const Call *call, const char *name, const char *part, NodeId like,
                           float initial) {
    Graph *graph = call->evaluator->graph;
    const Node *node = graph_node(graph, like);
    Shape shape = {.rank = node->shape.rank - 1};
    memcpy(shape.dim, &node->shape.dim[1], (size_t)shape.rank * sizeof *shape.dim);
    return graph_state(graph, arena_format(call->evaluator->arena, "%s.%s", name, part),
                       node->dtype, shape, (Init){INIT_FITTED, initial, 0}, false);
}

/* -- standardize -- */

Value call_standardize(const Call *call) {
    Graph *graph = call->evaluator->graph;
    NodeId x = tensor_f32(call->evaluator, call->args[0]);
    if (!x || !check_place(call) || !check_rows(call, graph_node(graph, x)->shape))
        return value_error();
    SourceRows around;
    const Derived *of = with_digits(call, x, &around);
    if (of && fits_column(around))
        return derive_by_fit(call, FIT_STANDARDIZE, DERIVED_STANDARDIZE, of, x, around);
    bool every_row;
    NodeId rows = fitted_to(call, x, &every_row);
    const char *name = fit_new(call, FIT_STANDARDIZE, rows, every_row);
    NodeId centered = build_binary(graph, OP_sub, x, fitted_state(call, name, "mean", rows, 0));
    NodeId y =
        build_binary(graph, OP_div, centered, fitted_state(call, name, "deviation", rows, 1));
    call->evaluator->fits->last->from = x;
    call->evaluator->fits->last->output = y;
    return evaluator_built(call->evaluator, call->span, y);
}

/* -- impute -- */

static Value impute_by(const Call *call, NodeId x, NodeId value) {
    /* A missing text has a negative code, a missing number is NaN. */
    Graph *graph = call->evaluator->graph;
    bool text = graph_node(graph, x)->dtype == DTYPE_I32;
    NodeId missing = text ? build_binary(graph, OP_lt, x, build_i32(graph, 0, (Shape){0}))
                          : build_binary(graph, OP_ne, x, x);
    return evaluator_built(call->evaluator, call->span,
                           build_ternary(graph, OP_select, missing, value, x));
}

static bool fit_kind(const char *word, bool text, FitKind *kind) {
    static const struct {
        const char *word;
        FitKind kind;
        bool of_text;
    } kinds[] = {
        {"median", FIT_MEDIAN, false}, {"mean", FIT_MEAN, false}, {"mode", FIT_MODE, true}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].word, word) || (text && !kinds[i].of_text)) continue;
        *kind = kinds[i].kind;
        return true;
    }
    return false;
}

/* `text`: the first field of text, or NULL. */
static Value refuse_by(const Call *call, const SourceField *text) {
    Evaluator *evaluator = call->evaluator;
    const char *given = value_text(evaluator->arena, evaluator->graph, call->args[1]);
    if (!text)
        return call_fail(call, 1, "must be a number, \"median\", \"mean\" or \"mode\", not %.60s",
                         given);
    Value refused =
        call_fail(call, 1, "must be \"mode\" for text such as '%s', not %.60s", text->name, given);
    source_explain_text(evaluator, text);
    return refused;
}

static Value impute_fitted(const Call *call, NodeId x, const SourceField *text) {
    FitKind kind;
    if (!fit_kind(call->args[1].text, text, &kind)) return refuse_by(call, text);
    SourceRows around;
    const Derived *of = text ? NULL : with_digits(call, x, &around);
    if (of && fits_column(around)) return derive_by_fit(call, kind, DERIVED_IMPUTE, of, x, around);
    bool every_row;
    NodeId rows = fitted_to(call, x, &every_row);
    return impute_by(call, x,
                     fitted_state(call, fit_new(call, kind, rows, every_row), "value", rows, 0));
}

static Value impute_number(const Call *call, NodeId x) {
    SourceRows rows;
    Value value = call->args[1];
    const Derived *of = with_digits(call, x, &rows);
    Derived *by = ARENA_NEW(call->evaluator->arena, Derived);
    *by = value.kind == VALUE_INT ? (Derived){.kind = DERIVED_WHOLE, .whole = value.integer}
                                  : (Derived){.kind = DERIVED_REAL, .real = value.real};
    if (of && isfinite(value_number(value)))
        return derive_transform(call, DERIVED_IMPUTE, of, by, x, rows);
    return impute_by(call, x, build_f32(call->evaluator->graph, value_number(value), (Shape){0}));
}

Value call_impute(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    uint32_t count;
    const SourceField **fields = source_text(evaluator, call->args[0].node, &count),
                      *text = fields ? *fields : NULL;
    NodeId x = text ? call->args[0].node : tensor_f32(evaluator, call->args[0]);
    if (!x || !check_place(call) || !check_rows(call, graph_node(evaluator->graph, x)->shape))
        return value_error();
    if (call->args[1].kind == VALUE_STRING) return impute_fitted(call, x, text);
    if (!value_is_number(call->args[1]) || text) return refuse_by(call, text);
    return impute_number(call, x);
}
