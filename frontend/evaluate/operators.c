/* Operators on values known while compiling. Operators on tensors are in tensors.c. */
#include "frontend/evaluate/summary.h"
#include "ir/eval/eval.h"

#include <inttypes.h>
#include <math.h>

/* An operation in progress: one expression and its operands' values. */
typedef struct {
    Evaluator *evaluator;
    const Expr *expr;
    Operator op;
    Value left, right;
} Operation;

static const char *text_of(const Operation *operation, Value value) {
    return value_text(operation->evaluator->arena, operation->evaluator->graph, value);
}

static Value fail(const Operation *operation, const char *message) {
    evaluator_error(operation->evaluator, operation->expr->span, "%s", message);
    return value_error();
}

static Value wrong_kinds(const Operation *operation) {
    const char *verb = operator_verb(operation->op), *right = text_of(operation, operation->right);
    if (operation->expr->kind == EXPR_UNARY)
        evaluator_error(operation->evaluator, operation->expr->span, "cannot %s %s", verb, right);
    else
        evaluator_error(operation->evaluator, operation->expr->span, "cannot %s %s and %s", verb,
                        text_of(operation, operation->left), right);
    return value_error();
}

static Value wrong_truth(const Operation *operation) {
    const char *symbol = operator_symbol(operation->op),
               *right = text_of(operation, operation->right);
    if (operation->expr->kind == EXPR_UNARY)
        evaluator_error(operation->evaluator, operation->expr->span,
                        "'%s' needs true or false, not %s", symbol, right);
    else
        evaluator_error(operation->evaluator, operation->expr->span,
                        "'%s' needs true or false on both sides, not %s and %s", symbol,
                        text_of(operation, operation->left), right);
    return value_error();
}

/* -- whole numbers -- */

static Value checked_int(const Operation *operation, bool overflow, int64_t result) {
    return overflow ? fail(operation, "the result is beyond the largest whole number, 2^63 - 1")
                    : value_int(result);
}

static Value negated_int(const Operation *operation, int64_t value) {
    int64_t result = 0;
    bool overflow = __builtin_sub_overflow(0, value, &result);
    return checked_int(operation, overflow, result);
}

static Value int_power(const Operation *operation, int64_t base, int64_t exponent) {
    int64_t result = 1;
    bool overflow = false;
    for (; exponent && !overflow; exponent >>= 1) {
        if (exponent & 1) overflow = __builtin_mul_overflow(result, base, &result);
        if (exponent > 1) overflow |= __builtin_mul_overflow(base, base, &base);
    }
    return checked_int(operation, overflow, result);
}

/* A quotient that is whole stays a whole number, so that it can be a size. */
static Value int_quotient(const Operation *operation, int64_t a, int64_t b) {
    if (b == 0) return fail(operation, "division by zero");
    if (b == -1) return negated_int(operation, a);
    return a % b ? value_float((double)a / (double)b) : value_int(a / b);
}

static Value real_arithmetic(const Operation *operation, double a, double b);

static Value int_arithmetic(const Operation *operation) {
    int64_t a = operation->left.integer, b = operation->right.integer, result = 0;
    bool overflow = false;
    switch (operation->op) {
    case OPERATOR_ADD: overflow = __builtin_add_overflow(a, b, &result); break;
    case OPERATOR_SUB: overflow = __builtin_sub_overflow(a, b, &result); break;
    case OPERATOR_MUL: overflow = __builtin_mul_overflow(a, b, &result); break;
    case OPERATOR_DIV: return int_quotient(operation, a, b);
    case OPERATOR_MOD:
        return b == 0 ? fail(operation, "division by zero") : value_int(eval_whole_remainder(a, b));
    case OPERATOR_POW:
        return b >= 0 ? int_power(operation, a, b)
                      : real_arithmetic(operation, (double)a, (double)b);
    default: return wrong_kinds(operation);
    }
    return checked_int(operation, overflow, result);
}

/* -- numbers -- */

static Value checked_real(const Operation *operation, double result) {
    return isfinite(result) ? value_float(result)
                            : fail(operation, "the result is not a finite number");
}

static Value real_arithmetic(const Operation *operation, double a, double b) {
    bool divides = operation->op == OPERATOR_DIV || operation->op == OPERATOR_MOD ||
                   (operation->op == OPERATOR_POW && b < 0);
    if (divides && (operation->op == OPERATOR_POW ? a : b) == 0)
        return fail(operation, "division by zero");
    switch (operation->op) {
    case OPERATOR_ADD: return checked_real(operation, a + b);
    case OPERATOR_SUB: return checked_real(operation, a - b);
    case OPERATOR_MUL: return checked_real(operation, a * b);
    case OPERATOR_DIV: return checked_real(operation, a / b);
    case OPERATOR_MOD: return checked_real(operation, eval_floor_remainder(a, b));
    case OPERATOR_POW: return checked_real(operation, pow(a, b));
    default: return wrong_kinds(operation);
    }
}

/* -- comparison and logic -- */

static Value compare_numbers(const Operation *operation) {
    Value a = operation->left, b = operation->right;
    bool ints = a.kind == VALUE_INT && b.kind == VALUE_INT;
    double x = value_number(a), y = value_number(b);
    bool less = ints ? a.integer < b.integer : x < y, equal = value_equal(a, b);
    switch (operation->op) {
    case OPERATOR_LT: return value_bool(less);
    case OPERATOR_LE: return value_bool(less || equal);
    case OPERATOR_GT: return value_bool(!less && !equal);
    case OPERATOR_GE: return value_bool(!less);
    case OPERATOR_EQ: return value_bool(equal);
    default: return value_bool(!equal);
    }
}

static Value compare(const Operation *operation) {
    Value a = operation->left, b = operation->right;
    if (a.kind == VALUE_TENSOR || b.kind == VALUE_TENSOR)
        return tensor_compare(operation->evaluator, operation->expr->span, operation->op, a, b);
    if (value_is_number(a) && value_is_number(b)) return compare_numbers(operation);
    if (operation->op == OPERATOR_EQ) return value_bool(value_equal(a, b));
    if (operation->op == OPERATOR_NE) return value_bool(!value_equal(a, b));
    return wrong_kinds(operation);
}

static bool is_truth(const Evaluator *evaluator, Value value) {
    return value.kind == VALUE_BOOL ||
           (value.kind == VALUE_TENSOR && tensor_node(evaluator, value)->dtype == DTYPE_BOOL);
}

/* true or false as a bool tensor */
static NodeId truth_tensor(Evaluator *evaluator, Value value) {
    if (value.kind == VALUE_TENSOR) return value.node;
    return build_constant(evaluator->graph, (TensorType){.dtype = DTYPE_BOOL}, value.boolean);
}

/* `and`, `or`: the right side is not evaluated if the left one decides. */
static Value evaluate_logic(Operation *operation) {
    Evaluator *evaluator = operation->evaluator;
    bool is_and = operation->op == OPERATOR_AND;
    operation->left = evaluate(evaluator, operation->expr->operation.left);
    if (operation->left.kind == VALUE_BOOL && operation->left.boolean != is_and)
        return operation->left;
    operation->right = evaluate(evaluator, operation->expr->operation.right);
    if (operation->left.kind == VALUE_ERROR || operation->right.kind == VALUE_ERROR)
        return value_error();
    if (!is_truth(evaluator, operation->left) || !is_truth(evaluator, operation->right))
        return wrong_truth(operation);
    if (operation->left.kind == VALUE_BOOL && operation->right.kind == VALUE_BOOL)
        return operation->right;
    return tensor_binary(evaluator, operation->expr->span, is_and ? OP_and : OP_or, "combine",
                         truth_tensor(evaluator, operation->left),
                         truth_tensor(evaluator, operation->right));
}

/* -- the rest -- */

static bool is_operand(Value value) { return value.kind == VALUE_TENSOR || value_is_number(value); }

static Value tensor_arithmetic(const Operation *operation) {
    static const DerivedKind kinds[OPERATOR_COUNT] = {[OPERATOR_ADD] = DERIVED_ADD,
                                                      [OPERATOR_SUB] = DERIVED_SUB,
                                                      [OPERATOR_MUL] = DERIVED_MUL,
                                                      [OPERATOR_DIV] = DERIVED_DIV,
                                                      [OPERATOR_MOD] = DERIVED_MOD};
    Evaluator *evaluator = operation->evaluator;
    Span span = operation->expr->span;
    if (kinds[operation->op]) {
        Value column =
            derive_double(evaluator, kinds[operation->op], operation->left, operation->right, span);
        if (column.kind != VALUE_NONE) return column;
    }
    evaluator_at(evaluator, span);
    if (operation->op == OPERATOR_POW)
        return tensor_power(evaluator, span, operation->left, operation->right);
    if (operation->op == OPERATOR_MOD)
        return tensor_remainder(evaluator, span, operation->left, operation->right);
    static const Op ops[OPERATOR_COUNT] = {[OPERATOR_ADD] = OP_add,
                                           [OPERATOR_SUB] = OP_sub,
                                           [OPERATOR_MUL] = OP_mul,
                                           [OPERATOR_DIV] = OP_div};
    return tensor_binary(evaluator, span, ops[operation->op], operator_verb(operation->op),
                         tensor_f32(evaluator, operation->left),
                         tensor_f32(evaluator, operation->right));
}

static Value arithmetic(const Operation *operation) {
    Value a = operation->left, b = operation->right;
    if (a.kind == VALUE_INT && b.kind == VALUE_INT) return int_arithmetic(operation);
    if (value_is_number(a) && value_is_number(b))
        return real_arithmetic(operation, value_number(a), value_number(b));
    if (a.kind == VALUE_LIST && b.kind == VALUE_LIST && operation->op == OPERATOR_ADD) {
        uint32_t count = a.list.count + b.list.count;
        if (count > LIST_MAX_ITEMS) return fail(operation, "a list has at most 100000 items");
        if (!evaluator_charge(operation->evaluator, operation->expr->span, count))
            return value_error();
        Value *items = ARENA_ARRAY(operation->evaluator->arena, Value, count);
        for (uint32_t i = 0; i < count; i++)
            items[i] = i < a.list.count ? a.list.items[i] : b.list.items[i - a.list.count];
        return value_list(items, count);
    }
    return is_operand(a) && is_operand(b) ? tensor_arithmetic(operation) : wrong_kinds(operation);
}

static Value evaluate_unary(Operation *operation) {
    Evaluator *evaluator = operation->evaluator;
    Value value = operation->right = evaluate(evaluator, operation->expr->operation.right);
    bool negates = operation->op == OPERATOR_NEG;
    if (value.kind == VALUE_ERROR) return value;
    if (negates && value.kind == VALUE_INT) return negated_int(operation, value.integer);
    if (negates && value.kind == VALUE_FLOAT) return value_float(-value.real);
    if (!negates && value.kind == VALUE_BOOL) return value_bool(!value.boolean);
    if (negates && value.kind != VALUE_TENSOR) return wrong_kinds(operation);
    if (!negates && !is_truth(evaluator, value)) return wrong_truth(operation);
    Value column = negates ? derive_single(evaluator, DERIVED_NEG, value, operation->expr->span)
                           : value_none();
    if (column.kind != VALUE_NONE) return column;
    evaluator_at(evaluator, operation->expr->span);
    NodeId operand = negates ? tensor_f32(evaluator, value) : value.node;
    return evaluator_built(evaluator, operation->expr->span,
                           build_unary(evaluator->graph, negates ? OP_neg : OP_not, operand));
}

static Value matrix_product(const Operation *operation) {
    Evaluator *evaluator = operation->evaluator;
    if (operation->left.kind != VALUE_TENSOR || operation->right.kind != VALUE_TENSOR)
        return wrong_kinds(operation);
    LayerMark mark = summary_mark(evaluator);
    Value product =
        tensor_matmul(evaluator, operation->expr->span, tensor_f32(evaluator, operation->left),
                      tensor_f32(evaluator, operation->right));
    summary_record(evaluator, &mark, NULL, product, operation->expr->span);
    return product;
}

Value evaluate_operation(Evaluator *evaluator, const Expr *expr) {
    Operation operation = {.evaluator = evaluator, .expr = expr, .op = expr->operation.op};
    if (expr->kind == EXPR_UNARY) return evaluate_unary(&operation);
    if (operation.op == OPERATOR_AND || operation.op == OPERATOR_OR)
        return evaluate_logic(&operation);
    operation.left = evaluate(evaluator, expr->operation.left);
    operation.right = evaluate(evaluator, expr->operation.right);
    if (operation.left.kind == VALUE_ERROR || operation.right.kind == VALUE_ERROR)
        return value_error();
    if (operation.op >= OPERATOR_LT && operation.op <= OPERATOR_NE) return compare(&operation);
    if (operation.op == OPERATOR_RANGE) {
        Value a = operation.left, b = operation.right;
        if (a.kind == VALUE_INT && b.kind == VALUE_INT)
            return (Value){.kind = VALUE_RANGE, .range = {a.integer, b.integer}};
        return fail(&operation, "the ends of a range must be whole numbers");
    }
    if (operation.op != OPERATOR_MATMUL) return arithmetic(&operation);
    return matrix_product(&operation);
}
