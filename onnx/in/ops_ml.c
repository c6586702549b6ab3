/* The operations of scikit-learn, in the domain ai.onnx.ml. */
#include "onnx/in/translate.h"

#include <math.h>
#include <string.h>

/* Input 0 as real numbers: these operations also take whole ones. */
static Tensor *real_input(Import *import, const OpNode *node) {
    Tensor *x = node->in[0];
    if (x->kind != KIND_WHOLE) return x;
    x = inner(import, LEVEL_PRODUCT, "1.0 * %07", 1, &x);
    x->kind = KIND_REAL;
    return x;
}

/* An attribute as a constant with a number for each column, or with one for all. NULL: there is
 * none. */
static Tensor *floats_of(Import *import, const OpNode *node, const char *name) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    if (!attribute || attribute->kind != ONNX_ATTRIBUTE_FLOATS || !attribute->count) return NULL;
    return constant_reals(import, attribute->floats, 1, (Dim[]){{attribute->count, false}});
}

static bool fits_columns(const Tensor *x, const Tensor *constant) {
    Dim last = x->rank ? x->dims[x->rank - 1] : (Dim){1, false};
    return constant && (constant->count == 1 || (!last.rows && constant->count == last.size));
}

bool op_scaler(Import *import, OpNode *node) {
    Tensor *offset = floats_of(import, node, "offset"), *scale = floats_of(import, node, "scale"),
           *x = real_input(import, node);
    if (!fits_columns(x, offset) || !fits_columns(x, scale))
        return node_fail(import, node, "it has no offset and scale that fit");
    x = inner(import, LEVEL_SUM, "%05 - %16", 2, (Tensor *[]){x, offset});
    make(import, node, 0, LEVEL_PRODUCT, "%06 * %17", 2, (Tensor *[]){x, scale});
    return true;
}

/* Each column has a number that stands for a missing one. */
bool op_imputer(Import *import, OpNode *node) {
    Tensor *x = real_input(import, node), *values = floats_of(import, node, "imputed_value_floats");
    float missing = node_float(node, "replaced_value_float", 0);
    if (!fits_columns(x, values))
        return node_fail(import, node, "it has no real numbers that fit its columns");
    const char *text = isnan(missing)
                           ? "select(%05 != %05, %10, %00)"
                           : arena_format(import->arena, "select(%%05 == %s, %%10, %%00)",
                                          real_text(import, missing));
    make(import, node, 0, LEVEL_ATOM, text, 2, (Tensor *[]){x, values});
    return true;
}

bool op_binarizer(Import *import, OpNode *node) {
    const char *threshold = real_text(import, node_float(node, "threshold", 0));
    Tensor *x = real_input(import, node);
    make(import, node, 0, LEVEL_ATOM,
         arena_format(import->arena, "select(%%05 > %s, 1.0, 0.0)", threshold), 1, &x);
    return true;
}

/* Each row divided by its norm. What softmax has made adds up to 1 already. */
bool op_normalizer(Import *import, OpNode *node) {
    Tensor *x = real_input(import, node);
    const char *norm = node_string(node, "norm", "MAX");
    bool length = !strcmp(norm, "L2");
    if (x->rank != 2 || (!length && strcmp(norm, "L1") != 0))
        return node_fail(import, node, "the norm '%.20s' is not supported for %d axes", norm,
                         x->rank);
    if (!length && x->pipe && !strcmp(x->text, "softmax")) return op_same(import, node);
    make(import, node, 0, LEVEL_PRODUCT,
         length ? "%06 / max(norm(%00, axis = 1, keep = true), 1e-30)"
                : "%06 / max(sum(abs(%00), axis = 1, keep = true), 1e-30)",
         1, &x);
    return true;
}

/* Some columns. */
bool op_extract(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    const int64_t *index;
    uint32_t count;
    if (x->rank != 2 || x->dims[1].rows)
        return node_fail(import, node, "its input is not a matrix with rows of a fixed size");
    if (!node_indices(import, node, x->dims[1].size, &index, &count)) return false;
    if (!count) return node_fail(import, node, "it takes no column");
    make_same(import, node, 0, take_elements(import, x, 1, count, index));
    return true;
}

/* A new last axis with a 1 where the number is one of the list. */
bool op_one_hot_ml(Import *import, OpNode *node) {
    const OnnxAttribute *list = onnx_attribute(node->onnx, "cats_int64s");
    Tensor *x = real_input(import, node);
    if (!list || !list->count)
        return node_fail(import, node, "categories of texts are not supported");
    if (x->rank >= SHAPE_MAX_RANK) return node_fail(import, node, "it has too many axes");
    float *reals = ARENA_ARRAY(import->arena, float, list->count);
    for (uint32_t i = 0; i < list->count; i++) reals[i] = (float)list->ints[i];
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank] = (Dim){list->count, false};
    const char *text =
        arena_format(import->arena, "select(unsqueeze(%%00, %d) == %%15, 1.0, 0.0)", x->rank);
    Tensor *args[] = {x, constant_reals(import, reals, 1, dims + x->rank)};
    set_dims(make(import, node, 0, LEVEL_ATOM, text, 2, args), x->rank + 1, dims);
    return true;
}

/* -- linear models -- */

/* Coefficients [scores, columns] and intercepts [scores], with room for a second score. */
typedef struct {
    float *weights, *biases;
    int64_t scores, columns;
} Linear;

/* Zeros if the attribute has other numbers than these. */
static float *numbers_of(const Import *import, const OpNode *node, const char *name, int64_t count,
                         int64_t room) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    float *numbers = ARENA_ARRAY(import->arena, float, room);
    if (attribute && attribute->floats && attribute->count == count)
        memcpy(numbers, attribute->floats, (size_t)count * sizeof *numbers);
    return numbers;
}

/* False after reporting that the coefficients do not fit. */
static bool take_linear(const Import *import, const OpNode *node, Linear *linear) {
    const OnnxAttribute *weights = onnx_attribute(node->onnx, "coefficients");
    const Tensor *x = node->in[0];
    int64_t columns = x->rank == 2 ? x->dims[1].size : 0, count = weights ? weights->count : 0;
    if (columns < 1 || !count || !weights->floats || count % columns)
        return node_fail(import, node, "its coefficients do not fit");
    int64_t scores = count / columns;
    *linear = (Linear){.scores = scores, .columns = columns};
    linear->weights = numbers_of(import, node, "coefficients", count, count + columns);
    linear->biases = numbers_of(import, node, "intercepts", scores, scores + 1);
    return true;
}

/* node: the scores are its output; NULL: a tensor between two nodes. */
static Tensor *make_linear(Import *import, OpNode *node, Tensor *x, const Linear *linear) {
    Dim dims[] = {{linear->scores, false}, {linear->columns, false}};
    Tensor *y = make_dense(import, node, x, constant_reals(import, linear->weights, 2, dims));
    layer_add(y->layer, "bias", constant_reals(import, linear->biases, 1, dims));
    y->text = layer_text_with_bias(import, y->text);
    return y;
}

bool op_linear_regressor(Import *import, OpNode *node) {
    Linear linear;
    if (strcmp(node_string(node, "post_transform", "NONE"), "NONE") != 0)
        return node_fail(import, node, "its post_transform is not supported");
    if (!take_linear(import, node, &linear)) return false;
    make_linear(import, node, real_input(import, node), &linear);
    return true;
}

/* Whether the second of two scores is the first one with the other sign. */
static bool is_mirrored(const Linear *linear) {
    bool same = linear->scores == 2 && linear->biases[0] == -linear->biases[1];
    for (int64_t i = 0; same && i < linear->columns; i++)
        same = linear->weights[i] == -linear->weights[linear->columns + i];
    return same;
}

/* Makes of one score s the scores sum - s and s. */
static void add_other_score(Linear *linear, float sum) {
    for (int64_t i = 0; i < linear->columns; i++) {
        linear->weights[linear->columns + i] = linear->weights[i];
        linear->weights[i] *= -1;
    }
    linear->biases[1] = linear->biases[0];
    linear->biases[0] = sum - linear->biases[0];
    linear->scores = 2;
}

/* sigmoid(s) = softmax([-s / 2, s / 2]), which is trained as two classes are. */
static void halve(Linear *linear) {
    for (int64_t i = 0; i < 2 * linear->columns; i++) linear->weights[i] *= 0.5F;
    for (int i = 0; i < 2; i++) linear->biases[i] *= 0.5F;
}

static uint32_t label_count(const OpNode *node) {
    const OnnxAttribute *names = onnx_attribute(node->onnx, "classlabels_strings"),
                        *numbers = onnx_attribute(node->onnx, "classlabels_ints");
    return names && names->count ? names->count : numbers ? numbers->count : 0;
}

/* Output 0 are classes, which follow from the scores in output 1. */
bool op_linear_classifier(Import *import, OpNode *node) {
    const char *function = node_string(node, "post_transform", "NONE"), *text = NULL;
    Linear linear;
    if (node->out[0]->consumers || node->out_count < 2)
        return node_fail(import, node, "its classes are not supported, only its scores");
    if (!take_linear(import, node, &linear)) return false;
    bool logistic = !strcmp(function, "LOGISTIC");
    if (linear.scores == 1 && label_count(node) == 2 && strcmp(function, "SOFTMAX") != 0)
        add_other_score(&linear, logistic ? 0 : 1);
    if (logistic) text = is_mirrored(&linear) ? "softmax" : "sigmoid";
    if (logistic && is_mirrored(&linear)) halve(&linear);
    if (!strcmp(function, "SOFTMAX")) text = "softmax";
    if (!text && strcmp(function, "NONE") != 0)
        return node_fail(import, node, "its post_transform '%.20s' is not supported", function);
    Tensor *y = make_linear(import, NULL, real_input(import, node), &linear);
    if (text)
        set_dims(make_pipe(import, node, 1, text, y), y->rank, y->dims);
    else
        make_same(import, node, 1, y);
    return true;
}
