/* Folding of arithmetic. Operands are broadcast. */
#include "onnx/in/fold.h"

#include <math.h>
#include <string.h>

/* -- of one number -- */

static double negative(double x) { return -x; }
static double reciprocal(double x) { return 1 / x; }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double sign(double x) { return (double)((x > 0) - (x < 0)); }

static const struct {
    const char *op;
    double (*function)(double x);
} functions[] = {{"Neg", negative}, {"Abs", fabs},  {"Sqrt", sqrt},      {"Reciprocal", reciprocal},
                 {"Floor", floor},  {"Ceil", ceil}, {"Round", rint},     {"Sign", sign},
                 {"Exp", exp},      {"Log", log},   {"Sin", sin},        {"Cos", cos},
                 {"Tanh", tanh},    {"Erf", erf},   {"Sigmoid", sigmoid}};

/* false: the operation is unknown for whole numbers. */
static bool whole_function(const char *op, Dim x, Dim *result) {
    *result = x;
    if (!strcmp(op, "Not")) return result->size = !x.size, true;
    if (x.size == INT64_MIN) return false;
    if (!strcmp(op, "Neg")) return result->size = -x.size, true;
    if (!strcmp(op, "Abs")) return result->size = x.size < 0 ? -x.size : x.size, true;
    if (!strcmp(op, "Sign")) return result->size = (x.size > 0) - (x.size < 0), !x.rows;
    return false;
}

bool fold_unary(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const char *op = node->onnx->op;
    double (*function)(double x) = NULL;
    float *reals;
    Dim *wholes;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].op, op)) function = functions[i].function;
    Tensor *tensor = fold_numbers(import, x, x->count, &reals, &wholes);
    if (reals && !function)
        return node_fail(import, node, "it cannot be computed for real numbers");
    for (int64_t i = 0; i < x->count; i++) {
        if (reals) reals[i] = (float)function((double)x->reals[i]);
        if (wholes && !whole_function(op, x->wholes[i], &wholes[i]))
            return node_fail(import, node, "it cannot be computed for whole numbers");
    }
    return fold_give(node, tensor);
}

/* -- of two numbers -- */

static double real_result(const char *op, double a, double b) {
    if (!strcmp(op, "Add") || !strcmp(op, "Sum")) return a + b;
    if (!strcmp(op, "Sub")) return a - b;
    if (!strcmp(op, "Mul")) return a * b;
    if (!strcmp(op, "Div")) return a / b;
    if (!strcmp(op, "Pow")) return pow(a, b);
    if (!strcmp(op, "Min")) return a < b ? a : b;
    if (!strcmp(op, "Max")) return a > b ? a : b;
    return (double)NAN;
}

static bool is_comparison(const char *op) {
    return !strcmp(op, "Equal") || !strncmp(op, "Less", 4) || !strncmp(op, "Greater", 7) ||
           !strcmp(op, "And") || !strcmp(op, "Or") || !strcmp(op, "Xor");
}

/* The truth value of a comparison, or of what combines truth values. order: -1 if the first number
 * is less than the second, 0 if they are equal, 1 if it is greater; 2 if one of them is no
 * number. */
static bool compared(const char *op, int order, bool a, bool b) {
    if (!strcmp(op, "Equal")) return order == 0;
    if (!strcmp(op, "Less")) return order == -1;
    if (!strcmp(op, "LessOrEqual")) return order == -1 || order == 0;
    if (!strcmp(op, "Greater")) return order == 1;
    if (!strcmp(op, "GreaterOrEqual")) return order == 1 || order == 0;
    return !strcmp(op, "And") ? a && b : !strcmp(op, "Or") ? a || b : a != b;
}

/* false: the result would not be a number or a multiple of N, or the operation is unknown. */
static bool whole_result(const char *op, Dim a, Dim b, Dim *result) {
    bool rows = a.rows || b.rows, fits = true;
    int64_t x = a.size, y = b.size;
    *result = (Dim){0, rows};
    if (!strcmp(op, "Mul"))
        return !(a.rows && b.rows) && !__builtin_mul_overflow(x, y, &result->size);
    if (!strcmp(op, "Div") && y != 0 && y != -1 && !b.rows)
        return result->size = x / y, !rows || x % y == 0;
    if (!strcmp(op, "Add") || !strcmp(op, "Sum"))
        fits = !__builtin_add_overflow(x, y, &result->size);
    if (!strcmp(op, "Sub")) fits = !__builtin_sub_overflow(x, y, &result->size);
    if (!strcmp(op, "Add") || !strcmp(op, "Sum") || !strcmp(op, "Sub"))
        return fits && (a.rows == b.rows || (!a.rows && x == 0) || (!b.rows && y == 0));
    if (!strcmp(op, "Equal")) return *result = (Dim){dim_equal(a, b), false}, true;
    if (rows) return false;
    if (!strcmp(op, "Mod") && y != 0 && y != -1)
        return result->size = x % y + (x % y != 0 && (x < 0) != (y < 0) ? y : 0), true;
    if (!strcmp(op, "Min")) return result->size = x < y ? x : y, true;
    if (!strcmp(op, "Max")) return result->size = x > y ? x : y, true;
    return is_comparison(op) && (result->size = compared(op, (x > y) - (x < y), x, y), true);
}

int64_t fold_place(const Tensor *tensor, int rank, const Dim *dims, int64_t at) {
    int64_t place = 0, step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        int64_t index = at % dims[i].size;
        int own = i - (rank - tensor->rank);
        at /= dims[i].size;
        if (own < 0) continue;
        if (tensor->dims[own].size != 1) place += index * step;
        step *= tensor->dims[own].size;
    }
    return place;
}

int64_t fold_elements(int rank, const Dim *dims) {
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(count, dims[i].size, &count) || count > FOLD_MAX)
            return FOLD_MAX + 1;
    return count;
}

/* Compares real numbers. */
static bool compare_reals(Import *import, OpNode *node, int rank, const Dim *dims, int64_t count) {
    const Tensor *a = node->in[0], *b = node->in[1];
    Dim *wholes;
    Tensor *tensor = fold_wholes(import, count, rank, dims, &wholes);
    tensor->kind = KIND_BOOL;
    for (int64_t i = 0; i < count; i++) {
        float x = a->reals[fold_place(a, rank, dims, i)],
              y = b->reals[fold_place(b, rank, dims, i)];
        int order = x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
        wholes[i] = (Dim){compared(node->onnx->op, order, x != 0, y != 0), false};
    }
    return fold_give(node, tensor);
}

bool fold_binary(Import *import, OpNode *node) {
    const Tensor *a = node->in[0], *b = node->in[1];
    const char *op = node->onnx->op;
    Dim dims[ONNX_MAX_RANK];
    int rank;
    if (!a || !b || !broadcast_dims(import, node, a, b, &rank, dims)) return false;
    int64_t count = fold_elements(rank, dims);
    if (count > FOLD_MAX || (a->reals != NULL) != (b->reals != NULL))
        return node_fail(import, node, "constants of this kind cannot be computed");
    if (a->reals && is_comparison(op)) return compare_reals(import, node, rank, dims, count);
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, a, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        int64_t x = fold_place(a, rank, dims, i), y = fold_place(b, rank, dims, i);
        if (reals) reals[i] = (float)real_result(op, (double)a->reals[x], (double)b->reals[y]);
        if (wholes && !whole_result(op, a->wholes[x], b->wholes[y], &wholes[i]))
            return node_fail(import, node, "it cannot be computed for these whole numbers");
    }
    if (is_comparison(op)) tensor->kind = KIND_BOOL;
    tensor->trained = is_weight(a) || is_weight(b);
    set_dims(tensor, rank, dims);
    return fold_give(node, tensor);
}

bool fold_where(Import *import, OpNode *node) {
    const Tensor *condition = node->in[0], *a = node->in[1], *b = node->in[2];
    Dim dims[ONNX_MAX_RANK];
    int rank;
    if (!where_dims(import, node, &rank, dims)) return false;
    int64_t count = fold_elements(rank, dims);
    if (!condition->wholes || (a->reals != NULL) != (b->reals != NULL) || count > FOLD_MAX)
        return node_fail(import, node, "constants of this kind cannot be chosen from");
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, a, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        const Tensor *from = condition->wholes[fold_place(condition, rank, dims, i)].size ? a : b;
        int64_t at = fold_place(from, rank, dims, i);
        if (reals) reals[i] = from->reals[at];
        if (wholes) wholes[i] = from->wholes[at];
    }
    tensor->trained = is_weight(a) || is_weight(b);
    set_dims(tensor, rank, dims);
    return fold_give(node, tensor);
}

/* Keeps the upper or lower triangle, as for the mask of a causal attention. */
bool fold_trilu(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    double diagonal = 0;
    bool upper = node_int(node, "upper", 1);
    if (x->rank < 2 || (node->in_count > 1 && node->in[1] && !is_number(node->in[1], &diagonal)))
        return node_fail(import, node, "it is not a matrix, or its diagonal is not a constant");
    int64_t rows = x->dims[x->rank - 2].size, columns = x->dims[x->rank - 1].size;
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, x, x->count, &reals, &wholes);
    for (int64_t i = 0; i < x->count; i++) {
        double above = (double)(i % columns) - (double)(i / columns % rows) - diagonal;
        bool kept = upper ? above >= 0 : above <= 0;
        if (reals) reals[i] = kept ? x->reals[i] : 0;
        if (wholes) wholes[i] = kept ? x->wholes[i] : (Dim){0, false};
    }
    return fold_give(node, tensor);
}

/* -- along axes -- */

/* Reductions: what is done with each element first, how two are combined, what is done at the
 * end. */
static const struct {
    const char *op, *combine;
    bool squares, absolute, root, mean;
} reductions[] = {
    {"ReduceSum", "Add", .mean = false},   {"ReduceMean", "Add", .mean = true},
    {"ReduceProd", "Mul", .mean = false},  {"ReduceMax", "Max", .mean = false},
    {"ReduceMin", "Min", .mean = false},   {"ReduceSumSquare", "Add", .squares = true},
    {"ReduceL1", "Add", .absolute = true}, {"ReduceL2", "Add", .squares = true, .root = true}};

static size_t reduction_of(const char *op) {
    size_t row = 0;
    while (strcmp(reductions[row].op, op)) row++;
    return row;
}

/* Element i of x is combined into element fold_place(target, i). */
static void reduce_reals(const Tensor *x, const Tensor *target, size_t row, double *results,
                         bool *begun) {
    for (int64_t i = 0; i < x->count; i++) {
        int64_t to = fold_place(target, x->rank, x->dims, i);
        double number = (double)x->reals[i];
        if (reductions[row].squares) number *= number;
        if (reductions[row].absolute) number = fabs(number);
        results[to] =
            begun[to] ? real_result(reductions[row].combine, results[to], number) : number;
        begun[to] = true;
    }
}

static bool reduce_wholes(const Tensor *x, const Tensor *target, size_t row, Dim *results,
                          bool *begun) {
    bool plain = !reductions[row].squares && !reductions[row].absolute && !reductions[row].mean;
    for (int64_t i = 0; i < x->count && plain; i++) {
        int64_t to = fold_place(target, x->rank, x->dims, i);
        if (!begun[to]) results[to] = x->wholes[i];
        if (begun[to] &&
            !whole_result(reductions[row].combine, results[to], x->wholes[i], &results[to]))
            return false;
        begun[to] = true;
    }
    return plain;
}

bool fold_reduce(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t axes[ONNX_MAX_RANK];
    uint32_t axis_count;
    if (!reduced_axes(import, node, x, axes, &axis_count)) return false;
    if (!x->count || x->count > FOLD_MAX) return node_fail(import, node, "it has no result");
    Tensor target = {.rank = reduced_dims(x, axes, axis_count, true, target.dims)};
    int64_t count = fold_elements(target.rank, target.dims);
    bool *begun = ARENA_ARRAY(import->arena, bool, count);
    double *results = ARENA_ARRAY(import->arena, double, count);
    size_t row = reduction_of(node->onnx->op);
    float *reals;
    Dim *wholes, dims[ONNX_MAX_RANK];
    Tensor *tensor = fold_numbers(import, x, count, &reals, &wholes);
    if (wholes && !reduce_wholes(x, &target, row, wholes, begun))
        return node_fail(import, node, "it cannot be computed for these whole numbers");
    if (reals) reduce_reals(x, &target, row, results, begun);
    for (int64_t i = 0; i < count && reals; i++) {
        double result = reductions[row].mean ? results[i] / (double)(x->count / count) : results[i];
        reals[i] = (float)(reductions[row].root ? sqrt(result) : result);
    }
    set_dims(tensor, reduced_dims(x, axes, axis_count, node_int(node, "keepdims", 1), dims), dims);
    return fold_give(node, tensor);
}

bool fold_cumsum(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int axis;
    if (!cumsum_axis(import, node, &axis)) return false;
    int64_t inside = fold_elements(x->rank - axis - 1, x->dims + axis + 1);
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, x, x->count, &reals, &wholes);
    for (int64_t i = 0; i < x->count; i++) {
        bool first = i / inside % x->dims[axis].size == 0;
        if (reals) reals[i] = x->reals[i] + (first ? 0 : reals[i - inside]);
        if (wholes &&
            !whole_result("Add", x->wholes[i], first ? (Dim){0} : wholes[i - inside], &wholes[i]))
            return node_fail(import, node, "it cannot be computed for these whole numbers");
    }
    return fold_give(node, tensor);
}

/* The indices of the elements that are not 0: a row for each axis. */
bool fold_nonzero(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t count = 0, found = 0;
    for (int64_t i = 0; i < x->count; i++)
        count += x->reals ? x->reals[i] != 0 : x->wholes[i].size != 0;
    Dim *wholes, dims[] = {{x->rank, false}, {count, false}};
    Tensor *tensor = fold_wholes(import, x->rank * count, 2, dims, &wholes);
    for (int64_t i = 0; i < x->count; i++) {
        if (x->reals ? x->reals[i] == 0 : x->wholes[i].size == 0) continue;
        int64_t rest = i;
        for (int axis = x->rank - 1; axis >= 0; axis--) {
            wholes[axis * count + found] = (Dim){rest % x->dims[axis].size, false};
            rest /= x->dims[axis].size;
        }
        found++;
    }
    return fold_give(node, tensor);
}

/* (x - zero) * scale, for 8-bit weights. Scale and zero are numbers, or have an element for each
 * channel along an axis. */
bool fold_dequantize(Import *import, OpNode *node) {
    const Tensor *x = node->in[0], *scale = node->in[1],
                 *zero = node->in_count > 2 ? node->in[2] : NULL;
    int axis = 0;
    if (!x->wholes || !scale->reals || (zero && (!zero->wholes || zero->count != scale->count)))
        return node_fail(import, node, "its numbers are of another kind");
    if (scale->count != 1 && !axis_of(import, node, node_int(node, "axis", 1), x->rank, &axis))
        return false;
    if (scale->count != 1 && scale->count != x->dims[axis].size)
        return node_fail(import, node, "its scales do not fit");
    float *reals = ARENA_ARRAY(import->arena, float, x->count);
    int64_t inside = 1;
    for (int i = axis + 1; i < x->rank; i++) inside *= x->dims[i].size;
    for (int64_t i = 0; i < x->count; i++) {
        int64_t channel = scale->count == 1 ? 0 : i / inside % scale->count;
        reals[i] = (float)(x->wholes[i].size - (zero ? zero->wholes[channel].size : 0)) *
                   scale->reals[channel];
    }
    Tensor *tensor = constant_reals(import, reals, x->rank, x->dims);
    tensor->trained = x->trained;
    return fold_give(node, tensor);
}
