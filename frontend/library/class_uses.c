/* Records which elements of a field are class numbers, and how many classes each chooses from.
 * one_hot(x[:, 0], 3) restricts element 0 of x to the classes 0 to 2; its other elements may be any
 * numbers. */
#include "frontend/library/library.h"
#include "frontend/evaluate/summary.h"

#include <string.h>

/* The most elements that may be traced in a model. Beyond that, a use of a part restricts the whole
 * field. */
enum { FOLLOWED_MAX = 1 << 26 };

/* -- which elements reach the label -- */

/* The input that a label is a view of. `steps` gets the number of views in between; *is_part,
 * whether one of them is a slice. */
static const Node *origin(const Graph *graph, const Node *node, uint32_t *steps, bool *is_part) {
    for (*steps = 0, *is_part = false; node->op != OP_input; ++*steps) {
        *is_part |= node->op == OP_slice;
        node = graph_operand(graph, node, 0);
    }
    return node;
}

/* Builds the same views of another input, `places`, in a graph of its own. */
static NodeId repeat_views(const Graph *graph, const Node *label, uint32_t steps, Graph *places,
                           Arena *arena) {
    const Node **views = ARENA_ARRAY(arena, const Node *, steps);
    for (uint32_t i = steps; i-- > 0; label = graph_operand(graph, label, 0)) views[i] = label;
    NodeId node = graph_input(places, SYMBOL_VALUE, "places", DTYPE_I32, label->shape);
    for (uint32_t i = 0; i < steps; i++)
        if (views[i]->op != OP_convert)
            node = graph_add(places, views[i]->op, &node, 1, &views[i]->attrs,
                             &(TensorType){DTYPE_I32, views[i]->shape});
    return node;
}

/* Runs the views on the numbers of the elements, from 1, to see which elements come out. */
static void follow(const Graph *places, NodeId label, int64_t each, bool *used) {
    NodeId input = places->symbols[0].node;
    Interp *interp = interp_new(places, INTERP_F32);
    int32_t *numbers = interp_value(interp, input);
    for (int64_t i = 0; i < shape_elements(graph_node(places, input)->shape); i++)
        numbers[i] = (int32_t)i + 1;
    interp_run(interp);
    const int32_t *found = interp_value(interp, label);
    for (int64_t i = 0; i < shape_elements(graph_node(places, label)->shape); i++)
        if (found[i]) used[(found[i] - 1) % each] = true;
    interp_free(interp);
}

/* Which of the `each` elements in a row of the input reach the label. */
static bool *elements_used(const Call *call, int64_t *each) {
    const Evaluator *evaluator = call->evaluator;
    bool is_part;
    const Node *label = tensor_node(evaluator, call->args[0]);
    uint32_t steps;
    const Shape *shape = &origin(evaluator->graph, label, &steps, &is_part)->shape;
    int64_t numbers = shape_elements(*shape);
    bool *used = ARENA_ARRAY(evaluator->arena, bool, *each = shape_inner(*shape, 0));
    if (is_part && numbers <= FOLLOWED_MAX - evaluator->log->numbers_followed) {
        evaluator->log->numbers_followed += numbers;
        Graph *places = graph_new("places", evaluator->diag);
        NodeId node = repeat_views(evaluator->graph, label, steps, places, evaluator->arena);
        graph_output(places, "label", node);
        follow(places, node, *each, used);
        graph_free(places);
    } else {
        memset(used, true, (size_t)*each * sizeof *used);
    }
    return used;
}

/* -- recording -- */

static ClassUse *use_of(const Call *call, const SourceField *field) {
    LayerLog *log = call->evaluator->log;
    Arena *arena = call->evaluator->arena;
    int64_t each = shape_elements(field->row);
    for (uint32_t i = 0; i < log->class_use_count; i++)
        if (!strcmp(log->class_uses[i].field, field->name)) return &log->class_uses[i];
    ARENA_ROOM(arena, log->class_uses, log->class_use_count, log->class_use_capacity);
    log->class_uses[log->class_use_count] =
        (ClassUse){field->name, ARENA_ARRAY(arena, int64_t, each), ARENA_ARRAY(arena, Span, each)};
    return &log->class_uses[log->class_use_count++];
}

static void keep(const Call *call, const SourceField *field, int64_t element, int64_t columns) {
    ClassUse *use = use_of(call, field);
    if (use->columns[element] && use->columns[element] <= columns) return;
    use->columns[element] = columns;
    use->spans[element] = evaluator_place(call->evaluator, call->span);
}

/* A list of columns is recorded column by column, each as a field. */
void class_use_keep(const Call *call, int64_t columns) {
    const Evaluator *evaluator = call->evaluator;
    const SourceSchema *schema = evaluator->globals->schema;
    uint32_t steps, count;
    bool is_part;
    const Node *input =
        origin(evaluator->graph, tensor_node(evaluator, call->args[0]), &steps, &is_part);
    SourceRows rows;
    const char *name = source_rows_of(evaluator->graph->symbols[input->attrs.symbol].name, &rows);
    const SourceField *field = source_any(schema, name);
    const uint32_t *fields =
        field ? NULL : source_columns_find(schema, name, evaluator->arena, &count);
    int64_t each;
    const bool *used = elements_used(call, &each);
    for (int64_t i = 0; i < each && (field || fields); i++) {
        /* windows(...) has several rows of the field, with the same rule for each */
        int64_t element = field ? i % shape_elements(field->row) : i % count;
        if (used[i])
            keep(call, field ? field : &schema->fields[fields[element]], field ? element : 0,
                 columns);
    }
}
