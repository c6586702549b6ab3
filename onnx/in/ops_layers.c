/* Dense layers and normalization. Weights are brought to the layout of the language, which is
 * PyTorch's. */
#include "onnx/in/translate.h"

#include <math.h>
#include <string.h>

/* -- dense -- */

const char *layer_text_with_bias(const Import *import, const char *text) {
    const char *at = strstr(text, ", " NO_BIAS);
    if (!at) return text;
    return arena_format(import->arena, "%.*s%s", (int)(at - text), text, at + strlen(", " NO_BIAS));
}

/* Multiplies a constant by a factor, such as alpha and beta of Gemm. */
static const Tensor *scaled(Import *import, const Tensor *constant, float factor) {
    if (factor == 1) return constant;
    float *reals = ARENA_ARRAY(import->arena, float, constant->count);
    for (int64_t i = 0; i < constant->count; i++) reals[i] = factor * constant->reals[i];
    Tensor *result = tensor_new(import, constant->name);
    *result = *constant;
    result->reals = reals;
    return result;
}

Tensor *make_dense(Import *import, OpNode *node, Tensor *x, const Tensor *weight) {
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank - 1] = weight->dims[0];
    const char *text =
        arena_format(import->arena, "dense(%lld, " NO_BIAS ")", (long long)weight->dims[0].size);
    Tensor *y = node ? make_pipe(import, node, 0, text, x) : inner_pipe(import, text, x);
    set_dims(y, x->rank, dims);
    layer_add(layer_new(import, y, "dense"), "weight", weight);
    return y;
}

static bool is_matrix(const Tensor *tensor) {
    return tensor->constant && tensor->reals && tensor->rank == 2 && tensor->count > 0;
}

static const int exchange[] = {1, 0};

static bool inner_axis_fits(const Import *import, const OpNode *node, Dim a, Dim b) {
    if (dim_equal(a, b) && !a.rows) return true;
    return node_fail(import, node, "the product adds over an axis of %s and one of %s",
                     dim_text(import, a), dim_text(import, b));
}

/* A product with a vector is a layer with one output, whose axis is taken away. */
static bool vector_product(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *vector = node->in[1];
    if (!inner_axis_fits(import, node, x->dims[x->rank - 1], vector->dims[0])) return false;
    const int64_t dims[] = {1, vector->count};
    Tensor *y = make_dense(import, NULL, x, reshaped(import, vector, 2, dims));
    make_same(import, node, 0, take_one(import, y, y->rank - 1, 0));
    return true;
}

bool op_matmul(Import *import, OpNode *node) {
    Tensor *a = node->in[0], *b = node->in[1];
    if (a->rank >= 2 && b->rank == 1 && b->constant && b->reals)
        return vector_product(import, node);
    if (a->rank < 2 || b->rank < 2)
        return node_fail(import, node, "products of vectors are not supported");
    if (!inner_axis_fits(import, node, a->dims[a->rank - 1], b->dims[b->rank - 2])) return false;
    if (is_matrix(b) && b->consumers == 1 && !a->constant) {
        make_dense(import, node, a, transposed(import, b, 2, exchange));
        return true;
    }
    /* leading axes are broadcast; the last two are those of the product */
    Tensor left = *a, right = *b;
    left.rank -= 2;
    right.rank -= 2;
    int rank;
    Dim dims[ONNX_MAX_RANK + 2];
    if (!broadcast_dims(import, node, &left, &right, &rank, dims)) return false;
    dims[rank] = a->dims[a->rank - 2];
    dims[rank + 1] = b->dims[b->rank - 1];
    if (rank + 2 > SHAPE_MAX_RANK)
        return node_fail(import, node, "it has %d axes; at most %d are supported", rank + 2,
                         SHAPE_MAX_RANK);
    Tensor *y = make(import, node, 0, node->level, node->text, 2, node->in);
    set_dims(y, rank + 2, dims);
    return true;
}

/* The bias of each output, [N], [1, N] or one number for all; NULL: it has another shape. */
static const Tensor *bias_of(Import *import, const Tensor *bias, int64_t width) {
    if (!bias->constant || !bias->reals || (bias->count != width && bias->count != 1)) return NULL;
    if (bias->rank > 2 || (bias->rank == 2 && bias->dims[0].size != 1)) return NULL;
    if (bias->count == width) return reshaped(import, bias, 1, &width);
    float *reals = ARENA_ARRAY(import->arena, float, width);
    for (int64_t i = 0; i < width; i++) reals[i] = bias->reals[0];
    return constant_reals(import, reals, 1, (Dim[]){{width, false}});
}

static Tensor *flipped(Import *import, Tensor *x) {
    if (x->constant) {
        Tensor *y = tensor_new(import, x->name);
        *y = *transposed(import, x, 2, exchange);
        y->args = NULL;
        return y;
    }
    Tensor *y = inner_pipe(import, "transpose", x);
    set_dims(y, 2, (Dim[]){x->dims[1], x->dims[0]});
    return y;
}

/* alpha A B + beta C as a product and a sum */
static void gemm_product(Import *import, OpNode *node, Tensor *a, Tensor *b, Tensor *c, float alpha,
                         float beta) {
    Dim dims[] = {a->dims[0], b->dims[1]};
    const char *product =
        alpha == 1 ? "%06 @ %17"
                   : arena_format(import->arena, "%s * (%%06 @ %%17)", real_text(import, alpha));
    if (!c) {
        set_dims(make(import, node, 0, LEVEL_PRODUCT, product, 2, (Tensor *[]){a, b}), 2, dims);
        return;
    }
    Tensor *y = inner(import, LEVEL_PRODUCT, product, 2, (Tensor *[]){a, b});
    set_dims(y, 2, dims);
    const char *sum =
        beta == 1 ? "%05 + %16"
                  : arena_format(import->arena, "%%05 + %s * %%17", real_text(import, beta));
    set_dims(make(import, node, 0, LEVEL_SUM, sum, 2, (Tensor *[]){y, c}), 2, dims);
}

/* alpha A B + beta C, where A and B may be transposed. A dense layer if B is a matrix of weights
 * and C its bias. */
bool op_gemm(Import *import, OpNode *node) {
    Tensor *a = node->in[0], *b = node->in[1], *c = node->in_count > 2 ? node->in[2] : NULL;
    float alpha = node_float(node, "alpha", 1), beta = node_float(node, "beta", 1);
    bool transposes = node_int(node, "transB", 0);
    if (beta == 0) c = NULL;
    if (a->rank != 2 || b->rank != 2)
        return node_fail(import, node, "its operands must be matrices");
    if (node_int(node, "transA", 0)) a = flipped(import, a);
    if (!inner_axis_fits(import, node, a->dims[1], b->dims[transposes ? 1 : 0])) return false;
    const Tensor *bias = c ? bias_of(import, c, b->dims[transposes ? 0 : 1].size) : NULL;
    if (is_matrix(b) && b->consumers == 1 && !a->constant && (bias || !c)) {
        const Tensor *weight = transposes ? b : transposed(import, b, 2, exchange);
        Tensor *y = make_dense(import, node, a, scaled(import, weight, alpha));
        if (!bias) return true;
        layer_add(y->layer, "bias", scaled(import, bias, beta));
        y->text = layer_text_with_bias(import, y->text);
        return true;
    }
    gemm_product(import, node, a, transposes ? flipped(import, b) : b, c, alpha, beta);
    return true;
}

/* -- normalization -- */

bool channel_constants(const Import *import, const OpNode *node, uint32_t first, uint32_t last,
                       int64_t channels) {
    for (uint32_t i = first; i <= last; i++)
        if (!node->in[i]->constant || !node->in[i]->reals || node->in[i]->count != channels)
            return node_fail(import, node, "its input %u must be a constant with %lld numbers", i,
                             (long long)channels);
    return true;
}

/* batch_norm with its running statistics: a network in training mode cannot be imported. The
 * momentum of ONNX is 1 - that of PyTorch. */
bool op_batch_norm(Import *import, OpNode *node) {
    static const char *const roles[] = {NULL, "weight", "bias", "running_mean", "running_var"};
    Tensor *x = node->in[0];
    float eps = node_float(node, "epsilon", 1e-5F), momentum = node_float(node, "momentum", 0.9F);
    bool training = node_int(node, "training_mode", 0);
    for (uint32_t i = 1; i < node->out_count; i++)
        training |= *node->out[i]->name && node->out[i]->consumers;
    if (training) {
        node_fail(import, node, "it is in training mode");
        diag_help(import->diag, "export the network after model.eval()");
        return false;
    }
    if (x->rank < 2 || x->dims[1].rows) return node_fail(import, node, "its input has no channels");
    if (import->model->opset < 9 && !node_int(node, "spatial", 1) && x->rank > 2)
        return node_fail(import, node, "spatial = 0 is not supported");
    if (!channel_constants(import, node, 1, 4, x->dims[1].size)) return false;
    const char *text = "batch_norm";
    const char *eps_text =
        eps == 1e-5F ? "" : arena_format(import->arena, "eps = %s", real_text(import, eps));
    const char *rate = fabsf(momentum - 0.9F) < 1e-6F
                           ? ""
                           : arena_format(import->arena, "momentum = %s",
                                          real_text(import, (float)(1 - (double)momentum)));
    if (momentum < 0 || momentum > 1) rate = "";
    if (*eps_text || *rate)
        text = arena_format(import->arena, "batch_norm(%s%s%s)", rate,
                            *rate && *eps_text ? ", " : "", eps_text);
    Tensor *y = make_pipe(import, node, 0, text, x);
    Layer *layer = layer_new(import, y, "batch_norm");
    for (uint32_t i = 1; i <= 4; i++)
        layer_add(layer, roles[i], reshaped(import, node->in[i], 1, &x->dims[1].size));
    return true;
}

const char *norm_text(const Import *import, const Tensor *norm, bool bias) {
    const char *eps = norm->eps == 1e-5F
                          ? ""
                          : arena_format(import->arena, "eps = %s", real_text(import, norm->eps));
    const char *parts = norm->layer->count == 0 ? "affine = false" : bias ? "" : NO_BIAS;
    if (!*eps && !*parts) return "layer_norm";
    return arena_format(import->arena, "layer_norm(%s%s%s)", eps, *eps && *parts ? ", " : "",
                        parts);
}
