/* Composites on images, in f64 only: the truth against which their expansions in passes/ are
 * measured. */
#include "ir/eval/eval.h"

#include <assert.h>
#include <math.h>

/* A convolution or pooling of images [N,C,H,W]. Channel c of image n of the operand is at x + (n *
 * channels + c) * height * width. */
typedef struct {
    const double *x, *weights;
    Shape from, to;
    const int64_t *kernel, *stride, *dilation;
    int64_t groups;
} WindowLoop;

static const double *channel_at(const WindowLoop *p, int64_t n, int64_t c) {
    return p->x + (n * p->from.dim[1] + c) * p->from.dim[2] * p->from.dim[3];
}

/* Element (kh, kw) of the window at (h, w) of a channel. */
static double element_at(const WindowLoop *p, const double *channel, int64_t h, int64_t w,
                         int64_t kh, int64_t kw) {
    int64_t row = h * p->stride[0] + kh * p->dilation[0],
            column = w * p->stride[1] + kw * p->dilation[1];
    return channel[row * p->from.dim[3] + column];
}

typedef double WindowFunction(const WindowLoop *p, int64_t n, int64_t c, int64_t h, int64_t w);

static double window_product(const WindowLoop *p, int64_t n, int64_t o, int64_t h, int64_t w) {
    int64_t in = p->from.dim[1] / p->groups, kh = p->kernel[0], kw = p->kernel[1];
    int64_t first = o / (p->to.dim[1] / p->groups) * in;
    double sum = 0;
    for (int64_t c = 0; c < in; c++)
        for (int64_t k = 0; k < kh * kw; k++)
            sum += element_at(p, channel_at(p, n, first + c), h, w, k / kw, k % kw) *
                   p->weights[(o * in + c) * kh * kw + k];
    return sum;
}

static double window_largest(const WindowLoop *p, int64_t n, int64_t c, int64_t h, int64_t w) {
    double largest = -INFINITY;
    for (int64_t k = 0; k < p->kernel[0] * p->kernel[1]; k++) {
        double x = element_at(p, channel_at(p, n, c), h, w, k / p->kernel[1], k % p->kernel[1]);
        if (!(x <= largest) && !isnan(largest)) largest = x;
    }
    return largest;
}

static void each_window(const EvalArgs *args, const WindowLoop *p, WindowFunction *compute) {
    double *out = args->out;
    assert(args->precision == INTERP_F64 &&
           "composites must be expanded before they are run in f32");
    for (int64_t n = 0; n < p->to.dim[0]; n++)
        for (int64_t c = 0; c < p->to.dim[1]; c++)
            for (int64_t h = 0; h < p->to.dim[2]; h++)
                for (int64_t w = 0; w < p->to.dim[3]; w++) *out++ = compute(p, n, c, h, w);
}

void eval_conv(const EvalArgs *args) {
    const Attrs *attrs = &args->node->attrs;
    WindowLoop p = {.x = args->in[0],
                    .weights = args->in[1],
                    .from = args->operands[0]->shape,
                    .to = args->node->shape};
    p.kernel = &args->operands[1]->shape.dim[2];
    p.stride = attrs->conv.stride;
    p.dilation = attrs->conv.dilation;
    p.groups = attrs->conv.groups;
    each_window(args, &p, window_product);
}

void eval_max_pool(const EvalArgs *args) {
    const Attrs *attrs = &args->node->attrs;
    WindowLoop p = {.x = args->in[0], .from = args->operands[0]->shape, .to = args->node->shape};
    p.kernel = attrs->window.kernel;
    p.stride = attrs->window.stride;
    p.dilation = attrs->window.dilation;
    each_window(args, &p, window_largest);
}

/* out[o][c][kh][kw] = the sum of x[n][c][h + kh][w + kw] * y[n][o][h][w] over n, h, w */
void eval_conv_weights(const EvalArgs *args) {
    Shape from = args->operands[0]->shape, to = args->operands[1]->shape, shape = args->node->shape;
    const double *y = args->in[1];
    double *out = args->out;
    WindowLoop p = {
        .x = args->in[0], .from = from, .stride = (int64_t[]){1, 1}, .dilation = (int64_t[]){1, 1}};
    int64_t places = to.dim[2] * to.dim[3];
    assert(args->precision == INTERP_F64 &&
           "composites must be expanded before they are run in f32");
    for (int64_t i = 0; i < shape_elements(shape); i++) {
        int64_t kw = i % shape.dim[3], kh = i / shape.dim[3] % shape.dim[2],
                c = i / shape.dim[3] / shape.dim[2] % shape.dim[1], o = i / shape_inner(shape, 0);
        double sum = 0;
        for (int64_t n = 0; n < from.dim[0]; n++)
            for (int64_t k = 0; k < places; k++)
                sum += element_at(&p, channel_at(&p, n, c), k / to.dim[3], k % to.dim[3], kh, kw) *
                       y[(n * to.dim[1] + o) * places + k];
        out[i] = sum;
    }
}
