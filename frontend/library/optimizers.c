/* Optimizers: each builds the nodes that compute the next weight from a weight and its gradient.
 * The formulas are those of PyTorch's documentation. A product that is added to something is one
 * fused operation. */
#include "frontend/evaluate/evaluate.h"
#include "ir/data/weight_parts.h"

#include <math.h>

typedef struct {
    Graph *graph;
    const Optimization *optimization;
} UpdateBuilder;

static UpdateBuilder builder(const Optimization *optimization) {
    return (UpdateBuilder){optimization->evaluator->graph, optimization};
}

static NodeId scalar(const UpdateBuilder *b, double value) {
    return build_f32(b->graph, value, (Shape){0});
}
static NodeId add(const UpdateBuilder *b, NodeId x, NodeId y) {
    return build_binary(b->graph, OP_add, x, y);
}
static NodeId sub(const UpdateBuilder *b, NodeId x, NodeId y) {
    return build_binary(b->graph, OP_sub, x, y);
}
static NodeId mul(const UpdateBuilder *b, NodeId x, NodeId y) {
    return build_binary(b->graph, OP_mul, x, y);
}
static NodeId divide(const UpdateBuilder *b, NodeId x, NodeId y) {
    return build_binary(b->graph, OP_div, x, y);
}
static NodeId fma_(const UpdateBuilder *b, NodeId x, NodeId y, NodeId z) {
    return build_ternary(b->graph, OP_fma, x, y, z);
}
static NodeId unary(const UpdateBuilder *b, Op op, NodeId x) {
    return build_unary(b->graph, op, x);
}

static double number(const Optimization *optimization, uint32_t arg) {
    return optimization->optimizer->args[arg].real;
}

/* The learning rate: a number, or a schedule's scalar. */
static NodeId rate_of(const Optimization *optimization) {
    return tensor_f32(optimization->evaluator, optimization->optimizer->args[0]);
}

/* A zero state "adam.m.dense1.weight" of the weight's shape. */
static NodeId moment(const UpdateBuilder *b, const char *role) {
    const Optimization *o = b->optimization;
    const char *name =
        arena_format(o->evaluator->arena, MOMENT_NAME, o->optimizer->callee->name, role, o->name);
    return graph_state(b->graph, name, DTYPE_F32, graph_node(b->graph, o->weight)->shape, (Init){0},
                       false);
}

/* Steps done, this one included, as f32. */
static NodeId step_number(const UpdateBuilder *b) {
    NodeId step = graph_input(b->graph, SYMBOL_VALUE, "step", DTYPE_I32, (Shape){0});
    return add(b, build_convert(b->graph, step, DTYPE_F32), scalar(b, 1));
}

/* g + decay * w */
static NodeId decayed(const UpdateBuilder *b, double decay) {
    NodeId gradient = b->optimization->gradient;
    return decay == 0 ? gradient : fma_(b, scalar(b, decay), b->optimization->weight, gradient);
}

NodeId optimize_sgd(const Optimization *optimization) {
    UpdateBuilder b = builder(optimization);
    double momentum = number(optimization, 1);
    bool nesterov = optimization->optimizer->args[2].boolean;
    if (nesterov && momentum == 0) {
        evaluator_error(optimization->evaluator, optimization->optimizer->spans[2],
                        "nesterov = true needs a momentum above 0");
        return NODE_NONE;
    }
    NodeId g = decayed(&b, number(optimization, 3)), direction = g;
    if (momentum != 0) {
        NodeId state = moment(&b, "momentum"), next = fma_(&b, scalar(&b, momentum), state, g);
        graph_update(b.graph, state, next);
        direction = nesterov ? fma_(&b, scalar(&b, momentum), next, g) : next;
    }
    return fma_(&b, unary(&b, OP_neg, rate_of(optimization)), direction, optimization->weight);
}

/* 1 - beta^t, computed as -expm1(t ln beta), which loses no digits where beta^t is close to 1. */
static NodeId bias_correction(const UpdateBuilder *b, double beta) {
    if (beta == 0) return scalar(b, 1);
    return unary(b, OP_neg, unary(b, OP_expm1, mul(b, step_number(b), scalar(b, log(beta)))));
}

/* state + (1 - beta) * (value - state): the next value of the state. */
static NodeId average(const UpdateBuilder *b, NodeId state, double beta, NodeId value) {
    return fma_(b, scalar(b, 1 - beta), sub(b, value, state), state);
}

static NodeId average_of_squares(const UpdateBuilder *b, double beta, NodeId g) {
    NodeId v = moment(b, "v"), next = average(b, v, beta, mul(b, g, g));
    graph_update(b->graph, v, next);
    return next;
}

/* If a gradient stays 0, as that of a dead unit does, its average shrinks in every step. Below
 * 2^-100 it moves no weight any more and becomes 0. As a denormal number it would make the
 * divisions of its vector three times as slow. The square of such a gradient is 0 in f32, so v
 * needs no such rule. */
#define FADED 0x1p-100

/* Adam's step from `weight` along gradient `g`. */
static NodeId adam_step(const UpdateBuilder *b, NodeId weight, NodeId g) {
    const Optimization *optimization = b->optimization;
    double beta1 = number(optimization, 1), beta2 = number(optimization, 2);
    NodeId m = moment(b, "m"), next = average(b, m, beta1, g),
           has_faded = build_binary(b->graph, OP_lt, unary(b, OP_abs, next), scalar(b, FADED));
    next = build_ternary(b->graph, OP_select, has_faded, scalar(b, 0), next);
    graph_update(b->graph, m, next);
    NodeId v = average_of_squares(b, beta2, g);
    NodeId rate = divide(b, rate_of(optimization), bias_correction(b, beta1));
    NodeId scale = divide(b, scalar(b, 1), unary(b, OP_sqrt, bias_correction(b, beta2)));
    NodeId denominator = fma_(b, unary(b, OP_sqrt, v), scale, scalar(b, number(optimization, 3)));
    return sub(b, weight, divide(b, mul(b, rate, next), denominator));
}

NodeId optimize_adam(const Optimization *optimization) {
    UpdateBuilder b = builder(optimization);
    return adam_step(&b, optimization->weight, decayed(&b, number(optimization, 4)));
}

/* adam_step(w - lr * decay * w, g): the decay is not part of the gradient. */
NodeId optimize_adamw(const Optimization *optimization) {
    UpdateBuilder b = builder(optimization);
    NodeId shrink = mul(&b, rate_of(optimization), scalar(&b, number(optimization, 4)));
    NodeId weight = fma_(&b, unary(&b, OP_neg, shrink), optimization->weight, optimization->weight);
    return adam_step(&b, weight, optimization->gradient);
}

/* w - lr * d, where d = g / (sqrt(v) + eps) and v is the average of g * g. With momentum, d is
 * momentum * (its last value) + d. */
NodeId optimize_rmsprop(const Optimization *optimization) {
    UpdateBuilder b = builder(optimization);
    double momentum = number(optimization, 4);
    NodeId g = decayed(&b, number(optimization, 3)),
           v = average_of_squares(&b, number(optimization, 1), g);
    NodeId direction =
        divide(&b, g, add(&b, unary(&b, OP_sqrt, v), scalar(&b, number(optimization, 2))));
    if (momentum != 0) {
        NodeId state = moment(&b, "momentum"),
               next = fma_(&b, scalar(&b, momentum), state, direction);
        graph_update(b.graph, state, next);
        direction = next;
    }
    return fma_(&b, unary(&b, OP_neg, rate_of(optimization)), direction, optimization->weight);
}

/* w - rate * g / (sqrt(sum) + eps), where sum adds all g * g so far and rate = lr / (1 + (steps
 * before this one) * lr_decay). */
NodeId optimize_adagrad(const Optimization *optimization) {
    UpdateBuilder b = builder(optimization);
    NodeId g = decayed(&b, number(optimization, 3)), sum = moment(&b, "sum"),
           next = fma_(&b, g, g, sum), rate = rate_of(optimization);
    graph_update(b.graph, sum, next);
    if (number(optimization, 1) != 0) {
        NodeId before = sub(&b, step_number(&b), scalar(&b, 1));
        rate =
            divide(&b, rate, fma_(&b, before, scalar(&b, number(optimization, 1)), scalar(&b, 1)));
    }
    NodeId root = add(&b, unary(&b, OP_sqrt, next), scalar(&b, number(optimization, 2)));
    return sub(&b, optimization->weight, divide(&b, mul(&b, rate, g), root));
}
