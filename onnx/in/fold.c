/* Nodes that are computed while importing: those of constants, and the shapes of tensors.
 * Exporters write chains such as Shape, Gather, Unsqueeze, Concat, Reshape. Whole numbers may be
 * multiples of N, the number of rows. */
#include "onnx/in/translate.h"

#include <math.h>
#include <string.h>

/* More would not be written down as a shape, or as a table of a few numbers. Weights may be
 * moved, but not computed. */
enum { FOLD_MOST = 1 << 24 };

typedef bool Fold(Import *import, OpNode *node);

static bool give(Import *import, OpNode *node, Tensor *constant) {
    Tensor *out = node->out[0];
    constant->name = out->name;
    constant->consumers = out->consumers;
    constant->node = out->node;
    constant->in = out->in;
    *out = *constant;
    (void)import;
    return true;
}

static Tensor *like(Import *import, const Tensor *from) {
    Tensor *tensor = tensor_new(import, "");
    *tensor = *from;
    tensor->args = NULL;
    return tensor;
}

static Tensor *wholes_of(Import *import, int64_t count, int rank, const Dim *dims, Dim **wholes) {
    *wholes = ARENA_ARRAY(import->arena, Dim, count);
    Tensor *tensor = constant_wholes(import, *wholes, count, KIND_WHOLE);
    set_dims(tensor, rank, dims);
    return tensor;
}

/* -- sources -- */

static bool fold_shape(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t first = node_int(node, "start", 0), last = node_int(node, "end", x->rank);
    if (first < 0) first += x->rank;
    if (last < 0) last += x->rank;
    if (last > x->rank) last = x->rank;
    if (first < 0 || first > last) first = last;
    Dim *wholes, dims[1] = {{last - first, false}};
    Tensor *tensor = wholes_of(import, last - first, 1, dims, &wholes);
    for (int64_t i = first; i < last; i++) wholes[i - first] = x->dims[i];
    return give(import, node, tensor);
}

static bool fold_size(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    Dim *wholes;
    Tensor *tensor = wholes_of(import, 1, 0, NULL, &wholes);
    wholes[0] = (Dim){1, false};
    for (int i = 0; i < x->rank; i++) {
        wholes[0].size *= x->dims[i].size;
        wholes[0].rows |= x->dims[i].rows;
    }
    return give(import, node, tensor);
}

static Tensor *tensor_of(Import *import, const OnnxTensor *from, bool trained);

static bool fold_constant(Import *import, OpNode *node) {
    const OnnxAttribute *value;
    Dim *wholes, dims[1];
    if ((value = onnx_attribute(node->onnx, "value")) && value->t)
        return give(import, node, tensor_of(import, value->t, false));
    if ((value = onnx_attribute(node->onnx, "value_float")))
        return give(import, node, constant_reals(import, &value->f, 0, NULL));
    if ((value = onnx_attribute(node->onnx, "value_int"))) {
        Tensor *tensor = wholes_of(import, 1, 0, NULL, &wholes);
        wholes[0] = (Dim){value->i, false};
        return give(import, node, tensor);
    }
    if ((value = onnx_attribute(node->onnx, "value_floats"))) {
        dims[0] = (Dim){value->count, false};
        return give(import, node, constant_reals(import, value->floats, 1, dims));
    }
    if ((value = onnx_attribute(node->onnx, "value_ints"))) {
        dims[0] = (Dim){value->count, false};
        Tensor *tensor = wholes_of(import, value->count, 1, dims, &wholes);
        for (uint32_t i = 0; i < value->count; i++) wholes[i] = (Dim){value->ints[i], false};
        return give(import, node, tensor);
    }
    return node_fail(import, node, "it has no value that is supported");
}

static Tensor *tensor_of(Import *import, const OnnxTensor *from, bool trained) {
    Dim dims[ONNX_MAX_RANK];
    Tensor *tensor;
    for (int i = 0; i < from->rank; i++) dims[i] = (Dim){from->dims[i], false};
    if (from->reals) {
        tensor = constant_reals(import, from->reals, from->rank, dims);
    } else {
        Dim *wholes;
        tensor = wholes_of(import, from->count, from->rank, dims, &wholes);
        for (int64_t i = 0; i < from->count; i++) wholes[i] = (Dim){from->wholes[i], false};
        tensor->kind = from->type == ONNX_BOOL ? KIND_BOOL : KIND_WHOLE;
    }
    tensor->trained = trained;
    tensor->type = from->type;
    return tensor;
}

Tensor *constant_of_file(Import *import, const OnnxTensor *from) {
    return tensor_of(import, from, true);
}

static bool fold_range(Import *import, OpNode *node) {
    double start, limit, step;
    if (!is_number(node->in[0], &start) || !is_number(node->in[1], &limit) ||
        !is_number(node->in[2], &step) || step == 0)
        return node_fail(import, node, "its ends must be known here");
    double count = ceil((limit - start) / step);
    if (!(count < (double)FOLD_MOST)) return node_fail(import, node, "it has too many numbers");
    int64_t many = count > 0 ? (int64_t)count : 0;
    Dim *wholes, dims[1] = {{many, false}};
    if (node->in[0]->reals) {
        float *reals = ARENA_ARRAY(import->arena, float, many);
        for (int64_t i = 0; i < many; i++) reals[i] = (float)(start + (double)i * step);
        return give(import, node, constant_reals(import, reals, 1, dims));
    }
    Tensor *tensor = wholes_of(import, many, 1, dims, &wholes);
    for (int64_t i = 0; i < many; i++) wholes[i] = (Dim){(int64_t)start + i * (int64_t)step, false};
    return give(import, node, tensor);
}

/* -- moving elements -- */

static bool fold_same(Import *import, OpNode *node) {
    make_same(import, node, 0, node->in[0]);
    return true;
}

static bool fold_cast(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t to = node_int(node, "to", ONNX_FLOAT);
    bool real = to == ONNX_FLOAT || to == ONNX_FLOAT16 || to == ONNX_DOUBLE || to == ONNX_BFLOAT16;
    Tensor *tensor = like(import, x);
    tensor->kind = real ? KIND_REAL : to == ONNX_BOOL ? KIND_BOOL : KIND_WHOLE;
    if (real && !x->reals) {
        float *reals = ARENA_ARRAY(import->arena, float, x->count);
        for (int64_t i = 0; i < x->count; i++) {
            if (x->wholes[i].rows)
                return node_fail(import, node, "it makes a real number of the number of rows");
            reals[i] = (float)x->wholes[i].size;
        }
        tensor->reals = reals;
        tensor->wholes = NULL;
    }
    if (!real) {
        Dim *wholes = ARENA_ARRAY(import->arena, Dim, x->count);
        for (int64_t i = 0; i < x->count; i++) {
            wholes[i] = x->reals
                            ? (Dim){fabsf(x->reals[i]) < 9e18F ? (int64_t)x->reals[i] : 0, false}
                            : x->wholes[i];
            if (to == ONNX_BOOL)
                wholes[i] = (Dim){x->reals ? x->reals[i] != 0 : x->wholes[i].size != 0, false};
        }
        tensor->wholes = wholes;
        tensor->reals = NULL;
    }
    return give(import, node, tensor);
}

/* A shape with 0 (as before), and -1 (what is left). false: the elements do not fit. */
static bool resolve_shape(const Tensor *x, const int64_t *wanted, uint32_t count, bool zero_is_zero,
                          Dim *dims) {
    int64_t known = 1;
    int rest = -1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t size =
            wanted[i] == 0 && !zero_is_zero && (int)i < x->rank ? x->dims[i].size : wanted[i];
        dims[i] = (Dim){size, false};
        if (size == -1 && rest < 0)
            rest = (int)i;
        else if (size < 0 || __builtin_mul_overflow(known, size, &known))
            return false;
    }
    if (rest >= 0 && (known == 0 || x->count % known)) return false;
    if (rest >= 0) dims[rest].size = x->count / known;
    return rest >= 0 || known == x->count;
}

static bool fold_reshape(Import *import, OpNode *node) {
    const int64_t *wanted;
    uint32_t count;
    Dim dims[ONNX_MAX_RANK];
    if (!(wanted = node_ints(node, "shape", &count)) &&
        !node_constant(import, node, 1, &wanted, &count))
        return false;
    if (count > ONNX_MAX_RANK ||
        !resolve_shape(node->in[0], wanted, count, node_int(node, "allowzero", 0), dims))
        return node_fail(import, node, "the shape does not fit");
    Tensor *tensor = like(import, node->in[0]);
    set_dims(tensor, (int)count, dims);
    return give(import, node, tensor);
}

static bool fold_unsqueeze(Import *import, OpNode *node) {
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    bool given;
    Tensor *tensor = like(import, node->in[0]);
    if (!node_ints(node, "axes", &count) && (node->in_count < 2 || !node->in[1]))
        return node_fail(import, node, "it has no axes");
    const Tensor *list = node->in_count > 1 ? node->in[1] : NULL;
    int rank = tensor->rank + (int)(list && list->constant ? list->count : count);
    if (rank > ONNX_MAX_RANK || !node_axes(import, node, 1, rank, axes, &count, &given))
        return rank > ONNX_MAX_RANK ? node_fail(import, node, "it makes %d axes", rank) : false;
    Dim dims[ONNX_MAX_RANK];
    for (int i = 0, from = 0; i < rank; i++) {
        bool added = false;
        for (uint32_t k = 0; k < count; k++) added |= axes[k] == i;
        dims[i] = added ? (Dim){1, false} : tensor->dims[from++];
    }
    set_dims(tensor, rank, dims);
    return give(import, node, tensor);
}

static bool fold_squeeze(Import *import, OpNode *node) {
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    bool given;
    Tensor *tensor = like(import, node->in[0]);
    if (!node_axes(import, node, 1, tensor->rank, axes, &count, &given)) return false;
    int rank = 0;
    for (int i = 0; i < node->in[0]->rank; i++) {
        bool gone = !given && tensor->dims[i].size == 1;
        for (uint32_t k = 0; k < count && given; k++) gone |= axes[k] == i;
        if (!gone) tensor->dims[rank++] = node->in[0]->dims[i];
    }
    tensor->rank = rank;
    return give(import, node, tensor);
}

static bool fold_flatten(Import *import, OpNode *node) {
    Tensor *tensor = like(import, node->in[0]);
    int64_t axis = node_int(node, "axis", 1), before = 1;
    if (axis < 0) axis += tensor->rank;
    for (int i = 0; i < axis && i < tensor->rank; i++) before *= tensor->dims[i].size;
    set_dims(tensor, 2, (Dim[]){{before, false}, {before ? tensor->count / before : 0, false}});
    return give(import, node, tensor);
}

static bool fold_transpose(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int order[ONNX_MAX_RANK];
    uint32_t count;
    const int64_t *perm = node_ints(node, "perm", &count);
    if (perm && (int)count != x->rank) return node_fail(import, node, "perm has %u axes", count);
    for (int i = 0; i < x->rank; i++) {
        if (!axis_of(import, node, perm ? perm[i] : x->rank - 1 - i, x->rank, &order[i]))
            return false;
        for (int k = 0; k < i; k++)
            if (order[k] == order[i]) return node_fail(import, node, "perm names an axis twice");
    }
    Tensor *tensor = like(import, transposed(import, x, x->rank, order));
    return give(import, node, tensor);
}

/* Elements of x, in an order of the caller's. */
static Tensor *picked(Import *import, const Tensor *x, int64_t count, float **reals, Dim **wholes) {
    Tensor *tensor = like(import, x);
    *reals = x->reals ? ARENA_ARRAY(import->arena, float, count) : NULL;
    *wholes = x->reals ? NULL : ARENA_ARRAY(import->arena, Dim, count);
    tensor->reals = *reals;
    tensor->wholes = *wholes;
    tensor->count = count;
    return tensor;
}

static bool fold_gather(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const int64_t *index;
    uint32_t count;
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis) ||
        !node_constant(import, node, 1, &index, &count))
        return false;
    int64_t outer = 1, inside = 1, size = x->dims[axis].size;
    for (int i = 0; i < axis; i++) outer *= x->dims[i].size;
    for (int i = axis + 1; i < x->rank; i++) inside *= x->dims[i].size;
    float *reals;
    Dim *wholes, dims[2 * ONNX_MAX_RANK];
    if (outer * inside * (int64_t)count > FOLD_MOST ||
        x->rank - 1 + node->in[1]->rank > ONNX_MAX_RANK)
        return node_fail(import, node, "its result is too large");
    Tensor *tensor = picked(import, x, outer * inside * count, &reals, &wholes);
    for (int64_t o = 0; o < outer; o++)
        for (uint32_t k = 0; k < count; k++) {
            int64_t at = index[k] < 0 ? index[k] + size : index[k];
            if (at < 0 || at >= size)
                return node_fail(import, node, "index %lld of %lld", (long long)index[k],
                                 (long long)size);
            for (int64_t i = 0; i < inside; i++) {
                int64_t to = (o * count + k) * inside + i, from = (o * size + at) * inside + i;
                if (reals) reals[to] = x->reals[from];
                if (wholes) wholes[to] = x->wholes[from];
            }
        }
    int rank = 0;
    for (int i = 0; i < axis; i++) dims[rank++] = x->dims[i];
    for (int i = 0; i < node->in[1]->rank; i++) dims[rank++] = node->in[1]->dims[i];
    for (int i = axis + 1; i < x->rank; i++) dims[rank++] = x->dims[i];
    set_dims(tensor, rank, dims);
    return give(import, node, tensor);
}

static bool fold_concat(Import *import, OpNode *node) {
    int64_t count = 0;
    bool real = node->in[0]->reals != NULL;
    for (uint32_t k = 0; k < node->in_count; k++) {
        if (node->in[k]->rank != 1 || (node->in[k]->reals != NULL) != real)
            return node_fail(import, node, "constants with several axes cannot be joined");
        count += node->in[k]->count;
    }
    if (count > FOLD_MOST) return node_fail(import, node, "its result is too large");
    float *reals;
    Dim *wholes, dims[1] = {{count, false}};
    Tensor *tensor = picked(import, node->in[0], count, &reals, &wholes);
    int64_t at = 0;
    for (uint32_t k = 0; k < node->in_count; k++)
        for (int64_t i = 0; i < node->in[k]->count; i++, at++) {
            if (reals) reals[at] = node->in[k]->reals[i];
            if (wholes) wholes[at] = node->in[k]->wholes[i];
        }
    set_dims(tensor, 1, dims);
    return give(import, node, tensor);
}

static bool fold_slice(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const int64_t *starts, *ends, *steps = NULL;
    uint32_t start_count, end_count, step_count = 0;
    if (x->rank != 1)
        return node_fail(import, node, "parts of constants with several axes are not supported");
    if (!(starts = node_ints(node, "starts", &start_count)) &&
        !node_constant(import, node, 1, &starts, &start_count))
        return false;
    if (!(ends = node_ints(node, "ends", &end_count)) &&
        !node_constant(import, node, 2, &ends, &end_count))
        return false;
    if (node->in_count > 4 && node->in[4] && !node_constant(import, node, 4, &steps, &step_count))
        return false;
    if (start_count != 1 || end_count != 1 || step_count > 1)
        return node_fail(import, node, "it has several parts");
    int64_t step = steps ? steps[0] : 1, size = x->count, from = starts[0], to = ends[0];
    if (step == 0 || step == INT64_MIN) return node_fail(import, node, "its step is 0");
    if (from < 0) from = from < -size ? 0 : from + size;
    if (to < 0) to = to < -size ? -1 : to + size;
    if (step > 0 && to < 0) to = 0;
    if (from >= size) from = step > 0 ? size : size - 1;
    if (to > size) to = size;
    int64_t count = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
    if (count < 0) count = 0;
    float *reals;
    Dim *wholes, dims[1] = {{count, false}};
    Tensor *tensor = picked(import, x, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        if (reals) reals[i] = x->reals[from + i * step];
        if (wholes) wholes[i] = x->wholes[from + i * step];
    }
    set_dims(tensor, 1, dims);
    return give(import, node, tensor);
}

/* -- arithmetic, of numbers that meet as in broadcasting -- */

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

/* false: a multiple of N is not one afterwards, or the operation is not known. */
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

/* Where the element at `at` of the result lies in a tensor that is broadcast to it. */
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
        if (__builtin_mul_overflow(count, dims[i].size, &count) || count > FOLD_MOST)
            return FOLD_MOST + 1;
    return count;
}

static bool fold_binary(Import *import, OpNode *node) {
    const Tensor *a = node->in[0], *b = node->in[1];
    const char *op = node->onnx->op;
    Dim dims[ONNX_MAX_RANK];
    int rank;
    if (!a || !b || !broadcast_dims(import, node, a, b, &rank, dims)) return false;
    int64_t count = elements(rank, dims);
    if (count > FOLD_MOST || (a->reals != NULL) != (b->reals != NULL))
        return node_fail(import, node, "constants of this kind cannot be computed");
    float *reals;
    Dim *wholes;
    Tensor *tensor = picked(import, a, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        int64_t x = place_in(a, rank, dims, i), y = place_in(b, rank, dims, i);
        if (reals) reals[i] = (float)real_result(op, (double)a->reals[x], (double)b->reals[y]);
        if (wholes && !whole_result(op, a->wholes[x], b->wholes[y], &wholes[i]))
            return node_fail(import, node, "these whole numbers cannot be computed here");
    }
    if (!strcmp(op, "Equal") || !strcmp(op, "Less") || !strcmp(op, "Greater"))
        tensor->kind = KIND_BOOL;
    tensor->trained = a->trained || b->trained;
    set_dims(tensor, rank, dims);
    return give(import, node, tensor);
}

static bool fold_unary(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const char *op = node->onnx->op;
    float *reals;
    Dim *wholes;
    Tensor *tensor = picked(import, x, x->count, &reals, &wholes);
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
        return node_fail(import, node, "it is computed of whole numbers");
    return give(import, node, tensor);
}

static bool fold_where(Import *import, OpNode *node) {
    const Tensor *condition = node->in[0], *a = node->in[1], *b = node->in[2];
    if (!same_dims(a, b) || !same_dims(a, condition) || !condition->wholes ||
        (a->reals != NULL) != (b->reals != NULL))
        return node_fail(import, node, "constants of this kind cannot be chosen from");
    float *reals;
    Dim *wholes;
    Tensor *tensor = picked(import, a, a->count, &reals, &wholes);
    for (int64_t i = 0; i < a->count; i++) {
        const Tensor *from = condition->wholes[i].size ? a : b;
        if (reals) reals[i] = from->reals[i];
        if (wholes) wholes[i] = from->wholes[i];
    }
    return give(import, node, tensor);
}

/* The upper or lower triangle, as of a mask of what a sequence may look at. */
static bool fold_trilu(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    double diagonal = 0;
    bool upper = node_int(node, "upper", 1);
    if (x->rank < 2 || (node->in_count > 1 && node->in[1] && !is_number(node->in[1], &diagonal)))
        return node_fail(import, node, "it is no matrix, or its diagonal is not known");
    int64_t rows = x->dims[x->rank - 2].size, columns = x->dims[x->rank - 1].size;
    float *reals;
    Dim *wholes;
    Tensor *tensor = picked(import, x, x->count, &reals, &wholes);
    for (int64_t i = 0; i < x->count; i++) {
        double above = (double)(i % columns) - (double)(i / columns % rows) - diagonal;
        bool kept = upper ? above >= 0 : above <= 0;
        if (reals) reals[i] = kept ? x->reals[i] : 0;
        if (wholes) wholes[i] = kept ? x->wholes[i] : (Dim){0, false};
    }
    return give(import, node, tensor);
}

static bool fold_prod(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    Dim *wholes, product = {1, false};
    if (!x->wholes || x->rank != 1)
        return node_fail(import, node, "only sizes can be multiplied here");
    for (int64_t i = 0; i < x->count; i++)
        if (!whole_result("Mul", product, x->wholes[i], &product))
            return node_fail(import, node, "the product is too large");
    Tensor *tensor =
        wholes_of(import, 1, node_int(node, "keepdims", 1) ? 1 : 0, (Dim[]){{1, false}}, &wholes);
    wholes[0] = product;
    return give(import, node, tensor);
}

/* (x - zero) * scale, of 8-bit weights; scale and zero may be those of each channel along an
 * axis. */
static bool fold_dequantize(Import *import, OpNode *node) {
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
    return give(import, node, tensor);
}

/* Which nodes are folded. shapes: also of tensors that are no constants. */
static const struct {
    const char *op;
    Fold *fold;
    bool shapes;
} folds[] = {{"Shape", fold_shape, true},
             {"Size", fold_size, true},
             {"Constant", fold_constant, true},
             {"Range", fold_range, false},
             {"Identity", fold_same, true},
             {"Cast", fold_cast, false},
             {"Reshape", fold_reshape, false},
             {"Unsqueeze", fold_unsqueeze, false},
             {"Squeeze", fold_squeeze, false},
             {"Flatten", fold_flatten, false},
             {"Transpose", fold_transpose, false},
             {"Gather", fold_gather, false},
             {"Concat", fold_concat, false},
             {"Slice", fold_slice, false},
             {"Add", fold_binary, false},
             {"Sub", fold_binary, false},
             {"Mul", fold_binary, false},
             {"Div", fold_binary, false},
             {"Pow", fold_binary, false},
             {"Mod", fold_binary, false},
             {"Min", fold_binary, false},
             {"Max", fold_binary, false},
             {"Equal", fold_binary, false},
             {"Less", fold_binary, false},
             {"Greater", fold_binary, false},
             {"Neg", fold_unary, false},
             {"Sqrt", fold_unary, false},
             {"Floor", fold_unary, false},
             {"Ceil", fold_unary, false},
             {"Reciprocal", fold_unary, false},
             {"Not", fold_unary, false},
             {"Where", fold_where, false},
             {"ReduceProd", fold_prod, false},
             {"Trilu", fold_trilu, false},
             {"DequantizeLinear", fold_dequantize, false}};

bool fold(Import *import, OpNode *node, bool *done) {
    bool constant = node->in_count > 0;
    for (uint32_t i = 0; i < node->in_count; i++) constant &= !node->in[i] || node->in[i]->constant;
    *done = false;
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        if (*node->onnx->domain || strcmp(folds[i].op, node->onnx->op) ||
            !(constant || folds[i].shapes))
            continue;
        if (folds[i].fold == fold_binary && node->in_count != 2) continue;
        *done = true;
        return folds[i].fold(import, node);
    }
    return true;
}
