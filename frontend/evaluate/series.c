/* Rows of a series: windows(source.value, 24) gives each row the last 24 values,
 * ahead(source.value, 1) the value one row later. Each is an input of its own, which the runtime
 * collects from the rows around a row. */
#include "frontend/evaluate/evaluate.h"
#include "ir/data/derived.h"

#include <string.h>

/* The argument as an unchanged field or columns of the source; NULL after reporting another one. */
static const Node *plain_input(const Call *call, const char **name) {
    SourceRows rows;
    Evaluator *evaluator = call->evaluator;
    if (evaluator->phase != PHASE_DATA) {
        if (evaluator_error(evaluator, call->span, "'%s' must be used in a field of the data block",
                            call->callee->name))
            diag_help(evaluator->diag, "in the model a row cannot see other rows of the data");
        return NULL;
    }
    const Node *node = tensor_node(evaluator, call->args[0]);
    *name = node->op == OP_input ? evaluator->graph->symbols[node->attrs.symbol].name : "";
    if (node->op == OP_input && source_rows_of(*name, &rows) == *name) return node;
    call_fail(call, 0, "must be a field or columns of the source, unchanged");
    diag_help(evaluator->diag, "compute with its result: windows(source.value, 24) |> standardize");
    return NULL;
}

/* The tensor with rows.from..rows.to around each row, on a new axis 1. `one`: it is a single row,
 * without the axis. */
static Value rows_around(const Call *call, SourceRows rows, bool one) {
    const char *name;
    Evaluator *evaluator = call->evaluator;
    const Node *node = plain_input(call, &name);
    if (!node) return value_error();
    Shape row = node->shape,
          shape = {.rank = row.rank + 1, .dim = {row.dim[0], rows.to - rows.from + 1}};
    if (shape.rank > SHAPE_MAX_RANK)
        return call_fail(call, 0, "has the maximum number of axes already");
    memcpy(&shape.dim[2], &row.dim[1], (size_t)(row.rank - 1) * sizeof *row.dim);
    evaluator_at(evaluator, call->span);
    bool itself = rows.from == 0 && rows.to == 0 && rows.stride == 1;
    if (itself)
        return evaluator_built(evaluator, call->span,
                               build_reshape(evaluator->graph, call->args[0].node, shape));
    name = source_rows_name(evaluator->arena, rows.from, rows.to, rows.stride, name);
    NodeId input = graph_input(evaluator->graph, SYMBOL_BATCH, name, node->dtype, shape);
    return evaluator_built(evaluator, call->span,
                           one ? build_reshape(evaluator->graph, input, row) : input);
}

Value call_windows(const Call *call) {
    return rows_around(call, (SourceRows){1 - call->args[1].integer, 0, call->args[2].integer},
                       false);
}

Value call_ahead(const Call *call) {
    int64_t horizon = call->args[1].integer, length = 1;
    bool one = call->args[2].kind == VALUE_NONE;
    if (!one && (call->args[2].kind != VALUE_INT || call->args[2].integer < 1 ||
                 call->args[2].integer > 100000))
        return call_fail(call, 2, "must be a whole number from 1 to 100000, not %s",
                         value_text(call->evaluator->arena, call->evaluator->graph, call->args[2]));
    if (!one) length = call->args[2].integer;
    return rows_around(call, (SourceRows){horizon, horizon + length - 1, 1}, one);
}

/* -- the newest row of windows, to which transforms are fitted -- */

/* Whether a tensor is computed from windows(...) element by element, so that axis 1 is still that
 * of the rows. The newest row of windows(...) is the row itself. */
static bool from_windows(const Evaluator *evaluator, NodeId id) {
    const Node *node = graph_node(evaluator->graph, id);
    if (node->op == OP_input) {
        SourceRows rows;
        const char *name = evaluator->graph->symbols[node->attrs.symbol].name;
        return source_rows_of(name, &rows) != name && rows.to == 0;
    }
    bool elementwise = op_class(node->op) == CLASS_ELEMENTWISE;
    if (!elementwise && !(node->op == OP_concat && node->attrs.axis > 1)) return false;
    bool found = false;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        bool windows = from_windows(evaluator, node->operands[i]);
        if (!windows && (!elementwise || series_crosses_rows(evaluator, node->operands[i])))
            return false;
        found |= windows;
    }
    return found;
}

NodeId series_newest(Evaluator *evaluator, NodeId id) {
    int64_t from[SHAPE_MAX_RANK] = {0}, step[SHAPE_MAX_RANK];
    if (!from_windows(evaluator, id)) return NODE_NONE;
    Shape shape = graph_node(evaluator->graph, id)->shape,
          newest = {.rank = shape.rank - 1, .dim = {shape.dim[0]}};
    for (int axis = 0; axis < shape.rank; axis++) step[axis] = 1;
    from[1] = shape.dim[1] - 1;
    memcpy(&newest.dim[1], &shape.dim[2], (size_t)(shape.rank - 2) * sizeof *shape.dim);
    return build_reshape(evaluator->graph, build_slice(evaluator->graph, id, from, shape.dim, step),
                         newest);
}

bool series_crosses_rows(const Evaluator *evaluator, NodeId id) {
    const Graph *graph = evaluator->graph;
    Arena *arena = arena_new();
    bool *reached = ARENA_ARRAY(arena, bool, id + 1), found = false;
    reached[id] = true;
    for (NodeId at = id; at > 0; at--) {
        const Node *node = graph_node(graph, at);
        if (!reached[at]) continue;
        SourceRows rows;
        const char *name = node->op == OP_input ? graph->symbols[node->attrs.symbol].name : "";
        const Derived *derived =
            *name ? derived_find(arena, evaluator->globals->schema, name) : NULL;
        found |= source_rows_of(name, &rows) != name || (derived && derived_crosses_rows(derived));
        for (uint32_t i = 0; i < node->operand_count; i++) reached[node->operands[i]] = true;
    }
    arena_free(arena);
    return found;
}
