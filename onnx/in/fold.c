/* Nodes that are computed while importing: those of constants, and the shapes of tensors.
 * Exporters write chains such as Shape, Gather, Unsqueeze, Concat, Reshape. Whole numbers may be
 * multiples of N, the number of rows. */
#include "onnx/in/fold.h"

#include <math.h>
#include <string.h>

void fold_give_output(OpNode *node, uint32_t which, Tensor *constant) {
    Tensor *out = node->out[which];
    constant->name = out->name;
    constant->consumers = out->consumers;
    constant->node = out->node;
    constant->in = out->in;
    *out = *constant;
}

bool fold_give(OpNode *node, Tensor *constant) {
    fold_give_output(node, 0, constant);
    return true;
}

Tensor *fold_like(Import *import, const Tensor *from) {
    Tensor *tensor = tensor_new(import, "");
    *tensor = *from;
    tensor->args = NULL;
    return tensor;
}

Tensor *fold_wholes(Import *import, int64_t count, int rank, const Dim *dims, Dim **wholes) {
    *wholes = ARENA_ARRAY(import->arena, Dim, count);
    Tensor *tensor = constant_wholes(import, *wholes, count, KIND_WHOLE);
    set_dims(tensor, rank, dims);
    return tensor;
}

/* Elements of x in the order that the caller gives. */
Tensor *fold_numbers(Import *import, const Tensor *x, int64_t count, float **reals, Dim **wholes) {
    Tensor *tensor = fold_like(import, x);
    *reals = x->reals ? ARENA_ARRAY(import->arena, float, count) : NULL;
    *wholes = x->reals ? NULL : ARENA_ARRAY(import->arena, Dim, count);
    tensor->reals = *reals;
    tensor->wholes = *wholes;
    tensor->count = count;
    return tensor;
}

/* -- constants from nothing but attributes and shapes -- */

static bool fold_shape(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t first = node_int(node, "start", 0), last = node_int(node, "end", x->rank);
    if (first < 0) first += x->rank;
    if (last < 0) last += x->rank;
    if (last > x->rank) last = x->rank;
    if (first < 0 || first > last) first = last;
    Dim *wholes, dims[1] = {{last - first, false}};
    Tensor *tensor = fold_wholes(import, last - first, 1, dims, &wholes);
    for (int64_t i = first; i < last; i++) wholes[i - first] = x->dims[i];
    return fold_give(node, tensor);
}

static bool fold_size(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    Dim *wholes;
    Tensor *tensor = fold_wholes(import, 1, 0, NULL, &wholes);
    wholes[0] = (Dim){1, false};
    for (int i = 0; i < x->rank; i++) {
        wholes[0].size *= x->dims[i].size;
        wholes[0].rows |= x->dims[i].rows;
    }
    return fold_give(node, tensor);
}

static Tensor *tensor_of(Import *import, const OnnxTensor *from, bool trained) {
    Dim dims[ONNX_MAX_RANK];
    Tensor *tensor;
    for (int i = 0; i < from->rank; i++) dims[i] = (Dim){from->dims[i], false};
    if (from->reals) {
        tensor = constant_reals(import, from->reals, from->rank, dims);
    } else {
        Dim *wholes;
        tensor = fold_wholes(import, from->count, from->rank, dims, &wholes);
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

static bool fold_constant(Import *import, OpNode *node) {
    const OnnxAttribute *value;
    Dim *wholes, dims[1];
    if ((value = onnx_attribute(node->onnx, "value")) && value->t)
        return fold_give(node, tensor_of(import, value->t, false));
    if ((value = onnx_attribute(node->onnx, "value_float")))
        return fold_give(node, constant_reals(import, &value->f, 0, NULL));
    if ((value = onnx_attribute(node->onnx, "value_int"))) {
        Tensor *tensor = fold_wholes(import, 1, 0, NULL, &wholes);
        wholes[0] = (Dim){value->i, false};
        return fold_give(node, tensor);
    }
    if ((value = onnx_attribute(node->onnx, "value_floats"))) {
        dims[0] = (Dim){value->count, false};
        return fold_give(node, constant_reals(import, value->floats, 1, dims));
    }
    if ((value = onnx_attribute(node->onnx, "value_ints"))) {
        dims[0] = (Dim){value->count, false};
        Tensor *tensor = fold_wholes(import, value->count, 1, dims, &wholes);
        for (uint32_t i = 0; i < value->count; i++) wholes[i] = (Dim){value->ints[i], false};
        return fold_give(node, tensor);
    }
    return node_fail(import, node, "it has no value that is supported");
}

static bool fold_range(Import *import, OpNode *node) {
    double start, limit, step;
    if (!is_number(node->in[0], &start) || !is_number(node->in[1], &limit) ||
        !is_number(node->in[2], &step) || step == 0)
        return node_fail(import, node, "its ends must be known here");
    double count = ceil((limit - start) / step);
    if (!(count < (double)FOLD_MAX)) return node_fail(import, node, "it has too many numbers");
    int64_t many = count > 0 ? (int64_t)count : 0;
    Dim *wholes, dims[1] = {{many, false}};
    if (node->in[0]->reals) {
        float *reals = ARENA_ARRAY(import->arena, float, many);
        for (int64_t i = 0; i < many; i++) reals[i] = (float)(start + (double)i * step);
        return fold_give(node, constant_reals(import, reals, 1, dims));
    }
    Tensor *tensor = fold_wholes(import, many, 1, dims, &wholes);
    for (int64_t i = 0; i < many; i++) wholes[i] = (Dim){(int64_t)start + i * (int64_t)step, false};
    return fold_give(node, tensor);
}

/* -- which nodes are folded -- */

static bool fold_same(Import *import, OpNode *node) {
    make_same(import, node, 0, node->in[0]);
    return true;
}

/* The operations that can be folded. shapes: the result depends only on the shape of the input, so
 * the input need not be a constant. */
static const struct {
    const char *op;
    Fold *fold;
    bool shapes;
} folds[] = {{"Shape", fold_shape, true},          {"Size", fold_size, true},
             {"Constant", fold_constant, true},    {"Range", fold_range, false},
             {"Identity", fold_same, true},        {"Cast", fold_cast, false},
             {"Reshape", fold_reshape, false},     {"Unsqueeze", fold_unsqueeze, false},
             {"Squeeze", fold_squeeze, false},     {"Flatten", fold_flatten, false},
             {"Transpose", fold_transpose, false}, {"Gather", fold_gather, false},
             {"Concat", fold_concat, false},       {"Slice", fold_slice, false},
             {"Split", fold_split, false},         {"Pad", fold_pad, false},
             {"Tile", fold_tile, false},           {"Expand", fold_expand, false},
             {"Add", fold_binary, false},          {"Sub", fold_binary, false},
             {"Mul", fold_binary, false},          {"Div", fold_binary, false},
             {"Pow", fold_binary, false},          {"Mod", fold_binary, false},
             {"Min", fold_binary, false},          {"Max", fold_binary, false},
             {"Sum", fold_binary, false},          {"Equal", fold_binary, false},
             {"Less", fold_binary, false},         {"LessOrEqual", fold_binary, false},
             {"Greater", fold_binary, false},      {"GreaterOrEqual", fold_binary, false},
             {"And", fold_binary, false},          {"Or", fold_binary, false},
             {"Xor", fold_binary, false},          {"Neg", fold_unary, false},
             {"Abs", fold_unary, false},           {"Sqrt", fold_unary, false},
             {"Floor", fold_unary, false},         {"Ceil", fold_unary, false},
             {"Round", fold_unary, false},         {"Sign", fold_unary, false},
             {"Reciprocal", fold_unary, false},    {"Exp", fold_unary, false},
             {"Log", fold_unary, false},           {"Sin", fold_unary, false},
             {"Cos", fold_unary, false},           {"Tanh", fold_unary, false},
             {"Erf", fold_unary, false},           {"Sigmoid", fold_unary, false},
             {"Not", fold_unary, false},           {"Where", fold_where, false},
             {"ReduceProd", fold_reduce, false},   {"ReduceSum", fold_reduce, false},
             {"ReduceMean", fold_reduce, false},   {"ReduceMax", fold_reduce, false},
             {"ReduceMin", fold_reduce, false},    {"ReduceSumSquare", fold_reduce, false},
             {"ReduceL1", fold_reduce, false},     {"ReduceL2", fold_reduce, false},
             {"CumSum", fold_cumsum, false},       {"NonZero", fold_nonzero, false},
             {"Trilu", fold_trilu, false},         {"DequantizeLinear", fold_dequantize, false}};

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
