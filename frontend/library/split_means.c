/* split_mean, split_counts: what metrics are made of that are known only when all batches of a split are seen. The graph of a batch gives
 * the x of split_mean(x); another graph, of which the means over the split are inputs, makes the metric of them. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

/* What becomes of x when all batches of a split are seen: an output of the graph of a batch, of the given type, and an input of the
 * one that makes the metrics. Whole numbers are added, others averaged. */
static Value over_batches(const Call *call, NodeId x, DType dtype) {
    Evaluator *evaluator = call->evaluator;
    Graph *graph = evaluator->graph;
    const char *name = arena_format(evaluator->arena, "%s.%u", evaluator->metric, ++evaluator->split_means);
    if (evaluator->finishing)
        x = graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, graph_node(graph, x)->shape);
    else if (!evaluator->training)
        graph_output(graph, name, build_convert(graph, x, dtype));
    return evaluator_built(evaluator, call->span, x);
}

Value call_split_mean(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    if (!evaluator->metric) {
        if (evaluator_error(evaluator, call->span, "split_mean is for metrics: anything else knows one batch only"))
            diag_help(evaluator->diag, "mean(...) is over the batch");
        return value_error();
    }
    return over_batches(call, tensor_f32(evaluator, call->args[0]), DTYPE_F32);
}

/* accuracy(...) is such a mean. */
Value call_as_mean(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    const Node *x = tensor_node(evaluator, call->args[0]);
    bool scalar = call->args[1].kind == VALUE_TENSOR && tensor_node(evaluator, call->args[1])->shape.rank == 0;
    if (x->dtype == DTYPE_BOOL && scalar) {
        evaluator->fraction = call->args[1].node;
        evaluator->truths = shape_elements(x->shape);
    }
    return call->args[1];
}

Value call_over_split(const Call *call) { return call->evaluator->metric ? call_split_mean(call) : call->args[0]; }

/* f32 counts the elements of a batch. */
static bool counts_exactly(const Call *call) {
    enum { MOST = 1 << 24 };
    Evaluator *evaluator = call->evaluator;
    if (tensor_node(evaluator, call->args[0])->shape.dim[0] <= MOST) return true;
    if (evaluator_error(evaluator, call->span, "of more than %d elements in a batch the counts would not be exact", MOST))
        diag_help(evaluator->diag, "choose a smaller batch");
    return false;
}

Value call_split_counts(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    if (!evaluator->metric) {
        if (evaluator_error(evaluator, call->span,
                            "counts of classes are for metrics: they are no loss, and known of a whole split only"))
            diag_help(evaluator->diag, "cross_entropy(logits, label) is a loss that falls as more of them are right");
        return value_error();
    }
    if (!counts_exactly(call)) return value_error();
    NodeId counts = build_matmul(evaluator->graph, call->args[1].node, call->args[2].node, true, false);
    Value value = counts ? over_batches(call, counts, DTYPE_I32) : value_error();
    if (value.kind == VALUE_ERROR) return value;
    int64_t elements = tensor_node(evaluator, call->args[0])->shape.dim[0], batch = evaluator->batch;
    evaluator->counts = value.node;
    evaluator->counted = (MetricCounts){.classes = tensor_node(evaluator, value)->shape.dim[0],
                                        .answers = elements % batch ? 0 : elements / batch,
                                        .label = classes_known_by(evaluator, call->args[0])};
    return value;
}
