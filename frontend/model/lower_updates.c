/* The training half of a graph: gradients of the loss, their sum over several batches or shares
 * (accumulate, replicas), clipping, and the optimizer's update of every weight. */
#include "frontend/model/loading.h"
#include "ir/data/step_parts.h"
#include "ir/base/integers.h"

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

/* For a GRAPH_UPDATE: the sums of the tree are inputs. Only the updates that follow are kept. */
static void input_gradients(Evaluator *evaluator, Trained *trained, uint32_t count) {
    Graph *graph = evaluator->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++) graph->symbols[i].update = NODE_NONE;
    NodeId all_rows = graph_input(graph, SYMBOL_VALUE, STEP_ROWS, DTYPE_F32, (Shape){0});
    for (uint32_t i = 0; i < count; i++) {
        const char *name = arena_format(graph->arena, GRADIENT_PREFIX "%s", trained[i].name);
        NodeId sum = graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32,
                                 graph_node(graph, trained[i].weight)->shape);
        trained[i].gradient = build_binary(graph, OP_div, sum, all_rows);
    }
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

/* -- clipping -- */

/* min(max(gradient, -limit), limit), element by element. */
static void clip_each(Graph *graph, Trained *trained, uint32_t count, double limit) {
    for (uint32_t i = 0; i < count; i++) {
        NodeId low = build_binary(graph, OP_max, trained[i].gradient, scalar(graph, -limit));
        trained[i].gradient = build_binary(graph, OP_min, low, scalar(graph, limit));
    }
}

static NodeId whole(Graph *graph, int32_t value) { return build_i32(graph, value, (Shape){0}); }

/* The elements of a gradient as a matrix with NORM_BLOCK columns, filled up with zeros. */
static NodeId norm_blocks(Graph *graph, NodeId gradient) {
    enum { NORM_BLOCK = 4096 };
    int64_t count = shape_elements(graph_node(graph, gradient)->shape),
            blocks = divide_up(count, NORM_BLOCK);
    NodeId flat = build_reshape(graph, gradient, (Shape){.rank = 1, .dim = {count}});
    if (blocks == 1) return flat;
    int64_t before = 0, after = blocks * NORM_BLOCK - count;
    if (after) flat = build_pad(graph, flat, &before, &after);
    return build_reshape(graph, flat, (Shape){.rank = 2, .dim = {blocks, NORM_BLOCK}});
}

static NodeId reduce_all(Graph *graph, Op op, NodeId node) {
    return build_reduce_axes(graph, op, node, (1u << graph_node(graph, node)->shape.rank) - 1);
}

/* The exponent field of the largest gradient, limited so that the power of two and its inverse are
 * normal numbers. */
static NodeId largest_exponent(Graph *graph, const Trained *trained, uint32_t count) {
    enum { MANTISSA_BITS = 23, LARGEST = 253 };
    NodeId largest = scalar(graph, 0);
    for (uint32_t i = 0; i < count; i++) {
        NodeId own =
            reduce_all(graph, OP_reduce_max, build_unary(graph, OP_abs, trained[i].gradient));
        largest = build_binary(graph, OP_max, largest, own);
    }
    NodeId exponent = build_binary(graph, OP_shr, build_bitcast(graph, largest, DTYPE_I32),
                                   whole(graph, MANTISSA_BITS));
    return build_binary(graph, OP_min, build_binary(graph, OP_max, exponent, whole(graph, 1)),
                        whole(graph, LARGEST));
}

/* The power of two with this exponent field. */
static NodeId power_of_two(Graph *graph, NodeId exponent) {
    return build_bitcast(graph, build_binary(graph, OP_shl, exponent, whole(graph, 23)), DTYPE_F32);
}

/* gradient * min(1, limit / (norm + 1e-6)), where norm is that of all gradients together, as in
 * PyTorch's clip_grad_norm_. Before squaring, the gradients are multiplied by a power of two that
 * brings the largest to between 1 and 4. So no square overflows, and those that underflow are too
 * small to count. For ordinary gradients this changes no bit. */
static void clip_to_norm(Graph *graph, Trained *trained, uint32_t count, double limit) {
    NodeId exponent = largest_exponent(graph, trained, count), total = scalar(graph, 0);
    NodeId up = power_of_two(graph, exponent),
           down = power_of_two(graph, build_binary(graph, OP_sub, whole(graph, 254), exponent));
    for (uint32_t i = 0; i < count; i++) {
        trained[i].gradient = build_binary(graph, OP_mul, trained[i].gradient, down);
        NodeId blocks = norm_blocks(graph, trained[i].gradient);
        total =
            build_binary(graph, OP_add, total,
                         reduce_all(graph, OP_sum, build_binary(graph, OP_mul, blocks, blocks)));
    }
    NodeId least = build_binary(graph, OP_mul, scalar(graph, 1e-6), down);
    NodeId norm = build_binary(graph, OP_add, build_unary(graph, OP_sqrt, total), least);
    NodeId factor =
        build_binary(graph, OP_min, build_binary(graph, OP_div, scalar(graph, limit), norm), up);
    for (uint32_t i = 0; i < count; i++)
        trained[i].gradient = build_binary(graph, OP_mul, trained[i].gradient, factor);
}

/* -- the optimizer -- */

/* The update of every weight. holds: weights and states of the optimizer change only after the last
 * share of a step. */
static void optimize(Evaluator *evaluator, const Optimizers *optimizers, const Trained *trained,
                     uint32_t count, bool holds) {
    Graph *graph = evaluator->graph;
    uint32_t first = graph->symbol_count;
    for (uint32_t i = 0; i < count; i++) {
        const Bound *optimizer = optimizer_of(evaluator->arena, optimizers, trained[i].name);
        Optimization optimization = {evaluator, optimizer, trained[i].name, trained[i].weight,
                                     trained[i].gradient};
        NodeId next = optimizer->callee->builtin->optimize(&optimization);
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
    if (kind == GRAPH_UPDATE) input_gradients(evaluator, trained, count);
    if (kind == GRAPH_SHARE || kind == GRAPH_STATISTICS) {
        output_gradients(evaluator, trained, count);
        return true;
    }
    if (kind == GRAPH_TRAIN && step_shares(model) > 1)
        accumulate(evaluator, trained, count, step_shares(model));
    if (model->clip_value > 0) clip_each(evaluator->graph, trained, count, model->clip_value);
    if (model->clip_norm > 0) clip_to_norm(evaluator->graph, trained, count, model->clip_norm);
    bool holds = kind == GRAPH_TRAIN && step_shares(model) > 1;
    optimize(evaluator, &optimizers, trained, count, holds);
    return evaluator_built(evaluator, expr->span, loss).kind != VALUE_ERROR;
}

bool lower_rate(const Model *model, Evaluator *evaluator) {
    Optimizers optimizers;
    if (!optimizers_read(model, evaluator, &optimizers)) return false;
    graph_output(evaluator->graph, "rate", tensor_f32(evaluator, optimizers.optimizer->args[0]));
    return true;
}
