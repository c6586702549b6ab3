/* split_mean and split_counts: parts of metrics that are known only after all batches of a split.
 * GRAPH_EVAL outputs the x of split_mean(x) for each batch; GRAPH_METRICS has the mean over the
 * split as an input and computes the metric from it. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

/* The value of x over all batches of a split: an output of GRAPH_EVAL, an input of GRAPH_METRICS.
 * Outputs of whole numbers are added up over the batches, others averaged. */
static Value over_batches(const Call *call, NodeId x, DType dtype) {
    Evaluator *evaluator = call->evaluator;
    Graph *graph = evaluator->graph;
    const char *name =
        arena_format(evaluator->arena, "%s.%u", evaluator->metric, ++evaluator->split_means);
    if (evaluator->finishing)
        x = graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, graph_node(graph, x)->shape);
    else if (!evaluator->training)
        graph_output(graph, name, build_convert(graph, x, dtype));
    return evaluator_built(evaluator, call->span, x);
}

Value call_split_mean(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    if (!evaluator->metric) {
        if (evaluator_error(evaluator, call->span, "split_mean can be used in metrics only"))
            diag_help(evaluator->diag, "use mean(...) for the mean over a batch");
        return value_error();
    }
    return over_batches(call, tensor_f32(evaluator, call->args[0]), DTYPE_F32);
}

/* mean(a == b), such as accuracy: records that the metric is a fraction, and of how many truth
 * values. */
Value call_as_mean(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    const Node *x = tensor_node(evaluator, call->args[0]);
    bool scalar = call->args[1].kind == VALUE_TENSOR &&
                  tensor_node(evaluator, call->args[1])->shape.rank == 0;
    if (x->dtype == DTYPE_BOOL && scalar) {
        evaluator->fraction = call->args[1].node;
        evaluator->truths = shape_elements(x->shape);
    }
    return call->args[1];
}

Value call_over_split(const Call *call) {
    return call->evaluator->metric ? call_split_mean(call) : call->args[0];
}

/* The counts of a batch are sums in f32, which are exact up to 2^24. */
static bool counts_exactly(const Call *call) {
    enum { MOST = 1 << 24 };
    Evaluator *evaluator = call->evaluator;
    if (tensor_node(evaluator, call->args[0])->shape.dim[0] <= MOST) return true;
    if (evaluator_error(evaluator, call->span,
                        "with more than %d elements in a batch the counts would not be exact",
                        MOST))
        diag_help(evaluator->diag, "choose a smaller batch");
    return false;
}

Value call_split_counts(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    if (!evaluator->metric) {
        if (evaluator_error(evaluator, call->span,
                            "counts of classes can be used in metrics only, not in a loss"))
            diag_help(evaluator->diag, "use cross_entropy(logits, label) as the loss");
        return value_error();
    }
    if (!counts_exactly(call)) return value_error();
    NodeId counts =
        build_matmul(evaluator->graph, call->args[1].node, call->args[2].node, true, false);
    Value value = counts ? over_batches(call, counts, DTYPE_I32) : value_error();
    if (value.kind == VALUE_ERROR) return value;
    int64_t elements = tensor_node(evaluator, call->args[0])->shape.dim[0],
            batch = evaluator->batch;
    evaluator->counts = value.node;
    evaluator->counted = (MetricCounts){.classes = tensor_node(evaluator, value)->shape.dim[0],
                                        .answers = elements % batch ? 0 : elements / batch,
                                        .label = classes_known_by(evaluator, call->args[0])};
    return value;
}
