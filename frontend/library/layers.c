/* The layer dense. Meaning, names and initial values of its weights are those of PyTorch. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

static Value not_enough_axes(const Call *call, Shape shape) {
    Evaluator *evaluator = call->evaluator;
    DType dtype = tensor_node(evaluator, call->args[0])->dtype;
    size_t errors = diag_errors(evaluator->diag);
    if (shape.rank == 0 || shape.dim[0] != evaluator->batch)
        return call_fail(call, 0, "must have a batch axis and at least one more, not be %s",
                         value_text(evaluator->arena, evaluator->graph, call->args[0]));
    call_fail(call, 0,
              "must have a list of numbers for each row, f32[N,1] for one number, not be %s[N]",
              dtype_name(dtype));
    if (diag_errors(evaluator->diag) > errors)
        diag_help(
            evaluator->diag,
            "unsqueeze(x, 1) turns it into a column; columns of a table are columns(source, [\"a\", \"b\"])");
    return value_error();
}

/* y = x @ weight^T + bias, weight f32[width, in] */
Value call_dense(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Graph *graph = evaluator->graph;
    Shape shape = tensor_node(evaluator, call->args[0])->shape;
    int64_t width = call->args[1].integer;
    if (shape.rank < 2) return not_enough_axes(call, shape);
    if (width > SHAPE_MAX_ELEMENTS / shape.dim[shape.rank - 1])
        return call_fail(call, 1, "gives a weight of more than 2^31 elements, the maximum");
    int64_t in = shape.dim[shape.rank - 1];
    Fan fan = {(double)in, (double)width};
    const char *layer = layer_name(evaluator, "dense");
    Shape flat = {.rank = 2, .dim = {shape_elements(shape) / in, in}};
    NodeId x = build_reshape(graph, tensor_f32(evaluator, call->args[0]), flat);
    NodeId weight = weight_of_layer(call, layer, "weight", (Shape){.rank = 2, .dim = {width, in}},
                                    call->args[3], fan);
    NodeId y = build_matmul(graph, x, weight, false, true);
    if (call->args[2].boolean && y)
        y = build_binary(graph, OP_add, y,
                         weight_of_layer(call, layer, "bias", (Shape){.rank = 1, .dim = {width}},
                                         call->args[4], fan));
    shape.dim[shape.rank - 1] = width;
    return evaluator_built(evaluator, call->span, build_reshape(graph, y, shape));
}
