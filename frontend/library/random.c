/* random and dropout: random numbers in the graph of a training step. Every call has its own random
 * numbers: the substream of its name, such as "dropout2", which counts the calls. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

static NodeId value_input(Graph *graph, const char *name) {
    return graph_input(graph, SYMBOL_VALUE, name, DTYPE_I32, (Shape){0});
}

/* Uniform on [0, 1): the upper 24 of 32 bits. `kind` names the call, as with layers. */
static NodeId random_units(Evaluator *evaluator, const char *kind, Shape shape) {
    Graph *graph = evaluator->graph;
    RandomNumbers numbers = {.stream =
                                 evaluator->phase == PHASE_DATA ? STREAM_AUGMENT : STREAM_DROPOUT,
                             .substream = hash_name(layer_name(evaluator, kind))};
    /* a share of a batch draws the numbers of its own rows */
    const Globals *globals = evaluator->globals;
    for (uint32_t i = 0; i < globals->row_substream_count; i++)
        if (globals->row_substreams[i] == numbers.substream)
            numbers.row = (uint32_t)(shape_elements(shape) / evaluator->batch);
    NodeId operands[] = {value_input(graph, INPUT_SEED_LOW), value_input(graph, INPUT_SEED_HIGH),
                         value_input(graph, INPUT_DRAW),
                         numbers.row ? value_input(graph, INPUT_ROW)
                                     : build_i32(graph, 0, (Shape){0})};
    NodeId bits = build_random(graph, operands, &numbers, shape);
    NodeId upper = build_binary(graph, OP_shr, bits, build_i32(graph, 8, (Shape){0}));
    return build_binary(graph, OP_mul, build_convert(graph, upper, DTYPE_F32),
                        build_f32(graph, 0x1p-24, (Shape){0}));
}

/* Evaluation and prediction must give the same result every time, so only a training step has
 * random numbers. */
Value call_random(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Shape shape;
    if (!call_sizes(call, 0, &shape)) return value_error();
    if (!evaluator->training) {
        if (evaluator_error(evaluator, call->span, "random numbers are available in training only"))
            diag_help(evaluator->diag, "put the code that needs them into 'if training { ... }'");
        return value_error();
    }
    const char *kind = evaluator->phase == PHASE_DATA ? "augment" : "random";
    return evaluator_built(evaluator, call->span, random_units(evaluator, kind, shape));
}

/* Each element becomes 0 with probability p, and x / (1 - p) otherwise. */
Value call_dropout(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Graph *graph = evaluator->graph;
    double p = call->args[1].real;
    NodeId x = tensor_f32(evaluator, call->args[0]);
    if (evaluator->phase == PHASE_TRAIN) return layer_misplaced(call);
    if (!evaluator->training || p == 0 || !x) return value_tensor(x);
    NodeId unit = random_units(evaluator, "dropout", graph_node(graph, x)->shape);
    NodeId dropped = build_binary(graph, OP_lt, unit, build_f32(graph, p, (Shape){0}));
    NodeId scaled =
        build_binary(graph, OP_mul, x, build_f32(graph, p < 1 ? 1 / (1 - p) : 0, (Shape){0}));
    NodeId zero = build_f32(graph, 0, (Shape){0});
    return evaluator_built(evaluator, call->span,
                           build_ternary(graph, OP_select, dropped, zero, scaled));
}
