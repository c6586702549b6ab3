/* The convolution of tiles: ir/ops/winograd.h says what it computes. */
#include "ir/eval/eval_native.h"
#include "ir/base/memory.h"
#include "ir/ops/winograd.h"

#include <math.h>
#include <stdlib.h>

/* Pictures [pictures, height, width, channels]; transformed filters [36, channels, filters]; a
 * transformed tile [36, channels] and its sums [36, filters]. */
typedef struct {
    int64_t pictures, height, width, channels, filters;
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

void eval_winograd(const EvalArgs *args) {
    static RunWinograd *const loops[2][2] = {{winograd_portable_f32, winograd_native_f32},
                                             {winograd_portable_f64, winograd_native_f64}};
    Shape from = args->operands[0]->shape, to = args->node->shape;
    size_t element = eval_element_bytes(args->precision, DTYPE_F32);
    WinogradLoop p = {from.dim[0], from.dim[1], from.dim[2], from.dim[3], to.dim[3],
                      args->in[0], args->in[1], NULL,        NULL,        args->out};
    p.tile = memory_array((size_t)(WINOGRAD_PRODUCTS * p.channels), element, "a tile");
    p.sums = memory_array((size_t)(WINOGRAD_PRODUCTS * p.filters), element, "the sums of a tile");
    loops[args->precision == INTERP_F64][has_fma()](&p);
    free(p.tile);
    free(p.sums);
}
