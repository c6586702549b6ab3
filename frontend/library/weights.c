/* Makes weights and other states: their names and initial values. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *layer_name(Evaluator *evaluator, const char *kind) {
    uint32_t *count = names_find(evaluator->layer_counts, kind);
    if (!count)
        names_put(evaluator->layer_counts, kind, count = ARENA_NEW(evaluator->arena, uint32_t));
    return arena_format(evaluator->arena, "%s%u", kind, ++*count);
}

/* The wanted name; if it is taken, with _2, _3... appended. */
const char *weight_name(Evaluator *evaluator, const char *wanted) {
    const char *name = wanted;
    for (uint32_t i = 2; names_find(evaluator->weights, name); i++)
        name = arena_format(evaluator->arena, "%s_%u", wanted, i);
    return name;
}

/* init = 0.5: every element is this number. */
static bool constant_init(const Call *call, double number, Init *init) {
    *init = (Init){INIT_CONSTANT, (float)number, 0};
    if (isfinite((float)number)) return true;
    evaluator_error(call->evaluator, call->span,
                    "the initial value of a weight must be a finite f32, not %g", number);
    return false;
}

/* Reads an argument `init`: a call of an initializer, its bare name (a call without arguments), or
 * a number. */
static bool find_init(const Call *call, Value value, Fan fan, Init *init) {
    Evaluator *evaluator = call->evaluator;
    if (value.kind == VALUE_FUNCTION && value.function->builtin &&
        value.function->builtin->kind == KIND_INITIALIZER)
        value = evaluate_apply(evaluator, value.function, NULL, NULL, 0, call->span);
    if (value.kind == VALUE_ERROR) return false;
    if (value_is_number(value)) return constant_init(call, value_number(value), init);
    bool good = value.kind == VALUE_BOUND && value.bound->callee->builtin->kind == KIND_INITIALIZER;
    if (good)
        *init = value.bound->callee->builtin->initial(value.bound, fan);
    else if (evaluator_error(
                 evaluator, call->span,
                 "the initial values of a weight must be a number or an initializer, not %s",
                 value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(
            evaluator->diag,
            "for example init = 0.5 or init = he; initializers are zeros, ones, uniform, normal, glorot, he and orthogonal");
    return good;
}

Value layer_misplaced(const Call *call) {
    evaluator_error(call->evaluator, call->span, "the layer '%s' must be in the model block",
                    call->callee->name);
    return value_error();
}

static Value kept_new(const Call *call, const char *name, Shape shape, Value value, Fan fan,
                      bool trainable) {
    Evaluator *evaluator = call->evaluator;
    if (evaluator->phase != PHASE_MODEL) return layer_misplaced(call);
    /* The default is that of PyTorch's layers: uniform within 1 / sqrt(fan in). */
    double bound = 1 / sqrt(fan.in);
    Init init = (Init){INIT_UNIFORM, (float)-bound, (float)bound};
    if (value.kind != VALUE_NONE && !find_init(call, value, fan, &init)) return value_error();
    if (init.kind == INIT_ORTHOGONAL && shape.rank < 2) {
        evaluator_error(evaluator, call->span, "orthogonal needs at least two axes");
        return value_error();
    }
    name = weight_name(evaluator, name);
    names_put(evaluator->weights, name, (void *)name);
    return evaluator_built(evaluator, call->span,
                           graph_state(evaluator->graph, name, DTYPE_F32, shape, init, trainable));
}

NodeId weight_of_layer(const Call *call, const char *layer, const char *role, Shape shape,
                       Value init, Fan fan) {
    const char *name = arena_format(call->evaluator->arena, "%s.%s", layer, role);
    return kept_new(call, name, shape, init, fan, true).node;
}

/* For x @ w, the second-to-last axis of w is the fan-in and the last axis the fan-out. */
static Fan fan_of(Shape shape) {
    double last = shape.rank ? (double)shape.dim[shape.rank - 1] : 1;
    if (shape.rank < 2) return (Fan){last, last};
    double lead = (double)shape_elements(shape) / last / (double)shape.dim[shape.rank - 2];
    return (Fan){lead * (double)shape.dim[shape.rank - 2], lead * last};
}

/* In the model's own functions a weight has the name of its variable. In a layer of the library it
 * is "layer_norm1.weight". */
static const char *wanted_name(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    CallFrame *frame = evaluator->frame;
    const char *role = call->assigned_to ? call->assigned_to : call->callee->name;
    if (!evaluator->scope->in_library) return role;
    if (!frame->layer) frame->layer = layer_name(evaluator, frame->callee->name);
    return arena_format(evaluator->arena, "%s.%s", frame->layer, role);
}

static bool in_model(const Call *call, const char *what) {
    if (call->evaluator->phase == PHASE_MODEL) return true;
    evaluator_error(call->evaluator, call->span, "%s must be in the model block", what);
    return false;
}

Value call_weight(const Call *call) {
    Shape shape;
    if (!in_model(call, "weights") || !call_sizes(call, 0, &shape)) return value_error();
    return kept_new(call, wanted_name(call), shape, call->args[1], fan_of(shape), true);
}

/* -- states that are not trained -- */

Value call_state(const Call *call) {
    Shape shape;
    if (!in_model(call, "states") || !call_sizes(call, 0, &shape)) return value_error();
    return kept_new(call, wanted_name(call), shape, call->args[1], fan_of(shape), false);
}

static const Symbol *kept_symbol(const Call *call) {
    const Node *node = tensor_node(call->evaluator, call->args[0]);
    const Symbol *symbol =
        node->op == OP_state ? &call->evaluator->graph->symbols[node->attrs.symbol] : NULL;
    if (symbol && !symbol->trainable) return symbol;
    call_fail(call, 0,
              symbol ? "is a weight: the optimizer changes it"
                     : "must be the result of a call of 'state'");
    return NULL;
}

/* Outside of training the arguments are checked, but nothing is updated. */
Value call_update(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    const Symbol *symbol = kept_symbol(call);
    if (!symbol) return value_error();
    if (!shape_equal(symbol->shape, tensor_node(evaluator, call->args[1])->shape))
        return call_fail(call, 1, "must have the shape of the state, %s, not be %s",
                         value_text(evaluator->arena, evaluator->graph, call->args[0]),
                         value_text(evaluator->arena, evaluator->graph, call->args[1]));
    if (symbol->update) return call_fail(call, 0, "has been updated before in the same step");
    if (evaluator->training && !freeze_holds(evaluator, symbol->name))
        graph_update(evaluator->graph, symbol->node, tensor_f32(evaluator, call->args[1]));
    return call->args[0];
}

/* -- the initializers -- */

static double number(const Bound *bound, uint32_t arg) { return bound->args[arg].real; }

Init initial_zeros(const Bound *bound, Fan fan) {
    (void)bound, (void)fan;
    return (Init){INIT_CONSTANT, 0, 0};
}

Init initial_ones(const Bound *bound, Fan fan) {
    (void)bound, (void)fan;
    return (Init){INIT_CONSTANT, 1, 0};
}

Init initial_uniform(const Bound *bound, Fan fan) {
    (void)fan;
    return (Init){INIT_UNIFORM, (float)number(bound, 0), (float)number(bound, 1)};
}

Init initial_normal(const Bound *bound, Fan fan) {
    (void)fan;
    return (Init){INIT_NORMAL, (float)number(bound, 1), (float)number(bound, 0)};
}

/* A distribution of the given deviation: a normal one, or a uniform one sqrt(3) times as wide. */
static Init spread(double deviation, bool normal) {
    if (normal) return (Init){INIT_NORMAL, 0, (float)deviation};
    return (Init){INIT_UNIFORM, (float)(-sqrt(3) * deviation), (float)(sqrt(3) * deviation)};
}

Init initial_glorot(const Bound *bound, Fan fan) {
    return spread(number(bound, 0) * sqrt(2 / (fan.in + fan.out)), bound->args[1].boolean);
}

Init initial_he(const Bound *bound, Fan fan) {
    return spread(number(bound, 0) * sqrt(2 / fan.in), bound->args[1].boolean);
}

Init initial_orthogonal(const Bound *bound, Fan fan) {
    (void)fan;
    return (Init){INIT_ORTHOGONAL, (float)number(bound, 0), 0};
}
