/* Folding of arithmetic. Operands are broadcast. */
#include "onnx/in/fold.h"

#include <math.h>
#include <string.h>

static double real_result(const char *op, double a, double b) {
    if (!strcmp(op, "Add")) return a + b;
    if (!strcmp(op, "Sub")) return a - b;
    if (!strcmp(op, "Mul")) return a * b;
    if (!strcmp(op, "Div")) return a / b;
    if (!strcmp(op, "Pow")) return pow(a, b);
    if (!strcmp(op, "Min")) return a < b ? a : b;
    if (!strcmp(op, "Max")) return a > b ? a : b;
    return (double)NAN;
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
    if (!strcmp(op, "Add")) fits = !__builtin_add_overflow(x, y, &result->size);
    if (!strcmp(op, "Sub")) fits = !__builtin_sub_overflow(x, y, &result->size);
    if (!strcmp(op, "Add") || !strcmp(op, "Sub"))
        return fits && (a.rows == b.rows || (!a.rows && x == 0) || (!b.rows && y == 0));
    if (!strcmp(op, "Equal")) return *result = (Dim){dim_equal(a, b), false}, true;
    if (rows) return false;
    if (!strcmp(op, "Mod") && y != 0 && y != -1)
        return result->size = x % y + (x % y != 0 && (x < 0) != (y < 0) ? y : 0), true;
    if (!strcmp(op, "Min")) return result->size = x < y ? x : y, true;
    if (!strcmp(op, "Max")) return result->size = x > y ? x : y, true;
    if (!strcmp(op, "Less")) return result->size = x < y, true;
    if (!strcmp(op, "Greater")) return result->size = x > y, true;
    return false;
}

/* The index in a broadcast tensor of the element that becomes element `at` of the result. */
static int64_t place_in(const Tensor *tensor, int rank, const Dim *dims, int64_t at) {
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

static int64_t elements(int rank, const Dim *dims) {
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(count, dims[i].size, &count) || count > FOLD_MAX)
            return FOLD_MAX + 1;
    return count;
}

bool fold_binary(Import *import, OpNode *node) {
    const Tensor *a = node->in[0], *b = node->in[1];
    const char *op = node->onnx->op;
    Dim dims[ONNX_MAX_RANK];
    int rank;
    if (!a || !b || !broadcast_dims(import, node, a, b, &rank, dims)) return false;
    int64_t count = elements(rank, dims);
    if (count > FOLD_MAX || (a->reals != NULL) != (b->reals != NULL))
        return node_fail(import, node, "constants of this kind cannot be computed");
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, a, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        int64_t x = place_in(a, rank, dims, i), y = place_in(b, rank, dims, i);
        if (reals) reals[i] = (float)real_result(op, (double)a->reals[x], (double)b->reals[y]);
        if (wholes && !whole_result(op, a->wholes[x], b->wholes[y], &wholes[i]))
            return node_fail(import, node, "it cannot be computed for these whole numbers");
    }
    if (!strcmp(op, "Equal") || !strcmp(op, "Less") || !strcmp(op, "Greater"))
        tensor->kind = KIND_BOOL;
    tensor->trained = a->trained || b->trained;
    set_dims(tensor, rank, dims);
    return fold_give(node, tensor);
}

bool fold_unary(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const char *op = node->onnx->op;
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, x, x->count, &reals, &wholes);
    for (int64_t i = 0; i < x->count; i++) {
        if (wholes)
            wholes[i] = (Dim){strcmp(op, "Not") ? -x->wholes[i].size : !x->wholes[i].size,
                              x->wholes[i].rows};
        if (reals)
            reals[i] = !strcmp(op, "Neg")     ? -x->reals[i]
                       : !strcmp(op, "Sqrt")  ? sqrtf(x->reals[i])
                       : !strcmp(op, "Floor") ? floorf(x->reals[i])
                       : !strcmp(op, "Ceil")  ? ceilf(x->reals[i])
                                              : 1 / x->reals[i];
    }
    if (wholes && strcmp(op, "Not") && strcmp(op, "Neg"))
        return node_fail(import, node, "it cannot be computed for whole numbers");
    return fold_give(node, tensor);
}

bool fold_where(Import *import, OpNode *node) {
    const Tensor *condition = node->in[0], *a = node->in[1], *b = node->in[2];
    if (!same_dims(a, b) || !same_dims(a, condition) || !condition->wholes ||
        (a->reals != NULL) != (b->reals != NULL))
        return node_fail(import, node, "constants of this kind cannot be chosen from");
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, a, a->count, &reals, &wholes);
    for (int64_t i = 0; i < a->count; i++) {
        const Tensor *from = condition->wholes[i].size ? a : b;
        if (reals) reals[i] = from->reals[i];
        if (wholes) wholes[i] = from->wholes[i];
    }
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

bool fold_prod(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    Dim *wholes, product = {1, false};
    if (!x->wholes || x->rank != 1)
        return node_fail(import, node, "only sizes can be multiplied here");
    for (int64_t i = 0; i < x->count; i++)
        if (!whole_result("Mul", product, x->wholes[i], &product))
            return node_fail(import, node, "the product is too large");
    Tensor *tensor =
        fold_wholes(import, 1, node_int(node, "keepdims", 1) ? 1 : 0, (Dim[]){{1, false}}, &wholes);
    wholes[0] = product;
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
