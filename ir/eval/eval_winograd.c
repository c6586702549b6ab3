/* The convolution of tiles: ir/ops/winograd.h says what it computes. */
#include "ir/eval/eval_native.h"
#include "ir/base/memory.h"
#include "ir/ops/winograd.h"

#include <math.h>
#include <stdlib.h>

/* Pictures [pictures, height, width, channels]. winograd: transformed filters [36, channels,
 * filters]; a transformed tile [36, channels] and its sums [36, filters]. winograd_weights: the
 * gradients in place of the filters; a transformed tile of them in place of the sums. */
typedef struct {
    int64_t pictures, height, width, channels, filters;
    int64_t in_part; /* pictures */
    const void *x, *transformed;
    void *tile, *sums, *out;
} WinogradLoop;

#define Real float
#define FUSED fmaf
#define NAME(x) x##_f32
#include "ir/eval/eval_winograd_loops.h"
#define Real double
#define FUSED fma
#define NAME(x) x##_f64
#include "ir/eval/eval_winograd_loops.h"

typedef void RunWinograd(const WinogradLoop *p);

/* Without and with the instruction. */
static void run(const EvalArgs *args, int64_t filters, RunWinograd *const loops[2]) {
    Shape from = args->operands[0]->shape;
    size_t element = eval_element_bytes(args->precision, DTYPE_F32);
    WinogradLoop p = {.pictures = from.dim[0],
                      .height = from.dim[1],
                      .width = from.dim[2],
                      .channels = from.dim[3],
                      .filters = filters,
                      .x = args->in[0],
                      .transformed = args->in[1],
                      .out = args->out};
    p.in_part = window_part(p.pictures, (p.height - 2) * (p.width - 2));
    p.tile = memory_array((size_t)(WINOGRAD_PRODUCTS * p.channels), element, "a tile");
    p.sums = memory_array((size_t)(WINOGRAD_PRODUCTS * p.filters), element, "the sums of a tile");
    loops[has_fma()](&p);
    free(p.tile);
    free(p.sums);
}

void eval_winograd(const EvalArgs *args) {
    static RunWinograd *const loops[2][2] = {{winograd_portable_f32, winograd_native_f32},
                                             {winograd_portable_f64, winograd_native_f64}};
    run(args, args->node->shape.dim[3], loops[args->precision == INTERP_F64]);
}

void eval_winograd_weights(const EvalArgs *args) {
    static RunWinograd *const loops[2][2] = {
        {winograd_weights_portable_f32, winograd_weights_native_f32},
        {winograd_weights_portable_f64, winograd_weights_native_f64}};
    run(args, args->node->shape.dim[3], loops[args->precision == INTERP_F64]);
}
