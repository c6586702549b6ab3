/* classes(source.zip): numbers the distinct whole numbers of a column from 0, so that they can be
 * labels.
 *
 * The number of classes decides shapes, such as that of one_hot. So the data are read for it while
 * the model is evaluated. The result is treated like a column of text. */
#include "frontend/evaluate/evaluate.h"

#include <string.h>

static bool in_data_block(const Call *call) {
    if (call->evaluator->phase == PHASE_DATA) return true;
    if (evaluator_error(call->evaluator, call->span,
                        "'%s' must be used in a field of the data block", call->callee->name))
        diag_help(call->evaluator->diag,
                  "it finds the classes in the training rows before the training begins");
    return false;
}

/* Reads the names of the classes; none are given if the argument is left out. False after reporting
 * names that are not texts, or not distinct. */
static bool read_names(const Call *call, Derived *classes) {
    Value value = call->args[1];
    Evaluator *evaluator = call->evaluator;
    if (value.kind == VALUE_NONE) return true;
    Names *seen = names_new(evaluator->arena);
    bool good = value.kind == VALUE_LIST && value.list.count > 0;
    for (uint32_t i = 0; good && i < value.list.count; i++) {
        const Value *item = &value.list.items[i];
        good = item->kind == VALUE_STRING && *item->text;
        if (!good || names_add(seen, item->text) == i) continue;
        call_fail(call, 1, "has \"%.60s\" twice", item->text);
        return false;
    }
    if (!good)
        call_fail(call, 1, "must be a list of texts, one for each class, not %s",
                  value_text(evaluator->arena, evaluator->graph, value));
    classes->names = names_all(seen);
    classes->name_count = names_count(seen);
    return good;
}

/* The field with the classes of the derived column `name`. They are read from the data on first
 * use. NULL after reporting an error. */
static const SourceField *find_classes(const Call *call, const char *name) {
    const Evaluator *evaluator = call->evaluator;
    const Globals *globals = evaluator->globals;
    Arena *arena = globals->schema->derived->arena;
    const SourceField *known = source_any(globals->schema, name);
    SourceField *field = ARENA_NEW(arena, SourceField);
    if (known) return known;
    if (!globals->classes) {
        evaluator_error(call->evaluator, call->span, "the classes of this data are not known here");
        return NULL;
    }
    if (!globals->classes(globals->schema_context, globals->source, globals->split, name,
                          evaluator_place(evaluator, call->span), arena, field, evaluator->diag))
        return NULL;
    source_add_derived(globals->schema, field);
    return field;
}

static NodeId classes_of(const Call *call, const Derived *column, Derived classes, Shape shape) {
    Evaluator *evaluator = call->evaluator;
    classes.args[0] = column;
    const SourceField *field =
        find_classes(call, derived_name(evaluator->arena, evaluator->globals->schema, &classes));
    return field ? derive_column(evaluator, &classes, ROW_ITSELF, shape, call->span).node
                 : NODE_NONE;
}

/* columns(source, ["a", "b"]): each column has its own classes. */
static NodeId classes_of_each(const Call *call, Derived classes) {
    Evaluator *evaluator = call->evaluator;
    Graph *graph = evaluator->graph;
    Shape shape = tensor_node(evaluator, call->args[0])->shape;
    int64_t to[] = {shape.dim[0], 1}, step[] = {1, 1};
    NodeId *parts = ARENA_ARRAY(evaluator->arena, NodeId, shape.dim[1]);
    for (int64_t i = 0; i < shape.dim[1]; i++) {
        int64_t from[SHAPE_MAX_RANK] = {0, i};
        to[1] = i + 1;
        NodeId column = build_slice(graph, call->args[0].node, from, to, step);
        parts[i] =
            classes_of(call, derived_of(evaluator, column), classes, (Shape){2, {shape.dim[0], 1}});
        if (!parts[i]) return NODE_NONE;
    }
    return build_concat(graph, parts, (uint32_t)shape.dim[1], 1);
}

static Value no_column(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    size_t errors = diag_errors(evaluator->diag);
    call_fail(call, 0,
              "must be a field or columns of the source, or whole numbers computed from them");
    if (diag_errors(evaluator->diag) > errors && series_crosses_rows(evaluator, call->args[0].node))
        diag_help(evaluator->diag, "take the classes first: windows(classes(source.state), 24)");
    return value_error();
}

Value call_classes(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    uint32_t count;
    Derived classes = {.kind = DERIVED_CLASSES};
    if (!in_data_block(call) || !read_names(call, &classes)) return value_error();
    const SourceField **text = source_text(evaluator, call->args[0].node, &count);
    if (text && classes.names)
        return call_fail(call, 1, "is for numbers: the classes of '%s' have names", text[0]->name);
    if (text) return call->args[0];
    const Derived *column = derived_of(evaluator, call->args[0].node);
    if (!column || derived_has_fitted(column) || derived_crosses_rows(column))
        return no_column(call);
    /* The label of a folder of images has numbers with names already. */
    bool named = column->kind == DERIVED_COLUMNS && !column->is_list &&
                 evaluator->globals->schema->fields[column->fields[0]].category_count;
    if (!classes.names && named) return call->args[0];
    NodeId node =
        derived_is_list(column)
            ? classes_of_each(call, classes)
            : classes_of(call, column, classes, tensor_node(evaluator, call->args[0])->shape);
    return evaluator_built(evaluator, call->span, node);
}
