/* Elementwise functions of numbers and tensors, and reductions. */
#include "frontend/evaluate/summary.h"
#include "ir/eval/eval.h"

#include <inttypes.h>
#include <math.h>

static bool check_operand(const Call *call, uint32_t arg) {
    if (value_is_number(call->args[arg]) || call->args[arg].kind == VALUE_TENSOR ||
        call->args[arg].kind == VALUE_BOOL)
        return true;
    call_fail(call, arg, "must be a number or a tensor, not %s", call_arg_text(call, arg));
    return false;
}

static Value built(const Call *call, NodeId node) {
    return evaluator_built(call->evaluator, call->span, node);
}

/* -- elementwise -- */

/* Evaluates the op in f64 for a number that is known while compiling. */
static Value elementwise_number(const Call *call, double x) {
    static const Node scalar = {.dtype = DTYPE_F32};
    const Node *operands[] = {&scalar};
    const void *in[] = {&x};
    double result;
    eval_table[call->callee->builtin->op](&(EvalArgs){INTERP_F64, &scalar, operands, in, &result});
    Op op = call->callee->builtin->op;
    bool whole = (op == OP_floor || op == OP_rint) && fabs(result) < 9e18;
    if (whole) return value_int((int64_t)result);
    if (isfinite(result)) return value_float(result);
    evaluator_error(call->evaluator, call->span, "%s(%g) is not a finite number",
                    call->callee->name, x);
    return value_error();
}

Value call_elementwise(const Call *call) {
    if (value_is_number(call->args[0]))
        return elementwise_number(call, value_number(call->args[0]));
    if (!check_operand(call, 0)) return value_error();
    Op op = call->callee->builtin->op;
    /* the operation on columns that keeps all digits, if there is one */
    DerivedKind kind = op == OP_floor  ? DERIVED_FLOOR
                       : op == OP_rint ? DERIVED_ROUND
                       : op == OP_abs  ? DERIVED_ABS
                                       : DERIVED_KINDS;
    Value column = kind == DERIVED_KINDS
                       ? value_none()
                       : derive_single(call->evaluator, kind, call->args[0], call->span);
    if (column.kind != VALUE_NONE) return column;
    NodeId operand = tensor_f32(call->evaluator, call->args[0]);
    return built(call, build_unary(call->evaluator->graph, call->callee->builtin->op, operand));
}

static Value larger_or_smaller(const Call *call, Op op) {
    Value a = call->args[0], b = call->args[1];
    if (!check_operand(call, 0) || !check_operand(call, 1)) return value_error();
    if (value_is_number(a) && value_is_number(b))
        return (value_number(a) < value_number(b)) == (op == OP_max) ? b : a;
    Value column =
        derive_double(call->evaluator, op == OP_max ? DERIVED_MAX : DERIVED_MIN, a, b, call->span);
    if (column.kind != VALUE_NONE) return column;
    return tensor_binary(call->evaluator, call->span, op, "compare", tensor_f32(call->evaluator, a),
                         tensor_f32(call->evaluator, b));
}

/* Rounds toward zero. Tensors become i32, as by a conversion in the graph. */
Value call_int(const Call *call) {
    Value x = call->args[0];
    if (!check_operand(call, 0)) return value_error();
    if (x.kind == VALUE_TENSOR) {
        /* A column of numbers is converted from the file's own digits. Whole numbers stay as they
         * are. */
        bool numbers = tensor_node(call->evaluator, x)->dtype == DTYPE_F32;
        Value column =
            numbers ? derive_single(call->evaluator, DERIVED_INT, x, call->span) : value_none();
        if (numbers && column.kind == VALUE_NONE) present_keep(call->evaluator, x.node, call->span);
        return column.kind != VALUE_NONE
                   ? column
                   : built(call, build_convert(call->evaluator->graph, x.node, DTYPE_I32));
    }
    double number = x.kind == VALUE_BOOL ? x.boolean : trunc(value_number(x));
    if (fabs(number) <= 9e15) return value_int((int64_t)number);
    return call_fail(call, 0, "is too large for a whole number: %s", call_arg_text(call, 0));
}

Value call_max(const Call *call) { return larger_or_smaller(call, OP_max); }
Value call_min(const Call *call) { return larger_or_smaller(call, OP_min); }

Value call_select(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Value condition = call->args[0];
    if (condition.kind == VALUE_BOOL) return call->args[condition.boolean ? 1 : 2];
    if (condition.kind != VALUE_TENSOR || tensor_node(evaluator, condition)->dtype != DTYPE_BOOL)
        return call_fail(call, 0, "must be true or false, or a bool tensor such as 'x > 0', not %s",
                         call_arg_text(call, 0));
    if (!check_operand(call, 1) || !check_operand(call, 2)) return value_error();
    NodeId a = tensor_f32(evaluator, call->args[1]), b = tensor_f32(evaluator, call->args[2]);
    if (!tensors_broadcast(evaluator, call->span, "choose between", a, b) ||
        !tensors_broadcast(evaluator, call->span, "choose between", condition.node, a) ||
        !tensors_broadcast(evaluator, call->span, "choose between", condition.node, b))
        return value_error();
    return built(call, build_ternary(evaluator->graph, OP_select, condition.node, a, b));
}

Value call_fma(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    NodeId operands[3];
    for (uint32_t i = 0; i < 3; i++) {
        if (!check_operand(call, i)) return value_error();
        operands[i] = tensor_f32(evaluator, call->args[i]);
    }
    if (!tensors_broadcast(evaluator, call->span, "multiply", operands[0], operands[1]) ||
        !tensors_broadcast(evaluator, call->span, "add", operands[0], operands[2]) ||
        !tensors_broadcast(evaluator, call->span, "add", operands[1], operands[2]))
        return value_error();
    return built(call,
                 build_ternary(evaluator->graph, OP_fma, operands[0], operands[1], operands[2]));
}

/* -- along axes -- */

static Shape operand_shape(const Call *call) {
    return tensor_node(call->evaluator, call->args[0])->shape;
}

static Value reduced(const Call *call, Op op) {
    Graph *graph = call->evaluator->graph;
    uint32_t axes;
    if (!call_axes(call, 1, operand_shape(call).rank, &axes)) return value_error();
    Shape kept = operand_shape(call);
    for (int i = 0; i < kept.rank; i++)
        if (axes >> i & 1) kept.dim[i] = 1;
    NodeId result = build_reduce_axes(graph, op, tensor_f32(call->evaluator, call->args[0]), axes);
    return built(call, call->args[2].boolean ? build_reshape(graph, result, kept) : result);
}

Value call_sum(const Call *call) { return reduced(call, OP_sum); }
Value call_amax(const Call *call) { return reduced(call, OP_reduce_max); }

Value call_first(const Call *call) {
    Shape shape = operand_shape(call);
    int64_t start[SHAPE_MAX_RANK] = {0};
    uint32_t axes;
    if (!call_axes(call, 1, shape.rank, &axes)) return value_error();
    for (int i = 0; i < shape.rank; i++)
        if (axes >> i & 1) shape.dim[i] = 1;
    return built(call,
                 build_slice(call->evaluator->graph, call->args[0].node, start, shape.dim, NULL));
}

Value call_count(const Call *call) {
    uint32_t axes;
    if (!call_axes(call, 1, operand_shape(call).rank, &axes)) return value_error();
    Shape shape = operand_shape(call);
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++)
        if (axes >> i & 1) count *= shape.dim[i];
    int64_t correction = call->args[2].integer;
    if (correction < count) return value_int(count - correction);
    /* the divisor of a variance must be positive */
    bool rows = (axes & 1) && shape.dim[0] == 1 && call->evaluator->batch == 1;
    call_fail(call, 2, "must be below the number of elements, %" PRId64 ", not be %s", count,
              call_arg_text(call, 2));
    diag_help(call->evaluator->diag, "correction = 0 divides by the number of elements%s",
              rows ? "; the last batch of an epoch may have one row only" : "");
    return value_error();
}

Value call_argmax(const Call *call) {
    int axis;
    if (!call_axis(call, 1, operand_shape(call).rank, &axis)) return value_error();
    return built(call, build_reduce(call->evaluator->graph, OP_argmax,
                                    tensor_f32(call->evaluator, call->args[0]), axis, false));
}

static Value axiswise(const Call *call, Op op) {
    int axis;
    if (!call_axis(call, 1, operand_shape(call).rank, &axis)) return value_error();
    return built(call, build_axiswise(call->evaluator->graph, op,
                                      tensor_f32(call->evaluator, call->args[0]), axis));
}

Value call_cumsum(const Call *call) { return axiswise(call, OP_cumsum); }
Value call_softmax(const Call *call) { return axiswise(call, OP_softmax); }
Value call_log_softmax(const Call *call) { return axiswise(call, OP_log_softmax); }
