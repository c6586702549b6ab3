/* Functions and composites, in f64 only, by the C library: the truth against which the expansions
 * in passes/ are measured. In f32 a function is defined by its expansion. */
#include "ir/eval/eval.h"
#include "ir/ops/random.h"

#include <assert.h>
#include <math.h>

static void require_f64(const EvalArgs *args) {
    assert(args->precision == INTERP_F64 &&
           "functions and composites must be expanded before they are run in f32");
    (void)args;
}

#define FUNCTION(name, expression)                                                                 \
    void eval_##name(const EvalArgs *args) {                                                       \
        const double *x = args->in[0];                                                             \
        double *out = args->out;                                                                   \
        require_f64(args);                                                                         \
        for (int64_t i = 0, n = eval_elements(args); i < n; i++) {                                 \
            const double a = x[i];                                                                 \
            out[i] = expression;                                                                   \
        }                                                                                          \
    }
FUNCTION(relu, isnan(a) ? a : a > 0 ? a : 0)
FUNCTION(detach, a)
FUNCTION(exp, exp(a))
FUNCTION(expm1, expm1(a))
FUNCTION(log, log(a))
FUNCTION(log1p, log1p(a))
FUNCTION(tanh, tanh(a))
FUNCTION(sigmoid, 1 / (1 + exp(-a)))
FUNCTION(tanh_slope, 1 / (cosh(a) * cosh(a)))
FUNCTION(sigmoid_slope, 0.25 / (cosh(0.5 * a) * cosh(0.5 * a)))
FUNCTION(erf, erf(a))
FUNCTION(normal_cdf, 0.5 * erfc(-a * M_SQRT1_2))
FUNCTION(sin, sin(a))
FUNCTION(cos, cos(a))

void eval_pow(const EvalArgs *args) {
    const double *a = args->in[0], *b = args->in[1];
    double *out = args->out;
    require_f64(args);
    for (int64_t i = 0, n = eval_elements(args); i < n; i++) out[i] = pow(a[i], b[i]);
}

double eval_floor_remainder(double a, double b) {
    double rest = fmod(a, b);
    if (rest == 0) return copysign(0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

/* INT64_MIN / -1 would overflow. */
int64_t eval_whole_remainder(int64_t a, int64_t b) {
    int64_t rest = b == 0 || b == -1 ? 0 : a % b;
    return rest && (rest < 0) != (b < 0) ? rest + b : rest;
}

void eval_remainder(const EvalArgs *args) {
    require_f64(args);
    for (int64_t i = 0, n = eval_elements(args); i < n; i++) {
        if (args->node->dtype == DTYPE_I32)
            ((int32_t *)args->out)[i] = (int32_t)eval_whole_remainder(
                ((const int32_t *)args->in[0])[i], ((const int32_t *)args->in[1])[i]);
        else
            ((double *)args->out)[i] = eval_floor_remainder(((const double *)args->in[0])[i],
                                                            ((const double *)args->in[1])[i]);
    }
}

/* A row along the axis, n elements that are `stride` apart, with its maximum and sum for
 * softmax. */
typedef struct {
    const double *x;
    double *out;
    int64_t n, stride;
    double max, sum; /* sum of exp(x - max) */
} SoftmaxRow;

static void row_measure(SoftmaxRow *row) {
    row->max = -INFINITY;
    row->sum = 0;
    for (int64_t j = 0; j < row->n; j++) {
        double x = row->x[j * row->stride];
        if (!(x <= row->max)) row->max = x;
    }
    for (int64_t j = 0; j < row->n; j++) row->sum += exp(row->x[j * row->stride] - row->max);
}

static void row_softmax(const SoftmaxRow *row) {
    for (int64_t j = 0; j < row->n; j++)
        row->out[j * row->stride] = exp(row->x[j * row->stride] - row->max) / row->sum;
}

static void row_log_softmax(const SoftmaxRow *row) {
    for (int64_t j = 0; j < row->n; j++)
        row->out[j * row->stride] = row->x[j * row->stride] - row->max - log(row->sum);
}

static void each_row(const EvalArgs *args, void (*compute)(const SoftmaxRow *)) {
    Shape shape = args->node->shape;
    int axis = args->node->attrs.axis;
    int64_t outer = shape_outer(shape, axis), inner = shape_inner(shape, axis), n = shape.dim[axis];
    require_f64(args);
    for (int64_t i = 0; i < outer * inner; i++) {
        int64_t at = i / inner * n * inner + i % inner;
        SoftmaxRow row = {.x = (const double *)args->in[0] + at,
                          .out = (double *)args->out + at,
                          .n = n,
                          .stride = inner};
        row_measure(&row);
        compute(&row);
    }
}

void eval_softmax(const EvalArgs *args) { each_row(args, row_softmax); }

void eval_log_softmax(const EvalArgs *args) { each_row(args, row_log_softmax); }

/* The random bits do not depend on the precision. */
void eval_random(const EvalArgs *args) {
    const uint32_t *low = args->in[0], *high = args->in[1], *draw = args->in[2], *row = args->in[3];
    const RandomNumbers *numbers = &args->node->attrs.random;
    uint32_t *out = args->out, words[4], first = *row * numbers->row;
    for (int64_t e = 0, n = eval_elements(args); e < n; e++) {
        int64_t i = first + e;
        uint32_t counter[4] = {(uint32_t)(i / 4), *draw, numbers->substream, numbers->stream};
        if (i % 4 == 0 || e == 0) philox_4x32(counter, (uint32_t[]){*low, *high}, words);
        out[e] = words[i % 4];
    }
}

void eval_grad(const EvalArgs *args) {
    assert(!args && "a grad node must be rewritten before it is run");
    (void)args;
}
