/* Elementwise operations. */
#include "onnx/in/translate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool op_unary(Import *import, OpNode *node) {
    bool named = !strchr(node->text, '%');
    if (named)
        make_pipe(import, node, 0, node->text, node->in[0]);
    else
        make(import, node, 0, node->level, node->text, 1, node->in);
    if (node->level == LEVEL_COMPARE) node->out[0]->kind = KIND_BOOL;
    return true;
}

bool op_same(Import *import, OpNode *node) {
    make_same(import, node, 0, node->in[0]);
    return true;
}

/* -- functions with a parameter -- */

bool op_alpha(Import *import, OpNode *node) {
    bool elu = !strcmp(node->text, "elu");
    float alpha = node_float(node, "alpha", elu ? 1.0F : 0.01F);
    bool standard = alpha == (elu ? 1.0F : 0.01F);
    const char *text =
        standard ? node->text
                 : arena_format(import->arena, "%s(%s)", node->text, real_text(import, alpha));
    make_pipe(import, node, 0, text, node->in[0]);
    return true;
}

bool op_selu(Import *import, OpNode *node) {
    float alpha = node_float(node, "alpha", 1.6732632F),
          gamma = node_float(node, "gamma", 1.0507010F);
    Tensor *elu = inner_pipe(
        import, arena_format(import->arena, "elu(%s)", real_text(import, alpha)), node->in[0]);
    make(import, node, 0, LEVEL_PRODUCT,
         arena_format(import->arena, "%s * %%07", real_text(import, gamma)), 1, &elu);
    return true;
}

bool op_celu(Import *import, OpNode *node) {
    const char *alpha = real_text(import, node_float(node, "alpha", 1));
    Tensor *part =
        inner(import, LEVEL_PRODUCT, arena_format(import->arena, "%%06 / %s", alpha), 1, node->in);
    Tensor *negative =
        inner(import, LEVEL_PRODUCT,
              arena_format(import->arena, "%s * expm1(min(%%00, 0.0))", alpha), 1, &part);
    make(import, node, 0, LEVEL_SUM, "max(%00, 0.0) + min(%10, 0.0)", 2,
         (Tensor *[]){node->in[0], negative});
    return true;
}

/* 0 near 0; what is farther away comes nearer by the bias. */
bool op_shrink(Import *import, OpNode *node) {
    float limit = node_float(node, "lambd", 0.5F);
    const char *bias = real_text(import, node_float(node, "bias", 0));
    make(import, node, 0, LEVEL_ATOM,
         arena_format(import->arena,
                      "select(%%05 < %s, %%05 + %s, select(%%05 > %s, %%05 - %s, 0.0))",
                      real_text(import, -limit), bias, real_text(import, limit), bias),
         1, node->in);
    return true;
}

bool op_swish(Import *import, OpNode *node) {
    float alpha = node_float(node, "alpha", 1);
    if (alpha == 1)
        make_pipe(import, node, 0, "silu", node->in[0]);
    else
        make(import, node, 0, LEVEL_PRODUCT,
             arena_format(import->arena, "%%06 * sigmoid(%s * %%07)", real_text(import, alpha)), 1,
             node->in);
    return true;
}

/* The infinities are beyond the largest number; the attributes choose which of them count. */
bool op_is_inf(Import *import, OpNode *node) {
    bool above = node_int(node, "detect_positive", 1), below = node_int(node, "detect_negative", 1);
    const char *text = above && below ? "abs(%00) > 3.4028235e+38"
                       : above        ? "%05 > 3.4028235e+38"
                       : below        ? "%05 < -3.4028235e+38"
                                      : "abs(%00) < 0.0";
    make(import, node, 0, LEVEL_COMPARE, text, 1, node->in)->kind = KIND_BOOL;
    return true;
}

bool op_thresholded(Import *import, OpNode *node) {
    make(import, node, 0, LEVEL_ATOM,
         arena_format(import->arena, "select(%%05 > %s, %%00, 0.0)",
                      real_text(import, node_float(node, "alpha", 1))),
         1, node->in);
    return true;
}

bool op_hard_sigmoid(Import *import, OpNode *node) {
    const char *alpha = real_text(import, node_float(node, "alpha", 0.2F)),
               *beta = real_text(import, node_float(node, "beta", 0.5F));
    make(import, node, 0, LEVEL_ATOM,
         arena_format(import->arena, "clip(%%06 * %s + %s, 0.0, 1.0)", alpha, beta), 1, node->in);
    return true;
}

bool op_gelu(Import *import, OpNode *node) {
    make_pipe(import, node, 0,
              strcmp(node_string(node, "approximate", "none"), "tanh") ? "gelu" : "gelu_tanh",
              node->in[0]);
    return true;
}

/* The slope has the shape [C, 1, 1], so that it is broadcast along the channels; before opset 7 it
 * has the shape [C]. */
bool op_prelu(Import *import, OpNode *node) {
    int rank;
    Dim dims[ONNX_MAX_RANK];
    Tensor *x = node->in[0], *slope = node->in[1];
    int64_t aligned[ONNX_MAX_RANK] = {slope->count, 1, 1, 1, 1, 1, 1, 1};
    if (import->model->opset < 7 && slope->constant && slope->rank == 1 && slope->count > 1 &&
        x->rank > 2) {
        node->in[1] = tensor_new(import, slope->name);
        *node->in[1] = *reshaped(import, slope, x->rank - 1, aligned);
        node->in[1]->args = NULL;
    }
    if (!broadcast_dims(import, node, node->in[0], node->in[1], &rank, dims)) return false;
    make(import, node, 0, LEVEL_ATOM, "select(%05 > 0.0, %00, %17 * %06)", 2, node->in);
    return true;
}

/* The limits are attributes before opset 11, then inputs. */
static bool limit_of(Import *import, OpNode *node, uint32_t input, const char *name,
                     const char **text) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    double number;
    *text = attribute ? real_text(import, attribute->f) : NULL;
    if (input >= node->in_count || !node->in[input]) return true;
    if (!is_number(node->in[input], &number))
        return node_fail(import, node, "its limits must be known here");
    *text = real_text(import, (float)number);
    return true;
}

/* min and max have real results, so int(...) makes the numbers whole again. */
static bool whole_clip(Import *import, OpNode *node) {
    double low = (double)INT32_MIN, high = INT32_MAX;
    for (uint32_t i = 1; i < 3 && i < node->in_count; i++)
        if (node->in[i] && !is_number(node->in[i], i == 1 ? &low : &high))
            return node_fail(import, node, "its limits must be known here");
    make(import, node, 0, LEVEL_ATOM,
         arena_format(import->arena, "int(min(max(%%00, %.0f), %.0f))", low, high), 1, node->in);
    return true;
}

bool op_clip(Import *import, OpNode *node) {
    const char *low, *high;
    if (node->in[0]->kind == KIND_WHOLE) return whole_clip(import, node);
    if (!limit_of(import, node, 1, "min", &low) || !limit_of(import, node, 2, "max", &high))
        return false;
    if (low && high && strtod(low, NULL) > strtod(high, NULL)) /* then the upper limit counts */
        make(import, node, 0, LEVEL_ATOM,
             arena_format(import->arena, "min(max(%%00, %s), %s)", low, high), 1, node->in);
    else if (low && high)
        make_pipe(import, node, 0, arena_format(import->arena, "clip(%s, %s)", low, high),
                  node->in[0]);
    else if (low && !strcmp(low, "0.0"))
        make_pipe(import, node, 0, "relu", node->in[0]);
    else if (low || high)
        make(import, node, 0, LEVEL_ATOM,
             arena_format(import->arena, "%s(%%00, %s)", low ? "max" : "min", low ? low : high), 1,
             node->in);
    else
        make_same(import, node, 0, node->in[0]);
    return true;
}

/* Dropout does nothing at inference. In a file in training mode it is kept. */
bool op_dropout(Import *import, OpNode *node) {
    double ratio = (double)node_float(node, "ratio", 0.5F), training = 0;
    if (node->in_count > 2 && node->in[2] &&
        (!is_number(node->in[2], &training) || training != 0)) {
        node_fail(import, node, "it is in training mode");
        diag_help(import->diag, "export the network after model.eval()");
        return false;
    }
    if (node->in_count > 1 && node->in[1] && !is_number(node->in[1], &ratio))
        return node_fail(import, node, "its ratio must be known here");
    if (!(ratio > 0) || !(ratio <= 1)) return op_same(import, node);
    make_pipe(import, node, 0,
              arena_format(import->arena, "dropout(%s)", real_text(import, (float)ratio)),
              node->in[0]);
    return true;
}

/* The kind of the elements of a type; false: the language has nothing for them. */
static bool kind_of(int64_t type, TensorKind *kind) {
    bool real =
        type == ONNX_FLOAT || type == ONNX_FLOAT16 || type == ONNX_DOUBLE || type == ONNX_BFLOAT16;
    *kind = real ? KIND_REAL : type == ONNX_BOOL ? KIND_BOOL : KIND_WHOLE;
    return type <= ONNX_BFLOAT16 && type != ONNX_STRING;
}

static void make_kind(Import *import, OpNode *node, TensorKind kind) {
    Tensor *x = node->in[0], *y;
    if (x->kind == kind) {
        make_same(import, node, 0, x);
        return;
    }
    if (kind == KIND_BOOL)
        y = make(import, node, 0, LEVEL_COMPARE, "%05 != 0", 1, &x);
    else if (kind == KIND_WHOLE)
        y = make_pipe(import, node, 0, "int", x);
    else
        y = make(import, node, 0, x->kind == KIND_BOOL ? LEVEL_ATOM : LEVEL_PRODUCT,
                 x->kind == KIND_BOOL ? "select(%00, 1.0, 0.0)" : "1.0 * %07", 1, &x);
    y->kind = kind;
}

bool op_cast(Import *import, OpNode *node) {
    int64_t to = node_int(node, "to", ONNX_FLOAT);
    TensorKind kind;
    if (!kind_of(to, &kind))
        return node_fail(import, node, "elements of type %lld are not supported", (long long)to);
    if (to == ONNX_FLOAT16 || to == ONNX_BFLOAT16)
        import_note(import, "casts to 16 bits are left out: the network computes in f32");
    make_kind(import, node, kind);
    return true;
}

bool op_cast_like(Import *import, OpNode *node) {
    make_kind(import, node, node->in[1]->kind);
    return true;
}

/* -- two or more operands -- */

/* x with axes of size 1 added at the front. A constant of one element becomes a number, whose axes
 * would be lost. */
static Tensor *with_rank(Import *import, Tensor *x, int rank) {
    Dim dims[ONNX_MAX_RANK];
    if (x->constant || x->rank >= rank) return x;
    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - x->rank ? (Dim){1, false} : x->dims[i - (rank - x->rank)];
    return reshape_to(import, x, rank, dims);
}

/* A constant that is added to a layer without a bias is the bias, if nothing else reads the
 * layer. */
static bool is_bias(const Tensor *layer, const Tensor *constant) {
    if (!layer->layer || !layer->layer->kind || layer->consumers != 1 || layer->layer->count != 1 ||
        !constant->constant || !constant->reals)
        return false;
    bool norm = !strcmp(layer->layer->kind, "layer_norm"),
         dense = !strcmp(layer->layer->kind, "dense");
    int channel_axis = dense || norm ? layer->rank - 1 : 1, after = layer->rank - 1 - channel_axis;
    int own =
        constant->rank - 1 - after; /* the axis of the constant that runs along the channels */
    if (own < 0 || constant->dims[own].size != constant->count) return false;
    return !layer->dims[channel_axis].rows && layer->dims[channel_axis].size == constant->count &&
           constant->rank <= layer->rank;
}

static bool add_bias(Import *import, OpNode *node) {
    for (int i = 0; i < 2; i++) {
        Tensor *layer = node->in[i], *constant = node->in[1 - i];
        if (strcmp(node->onnx->op, "Add") || !is_bias(layer, constant)) continue;
        layer_add(layer->layer, "bias", reshaped(import, constant, 1, &constant->count));
        bool norm = !strcmp(layer->layer->kind, "layer_norm");
        layer->text =
            norm ? norm_text(import, layer, true) : layer_text_with_bias(import, layer->text);
        make_same(import, node, 0, layer);
        return true;
    }
    return false;
}

/* A constant that scales a layer_norm without weights is its weight. */
static bool scale_norm(Import *import, OpNode *node) {
    for (int i = 0; i < 2; i++) {
        Tensor *norm = node->in[i], *constant = node->in[1 - i];
        bool fits = !strcmp(node->onnx->op, "Mul") && norm->layer && norm->layer->kind &&
                    !strcmp(norm->layer->kind, "layer_norm") && norm->layer->count == 0 &&
                    norm->consumers == 1 && constant->constant && constant->reals &&
                    constant->count > 1 && constant->rank >= 1 &&
                    constant->dims[constant->rank - 1].size == constant->count &&
                    constant->count == norm->dims[norm->rank - 1].size;
        if (!fits) continue;
        layer_add(norm->layer, "weight", reshaped(import, constant, 1, &constant->count));
        norm->text = norm_text(import, norm, false);
        make_same(import, node, 0, norm);
        return true;
    }
    return false;
}

/* Adds a number to x, as a person would write it: x + -0.5 is x - 0.5. */
static const char *text_for(const OpNode *node, const Tensor *b) {
    double number;
    if (!strcmp(node->onnx->op, "Add") && is_number(b, &number) && number < 0 && b->reals)
        return "%05 - %16";
    return node->text;
}

static Tensor *negated(Import *import, Tensor *constant) {
    float *number = ARENA_ARRAY(import->arena, float, 1);
    *number = -constant->reals[0];
    return constant_reals(import, number, constant->rank, constant->dims);
}

static bool legacy_axis(Import *import, OpNode *node);

/* a op b with broadcasting, unless the node is a part of a layer. Operands get the rank of the
 * result; a tensor beside a constant array keeps its rank, because the constant has that rank. */
bool op_binary(Import *import, OpNode *node) {
    int rank;
    Dim dims[ONNX_MAX_RANK];
    bool truth =
        node->level == LEVEL_COMPARE || node->level == LEVEL_AND || node->level == LEVEL_OR;
    if (!legacy_axis(import, node)) return false;
    if (spelled_out(import, node) || add_bias(import, node) || scale_norm(import, node))
        return true;
    Tensor *a = node->in[0], *b = node->in[1];
    if (!broadcast_dims(import, node, a, b, &rank, dims)) return false;
    /* The remainder has the sign of a, but that of b in the language. */
    bool signed_rest = !strcmp(node->onnx->op, "Mod") && node_int(node, "fmod", 0);
    if (signed_rest && a->kind == KIND_WHOLE)
        return node_fail(import, node, "fmod of whole numbers is not supported");
    if (!strcmp(node->onnx->op, "Div") && a->kind == KIND_WHOLE && b->kind == KIND_WHOLE)
        return node_fail(import, node, "division of whole numbers is not supported");

    a = with_rank(import, a, a->constant || !b->constant || b->count == 1 ? rank : a->rank);
    b = with_rank(import, b, b->constant || !a->constant || a->count == 1 ? rank : b->rank);
    const char *text = text_for(node, b);
    if (text != node->text) b = negated(import, b);
    if (signed_rest) text = "sign(%00) * (abs(%00) % abs(%10))";
    Tensor *y = make(import, node, 0, node->level, text, 2, (Tensor *[]){a, b});
    set_dims(y, rank, dims);
    y->kind = truth                                            ? KIND_BOOL
              : a->kind == KIND_WHOLE && b->kind == KIND_WHOLE ? KIND_WHOLE
                                                               : KIND_REAL;
    return true;
}

/* Before opset 7, an attribute tells along which axis the second operand is broadcast. */
static bool legacy_axis(Import *import, OpNode *node) {
    Tensor *a = node->in[0], *b = node->in[1];
    if (import->model->opset >= 7 || !node_int(node, "broadcast", 0) ||
        !onnx_attribute(node->onnx, "axis"))
        return true;
    int64_t axis = node_int(node, "axis", 0), after = a->rank - axis - b->rank;
    if (axis < 0 || after < 0)
        return node_fail(import, node, "its axis %lld does not fit", (long long)axis);
    if (after == 0) return true;
    if (!b->constant) return node_fail(import, node, "its axis is supported for constants only");
    int64_t dims[ONNX_MAX_RANK];
    fixed_dims(b, dims);
    for (int64_t i = 0; i < after; i++) dims[b->rank + i] = 1;
    Tensor *aligned = tensor_new(import, b->name);
    *aligned = *reshaped(import, b, b->rank + (int)after, dims);
    aligned->args = NULL;
    node->in[1] = aligned;
    return true;
}

/* Adds, compares or averages several operands, from left to right. */
bool op_several(Import *import, OpNode *node) {
    Tensor *sum = node->in[0];
    bool mean = !strcmp(node->onnx->op, "Mean");
    if (node->in_count == 1) return op_same(import, node);
    for (uint32_t i = 1; i < node->in_count; i++) {
        int rank;
        Dim dims[ONNX_MAX_RANK];
        Tensor *next = node->in[i];
        if (!broadcast_dims(import, node, sum, next, &rank, dims)) return false;
        bool last = i + 1 == node->in_count && !mean;
        Tensor *args[] = {with_rank(import, sum, rank), with_rank(import, next, rank)};
        sum = last ? make(import, node, 0, node->level, node->text, 2, args)
                   : inner(import, node->level, node->text, 2, args);
        set_dims(sum, rank, dims);
    }
    if (mean)
        make(import, node, 0, LEVEL_PRODUCT,
             arena_format(import->arena, "%%06 / %u.0", node->in_count), 1, &sum);
    return true;
}

bool where_dims(const Import *import, const OpNode *node, int *rank, Dim *dims) {
    if (!broadcast_dims(import, node, node->in[1], node->in[2], rank, dims)) return false;
    Tensor both = *node->in[1];
    set_dims(&both, *rank, dims);
    return broadcast_dims(import, node, node->in[0], &both, rank, dims);
}

bool op_where(Import *import, OpNode *node) {
    int rank;
    Dim dims[ONNX_MAX_RANK];
    if (!where_dims(import, node, &rank, dims)) return false;
    TensorKind kind = node->in[1]->kind == node->in[2]->kind ? node->in[1]->kind : KIND_REAL;
    Tensor *y = kind == KIND_BOOL
                    ? make(import, node, 0, LEVEL_OR, "%03 and %13 or not %03 and %23", 3, node->in)
                    : make(import, node, 0, node->level, node->text, 3, node->in);
    y->kind = kind;
    set_dims(y, rank, dims);
    return true;
}

/* -- 8-bit numbers of quantizers, in f32: y = saturate(round(x / scale) + zero) -- */

static bool quantum(Import *import, OpNode *node, Tensor *x, Tensor **scale, Tensor **zero) {
    int axis = 1;
    int64_t dims[ONNX_MAX_RANK];
    *scale = node->in[1];
    *zero = node->in_count > 2 ? node->in[2] : NULL;
    if (!(*scale)->constant || !(*scale)->reals ||
        (*zero && (!(*zero)->constant || (*zero)->count != (*scale)->count)))
        return node_fail(import, node, "its scale and zero point must be constants");
    if ((*scale)->count == 1) return true;
    if (!axis_of(import, node, node_int(node, "axis", 1), x->rank, &axis)) return false;
    for (int i = 0; i < x->rank - axis; i++) dims[i] = i ? 1 : (*scale)->count;
    Tensor **both[] = {scale, zero};
    for (int i = 0; i < 2; i++) {
        if (!*both[i]) continue;
        Tensor *aligned = tensor_new(import, (*both[i])->name);
        *aligned = *reshaped(import, *both[i], x->rank - axis, dims);
        aligned->args = NULL;
        aligned->trained = false;
        *both[i] = aligned;
    }
    return true;
}

static bool is_zero(const Tensor *zero) {
    for (int64_t i = 0; zero && i < zero->count; i++)
        if (zero->reals ? zero->reals[i] != 0 : zero->wholes[i].size != 0) return false;
    return true;
}

/* The least and the largest number of the quantized type; NULL: it is another type. */
static const char *quantized_limits(const OpNode *node, const Tensor *point) {
    int64_t type = node_int(node, "output_dtype", ONNX_UINT8);
    switch (point && point->count ? (int64_t)point->type : type) {
    case ONNX_UINT8: return "0.0, 255.0";
    case ONNX_INT8: return "-128.0, 127.0";
    case ONNX_UINT16: return "0.0, 65535.0";
    case ONNX_INT16: return "-32768.0, 32767.0";
    default: return NULL;
    }
}

bool op_quantize(Import *import, OpNode *node) {
    Tensor *scale, *zero;
    const Tensor *point = node->in_count > 2 ? node->in[2] : NULL;
    if (!quantum(import, node, node->in[0], &scale, &zero)) return false;
    const char *limits = quantized_limits(node, point);
    if (!limits) return node_fail(import, node, "only whole numbers of 8 or 16 bits are supported");
    Tensor *divided =
        inner(import, LEVEL_PRODUCT, "%06 / %17", 2, (Tensor *[]){node->in[0], scale});
    Tensor *rounded = inner_pipe(import, "round", divided);
    if (!is_zero(zero))
        rounded = inner(import, LEVEL_SUM, "%05 + %16", 2, (Tensor *[]){rounded, zero});
    make_pipe(import, node, 0, arena_format(import->arena, "clip(%s)", limits), rounded);
    import_note(import, "quantized values are computed in f32, which represents them exactly");
    return true;
}

bool op_dequantize(Import *import, OpNode *node) {
    Tensor *scale, *zero, *x = node->in[0];
    if (!quantum(import, node, x, &scale, &zero)) return false;
    if (!is_zero(zero)) x = inner(import, LEVEL_SUM, "%05 - %16", 2, (Tensor *[]){x, zero});
    Tensor *y = make(import, node, 0, LEVEL_PRODUCT, "%06 * %17", 2, (Tensor *[]){x, scale});
    y->kind = KIND_REAL;
    return true;
}
