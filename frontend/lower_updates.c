/* The training half of a graph: gradients of the loss, adding them up over batches, clipping, and the optimizer's update of
 * every weight. */
#include "frontend/model.h"

#include <string.h>

typedef struct {
    NodeId weight, gradient;
    const char *name;
} Trained;

bool *graph_ancestors(Arena *arena, const Graph *graph, NodeId node) {
    bool *reached = ARENA_ARRAY(arena, bool, graph->node_count);
    reached[node] = true;
    for (NodeId id = node; id > 0; id--)
        for (uint32_t i = 0; reached[id] && i < graph_node(graph, id)->operand_count; i++)
            reached[graph_node(graph, id)->operands[i]] = true;
    return reached;
}

/* The weights that the loss depends on, with their gradients; the others, and frozen ones, stay as they are. */
static Trained *gradients_of(Evaluator *evaluator, NodeId loss, uint32_t *count) {
    Graph *graph = evaluator->graph;
    const bool *reached = graph_ancestors(evaluator->arena, graph, loss);
    Trained *trained = ARENA_ARRAY(evaluator->arena, Trained, graph->symbol_count);
    *count = 0;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->trainable && reached[symbol->node] && !freeze_holds(evaluator, symbol->name))
            trained[(*count)++] = (Trained){symbol->node, build_grad(graph, loss, symbol->node), symbol->name};
    }
    return trained;
}

static NodeId scalar(Graph *graph, double value) { return build_f32(graph, value, (Shape){0}); }

/* -- adding up: a step is made from the gradients of several batches, each weighted by its rows -- */

/* Whether the weights change after this batch. */
static NodeId is_update(Graph *graph) {
    NodeId flag = graph_input(graph, SYMBOL_VALUE, INPUT_UPDATE, DTYPE_I32, (Shape){0});
    return build_convert(graph, flag, DTYPE_BOOL);
}

/* sum + rows * value, of which the state keeps nothing after an update. */
static NodeId added_up(Graph *graph, const char *name, NodeId rows, NodeId value) {
    NodeId sum = graph_state(graph, name, DTYPE_F32, graph_node(graph, value)->shape, (Init){0}, false);
    NodeId total = build_ternary(graph, OP_fma, rows, value, sum);
    graph_update(graph, sum, build_ternary(graph, OP_select, is_update(graph), scalar(graph, 0), total));
    return total;
}

static void accumulate(Evaluator *evaluator, Trained *trained, uint32_t count) {
    Graph *graph = evaluator->graph;
    NodeId rows = scalar(graph, evaluator->batch), all_rows = added_up(graph, "accumulate.rows", rows, scalar(graph, 1));
    for (uint32_t i = 0; i < count; i++) {
        const char *name = arena_format(evaluator->arena, "accumulate.%s", trained[i].name);
        trained[i].gradient = build_binary(graph, OP_div, added_up(graph, name, rows, trained[i].gradient), all_rows);
    }
}

/* The states from number `first` on are the optimizer's: they too stay as they are until the weights change. */
static void hold_states(Graph *graph, uint32_t first) {
    for (uint32_t i = first; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->update)
            graph_update(graph, symbol->node, build_ternary(graph, OP_select, is_update(graph), symbol->update, symbol->node));
    }
}

/* -- clipping -- */

static void clip_values(Graph *graph, Trained *trained, uint32_t count, double limit) {
    for (uint32_t i = 0; i < count; i++) {
        NodeId low = build_binary(graph, OP_max, trained[i].gradient, scalar(graph, -limit));
        trained[i].gradient = build_binary(graph, OP_min, low, scalar(graph, limit));
    }
}

/* All gradients times min(1, limit / (norm + 1e-6)), with the norm of all of them together: PyTorch's clip_grad_norm_. */
static void clip_norm(Graph *graph, Trained *trained, uint32_t count, double limit) {
    NodeId total = scalar(graph, 0);
    for (uint32_t i = 0; i < count; i++) {
        NodeId square = build_binary(graph, OP_mul, trained[i].gradient, trained[i].gradient);
        uint32_t all = (1u << graph_node(graph, square)->shape.rank) - 1;
        total = build_binary(graph, OP_add, total, build_reduce_axes(graph, OP_sum, square, all));
    }
    NodeId norm = build_binary(graph, OP_add, build_unary(graph, OP_sqrt, total), scalar(graph, 1e-6));
    NodeId factor = build_binary(graph, OP_min, build_binary(graph, OP_div, scalar(graph, limit), norm), scalar(graph, 1));
    for (uint32_t i = 0; i < count; i++) trained[i].gradient = build_binary(graph, OP_mul, trained[i].gradient, factor);
}

/* -- the optimizer -- */

static const Bound *not_an_optimizer(Evaluator *evaluator, Span span, Value value) {
    if (value.kind != VALUE_ERROR && evaluator_error(evaluator, span, "'optimizer' must be a call of an optimizer, not %s",
                                                     value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag, "for example adam(lr = 1e-3)");
    return NULL;
}

/* The learning rate is checked here, once, and not with every weight. */
static bool check_rate(Evaluator *evaluator, const Bound *bound) {
    Value rate = bound->args[0];
    bool scalar_tensor = rate.kind == VALUE_TENSOR && tensor_node(evaluator, rate)->shape.rank == 0;
    if (scalar_tensor || value_is_number(rate)) return true;
    evaluator_error(evaluator, bound->spans[0], "the learning rate must be a number or a schedule, not %s",
                    value_text(evaluator->arena, evaluator->graph, rate));
    return false;
}

static const Bound *find_optimizer(Evaluator *evaluator, const Expr *expr) {
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_FUNCTION && value.function->builtin && value.function->builtin->kind == KIND_OPTIMIZER)
        value = evaluate_apply(evaluator, value.function, NULL, NULL, 0, expr->span);
    bool good = value.kind == VALUE_BOUND && value.bound->callee->builtin->kind == KIND_OPTIMIZER;
    if (!good) return not_an_optimizer(evaluator, expr->span, value);
    return check_rate(evaluator, value.bound) ? value.bound : NULL;
}

static void optimize(const Model *model, Evaluator *evaluator, const Bound *optimizer, const Trained *trained, uint32_t count) {
    Graph *graph = evaluator->graph;
    uint32_t first = graph->symbol_count;
    bool holds = model->info.accumulate > 1;
    for (uint32_t i = 0; i < count; i++) {
        Optimization optimization = {evaluator, optimizer, trained[i].name, trained[i].weight, trained[i].gradient};
        NodeId next = optimizer->callee->builtin->optimize(&optimization);
        if (holds) next = build_ternary(graph, OP_select, is_update(graph), next, trained[i].weight);
        graph_update(graph, trained[i].weight, next);
    }
    if (holds) hold_states(graph, first);
}

bool lower_updates(const Model *model, Evaluator *evaluator, NodeId loss) {
    const Expr *expr = item_setting(model->train, "optimizer")->value;
    const Bound *optimizer = find_optimizer(evaluator, expr);
    if (!optimizer || !loss) return false;
    uint32_t count;
    if (!freeze_check(evaluator)) return false;
    evaluator_at(evaluator, expr->span);
    Trained *trained = gradients_of(evaluator, loss, &count);
    if (!count) {
        evaluator_error(evaluator, item_setting(model->train, "loss")->value->span,
                        "the loss depends on no weight%s: there is nothing to train",
                        evaluator->globals->frozen.count ? " that is not frozen" : "");
        return false;
    }
    if (model->info.accumulate > 1) accumulate(evaluator, trained, count);
    if (model->clip_value > 0) clip_values(evaluator->graph, trained, count, model->clip_value);
    if (model->clip_norm > 0) clip_norm(evaluator->graph, trained, count, model->clip_norm);
    optimize(model, evaluator, optimizer, trained, count);
    return evaluator_built(evaluator, expr->span, loss).kind != VALUE_ERROR;
}
