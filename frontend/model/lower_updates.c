/* The training half of a graph: gradients of the loss, their sum over several batches or shares
 * (accumulate, replicas), and the optimizer's update of every weight. */
#include "frontend/model/loading.h"
#include "ir/data/step_parts.h"

#include <string.h>

bool *graph_ancestors(Arena *arena, const Graph *graph, NodeId node) {
    bool *reached = ARENA_ARRAY(arena, bool, graph->node_count);
    reached[node] = true;
    for (NodeId id = node; id > 0; id--)
        for (uint32_t i = 0; reached[id] && i < graph_node(graph, id)->operand_count; i++)
            reached[graph_node(graph, id)->operands[i]] = true;
    return reached;
}

bool *gradient_reach(Arena *arena, const Graph *graph, NodeId node) {
    bool *reached = ARENA_ARRAY(arena, bool, graph->node_count);
    reached[node] = true;
    for (NodeId id = node; id > 0; id--) {
        const Node *user = graph_node(graph, id);
        if (!reached[id] || user->dtype != DTYPE_F32 || !op_is_differentiable(user->op)) continue;
        for (uint32_t i = 0; i < user->operand_count; i++) reached[user->operands[i]] = true;
    }
    return reached;
}

/* The weights that the loss depends on and that are not frozen, with their gradients. `*moves`: one
 * of these gradients is not always 0. */
static Trained *gradients_of(Evaluator *evaluator, NodeId loss, uint32_t *count, bool *moves) {
    Graph *graph = evaluator->graph;
    const bool *reached = graph_ancestors(evaluator->arena, graph, loss),
               *passed = gradient_reach(evaluator->arena, graph, loss);
    Trained *trained = ARENA_ARRAY(evaluator->arena, Trained, graph->symbol_count);
    *count = 0;
    *moves = false;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (!symbol->trainable || !reached[symbol->node] || freeze_holds(evaluator, symbol->name))
            continue;
        *moves |= passed[symbol->node];
        trained[(*count)++] =
            (Trained){symbol->node, build_grad(graph, loss, symbol->node), symbol->name};
    }
    return trained;
}

static NodeId scalar(Graph *graph, double value) { return build_f32(graph, value, (Shape){0}); }

/* -- accumulate and replicas: the mean gradient of several batches, or shares of a batch, weighted
 * by their rows -- */

/* The shares of a step; a batch that is not cut is one share. */
static uint32_t step_shares(const Model *model) {
    return model->info.accumulate * model->info.replicas;
}

/* Whether the weights change after this share. */
static NodeId is_update(Graph *graph) {
    NodeId flag = graph_input(graph, SYMBOL_VALUE, INPUT_UPDATE, DTYPE_I32, (Shape){0});
    return build_convert(graph, flag, DTYPE_BOOL);
}

/* A state that adds `amount` for each share. It holds the sum over the shares since the last
 * update, without this one. */
static NodeId counted(Graph *graph, const char *name, NodeId amount) {
    NodeId before = graph_state(graph, name, DTYPE_F32, (Shape){0}, (Init){0}, false);
    NodeId after = build_binary(graph, OP_add, before, amount);
    graph_update(graph, before,
                 build_ternary(graph, OP_select, is_update(graph), scalar(graph, 0), after));
    return before;
}

/* Whether `index` has all bits of `mask` (set), or none of them. */
static NodeId has_bits(Graph *graph, NodeId index, int32_t mask, bool set) {
    NodeId masked = build_binary(graph, OP_and, index, build_i32(graph, mask, (Shape){0}));
    return build_binary(graph, OP_eq, masked, build_i32(graph, set ? mask : 0, (Shape){0}));
}

/* The sum over the shares of a step, as a binary tree: ((s0 + s1) + (s2 + s3)) + ... `value` is
 * the gradient of share `index`. State l keeps the sum of 2^l shares while bit l of the index is
 * set. Returns the sum of the shares 0 to index. */
static NodeId tree_sum(Evaluator *evaluator, const char *name, NodeId index, uint32_t shares,
                       NodeId value) {
    Graph *graph = evaluator->graph;
    Shape shape = graph_node(graph, value)->shape;
    for (uint32_t level = 0; (shares - 1) >> level; level++) {
        const char *level_name =
            arena_format(evaluator->arena, ACCUMULATE_PREFIX "%u.%s", level, name);
        NodeId kept = graph_state(graph, level_name, DTYPE_F32, shape, (Init){0}, false);
        int32_t bit = (int32_t)1 << level;
        NodeId full_below = has_bits(graph, index, bit - 1, true),
               empty = has_bits(graph, index, bit, false);
        NodeId stays = build_binary(graph, OP_and, full_below, empty);
        graph_update(graph, kept, build_ternary(graph, OP_select, stays, value, kept));
        value =
            build_ternary(graph, OP_select, empty, value, build_binary(graph, OP_add, kept, value));
    }
    return value;
}

/* Each gradient becomes the mean over the shares of a step: sum(rows * gradient) / sum(rows). */
static void accumulate(Evaluator *evaluator, Trained *trained, uint32_t count, uint32_t shares) {
    Graph *graph = evaluator->graph;
    NodeId rows = scalar(graph, evaluator->batch);
    NodeId all_rows = build_binary(graph, OP_add, counted(graph, ACCUMULATE_ROWS, rows), rows);
    NodeId index =
        build_convert(graph, counted(graph, ACCUMULATE_BATCHES, scalar(graph, 1)), DTYPE_I32);
    for (uint32_t i = 0; i < count; i++) {
        NodeId weighted = build_binary(graph, OP_mul, rows, trained[i].gradient);
        NodeId sum = tree_sum(evaluator, trained[i].name, index, shares, weighted);
        trained[i].gradient = build_binary(graph, OP_div, sum, all_rows);
    }
}

/* For a GRAPH_SHARE: the products that the tree adds become outputs, beside the loss. */
static void output_gradients(Evaluator *evaluator, const Trained *trained, uint32_t count) {
    Graph *graph = evaluator->graph;
    NodeId rows = scalar(graph, evaluator->batch);
    graph->output_count = 1;
    for (uint32_t i = 0; i < count; i++)
        graph_output(graph, arena_format(graph->arena, GRADIENT_PREFIX "%s", trained[i].name),
                     build_binary(graph, OP_mul, rows, trained[i].gradient));
}

/* The optimizer's states, from symbol `first` on, change only when the weights do. */
static void hold_states(Graph *graph, uint32_t first) {
    for (uint32_t i = first; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->update)
            graph_update(
                graph, symbol->node,
                build_ternary(graph, OP_select, is_update(graph), symbol->update, symbol->node));
    }
}

/* -- the optimizer -- */

NodeId optimizer_next(Evaluator *evaluator, const Optimizers *optimizers, const Trained *trained) {
    const Bound *optimizer = optimizer_of(evaluator->arena, optimizers, trained->name);
    return optimizer->callee->builtin->optimize(
        &(Optimization){evaluator, optimizer, trained->name, trained->weight, trained->gradient});
}

/* The update of every weight. holds: weights and states of the optimizer change only after the last
 * share of a step. */
static void optimize(Evaluator *evaluator, const Optimizers *optimizers, const Trained *trained,
                     uint32_t count, bool holds) {
    Graph *graph = evaluator->graph;
    uint32_t first = graph->symbol_count;
    for (uint32_t i = 0; i < count; i++) {
        NodeId next = optimizer_next(evaluator, optimizers, &trained[i]);
        if (holds)
            next = build_ternary(graph, OP_select, is_update(graph), next, trained[i].weight);
        graph_update(graph, trained[i].weight, next);
    }
    if (holds) hold_states(graph, first);
}

/* Reports a loss that trains nothing. count: of trained weights; moves: some gradient is not 0. */
static bool check_gradients(Evaluator *evaluator, Span loss, uint32_t count, bool moves) {
    if (!count)
        evaluator_error(evaluator, loss,
                        "the loss depends on no weight%s: there is nothing to train",
                        evaluator->globals->frozen.count ? " that is not frozen" : "");
    else if (!moves &&
             evaluator_error(
                 evaluator, loss,
                 "the gradient of this loss is 0 for every weight: nothing would be trained"))
        diag_help(
            evaluator->diag,
            "comparisons, argmax, rounding and detach pass no gradient; accuracy is a metric: train with cross_entropy or another loss");
    return count && moves;
}

bool lower_updates(const Model *model, Evaluator *evaluator, GraphKind kind, NodeId loss) {
    const Expr *expr = item_setting(model->train, "optimizer")->value;
    Optimizers optimizers;
    if (!optimizers_read(model, evaluator, &optimizers) || !loss) return false;
    uint32_t count;
    if (!layer_names_check(evaluator, "freeze", &evaluator->globals->frozen) ||
        !optimizers_check(evaluator, &optimizers))
        return false;
    const Value *rate = &optimizers.optimizer->args[0];
    if (evaluator->log && value_is_number(*rate) && value_number(*rate) == 0)
        evaluator->log->zero_rate = optimizers.optimizer->spans[0];
    evaluator_at(evaluator, expr->span);
    bool moves;
    Trained *trained = gradients_of(evaluator, loss, &count, &moves);
    Span loss_span = item_setting(model->train, "loss")->value->span;
    /* An imported network may have nothing to train; it predicts all the same. */
    if ((!count || !moves) && model->options->like) return true;
    if (!check_gradients(evaluator, loss_span, count, moves)) return false;
    bool holds = step_shares(model) > 1;
    if (kind == GRAPH_SHARE || kind == GRAPH_STATISTICS) {
        output_gradients(evaluator, trained, count);
        return true;
    }
    if (kind != GRAPH_TRAIN) {
        lower_own_part(model, evaluator, kind, &optimizers, trained, count);
        return true;
    }
    if (holds) accumulate(evaluator, trained, count, step_shares(model));
    if (model->clip_value > 0) clip_each(evaluator->graph, trained, count, model->clip_value);
    if (model->clip_norm > 0) clip_to_norm(evaluator->graph, trained, count, model->clip_norm);
    optimize(evaluator, &optimizers, trained, count, holds);
    return evaluator_built(evaluator, expr->span, loss).kind != VALUE_ERROR;
}

bool lower_rate(const Model *model, Evaluator *evaluator) {
    Optimizers optimizers;
    if (!optimizers_read(model, evaluator, &optimizers)) return false;
    graph_output(evaluator->graph, "rate", tensor_f32(evaluator, optimizers.optimizer->args[0]));
    return true;
}
