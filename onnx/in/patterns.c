/* Recognizes functions that exporters write as several nodes: layer normalization before opset 17,
 * gelu before opset 20, silu always. */
#include "onnx/in/translate.h"

#include <math.h>
#include <string.h>

static bool is_op(const Tensor *tensor, const char *op) {
    return tensor && tensor->node && !strcmp(tensor->node->op, op);
}

static bool near(const Tensor *tensor, double wanted) {
    double number;
    return is_number(tensor, &number) && fabs(number - wanted) <= 1e-4 * fabs(wanted);
}

/* If one operand is a number near `wanted`, the other one; else NULL. */
static Tensor *beside_number(const Tensor *tensor, const char *op, double wanted) {
    if (!is_op(tensor, op)) return NULL;
    for (int i = 0; i < 2; i++)
        if (near(tensor->in[i], wanted)) return tensor->in[1 - i];
    return NULL;
}

/* -- (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) -- */

static bool is_mean_of(const Import *import, const Tensor *mean, const Tensor *x) {
    const char *text = arena_format(import->arena, "mean(axis = %d, keep = true)", x->rank - 1);
    return is_op(mean, "ReduceMean") && mean->in[0] == x && mean->text && !strcmp(mean->text, text);
}

static bool is_distance(const Import *import, const Tensor *tensor, const Tensor *x) {
    return is_op(tensor, "Sub") && tensor->in[0] == x && is_mean_of(import, tensor->in[1], x);
}

static bool is_square_of_distance(const Import *import, const Tensor *tensor, const Tensor *x) {
    if (is_op(tensor, "Pow"))
        return near(tensor->in[1], 2) && is_distance(import, tensor->in[0], x);
    return is_op(tensor, "Mul") && tensor->in[0] == tensor->in[1] &&
           is_distance(import, tensor->in[0], x);
}

static bool layer_norm(Import *import, OpNode *node) {
    const Tensor *distance = node->in[0], *root = node->in[1], *sum;
    double eps;
    if (strcmp(node->onnx->op, "Div") || !is_op(distance, "Sub") || !is_op(root, "Sqrt"))
        return false;
    Tensor *x = distance->in[0];
    sum = root->in[0];
    if (!is_distance(import, distance, x) || !is_op(sum, "Add") || x->rank < 2) return false;
    int at = is_number(sum->in[1], &eps) ? 0 : 1;
    if (!is_number(sum->in[1 - at], &eps) || eps < 0) return false;
    const Tensor *variance = sum->in[at];
    if (!is_op(variance, "ReduceMean") || !is_square_of_distance(import, variance->in[0], x) ||
        !is_mean_of(import, variance, variance->in[0]))
        return false;
    Tensor *y = make_pipe(import, node, 0, "", x);
    y->eps = (float)eps;
    layer_new(import, y, "layer_norm");
    y->text = norm_text(import, y, false);
    return true;
}

/* -- products -- */

/* Collects the factors of a chain of products, but follows only a few nodes. */
enum { FACTORS = 4, FACTOR_DEPTH = 3 };
static uint32_t factors_of(Tensor *const *in, Tensor *factors[FACTORS], uint32_t count, int depth) {
    for (int i = 0; i < 2 && count < FACTORS; i++) {
        bool further = depth < FACTOR_DEPTH && is_op(in[i], "Mul") && in[i]->consumers == 1;
        if (further)
            count = factors_of(in[i]->in, factors, count, depth + 1);
        else
            factors[count++] = in[i];
    }
    return count;
}

/* erf(x / sqrt(2)) */
static bool is_erf_of(const Tensor *tensor, const Tensor *x) {
    if (!is_op(tensor, "Erf")) return false;
    const Tensor *inside = tensor->in[0];
    bool divided = is_op(inside, "Div") && inside->in[0] == x && near(inside->in[1], sqrt(2));
    return divided || beside_number(inside, "Mul", sqrt(0.5)) == x;
}

/* tanh(sqrt(2 / pi) (x + 0.044715 x^3)) */
static bool is_tanh_of(const Tensor *tensor, const Tensor *x) {
    if (!is_op(tensor, "Tanh")) return false;
    const Tensor *sum = beside_number(tensor->in[0], "Mul", 0.7978845608), *cube = NULL;
    for (int i = 0; i < 2 && is_op(sum, "Add"); i++)
        if (sum->in[i] == x) cube = sum->in[1 - i];
    const Tensor *power = beside_number(cube, "Mul", 0.044715);
    if (is_op(power, "Pow")) return power->in[0] == x && near(power->in[1], 3);
    for (int i = 0; i < 2 && is_op(power, "Mul"); i++) {
        const Tensor *square = power->in[1 - i];
        if (power->in[i] == x && is_op(square, "Mul") && square->in[0] == x && square->in[1] == x)
            return true;
    }
    return false;
}

/* 0.5 x (1 + erf(x / sqrt(2))), in any order */
static bool gelu(Import *import, OpNode *node) {
    Tensor *factors[FACTORS], *x = NULL, *sum = NULL;
    if (strcmp(node->onnx->op, "Mul") || factors_of(node->in, factors, 0, 0) != 3) return false;
    bool half = false;
    for (int i = 0; i < 3; i++) {
        Tensor *inside = beside_number(factors[i], "Add", 1);
        if (near(factors[i], 0.5) && !half)
            half = true;
        else if (inside && (is_op(inside, "Erf") || is_op(inside, "Tanh")) && !sum)
            sum = inside;
        else
            x = factors[i];
    }
    if (!half || !sum || !x || x->constant) return false;
    if (!is_erf_of(sum, x) && !is_tanh_of(sum, x)) return false;
    make_pipe(import, node, 0, is_op(sum, "Erf") ? "gelu" : "gelu_tanh", x);
    return true;
}

static bool silu(Import *import, OpNode *node) {
    if (strcmp(node->onnx->op, "Mul")) return false;
    for (int i = 0; i < 2; i++) {
        Tensor *x = node->in[i], *other = node->in[1 - i];
        if (!is_op(other, "Sigmoid") || other->in[0] != x) continue;
        make_pipe(import, node, 0, "silu", x);
        return true;
    }
    return false;
}

bool spelled_out(Import *import, OpNode *node) {
    return layer_norm(import, node) || gelu(import, node) || silu(import, node);
}
