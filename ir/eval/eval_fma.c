/* The ops made of fused multiply-adds: fma and matmul. fma is exact by definition, so the
 * processor's instruction and the C library's function give the same bits.
 *
 * An element of a product is
 *     acc = +0; acc = fma(a, b, acc) for k ascending; acc + (+0).
 * The last addition turns -0 into +0 and changes nothing else. So a term in which a is 0 and b is
 * finite may be skipped: it can change only the sign of an acc that is zero, and that sign does not
 * reach the result. */
#include "ir/eval/eval_native.h"
#include "ir/base/integers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A matrix product: out[m, n] = a[m, k] * b[k, n], with a's element (m, k) at m * a_row + k *
 * a_column. b's columns p * PANEL .. are packed as [k][PANEL], the last panel filled up with
 * zeros. */
enum { PANEL = 32 };
typedef struct {
    int64_t m, n, k, a_row, a_column;
    const void *a;
    void *panels, *out;
} MatrixProduct;

#define Real float
#define FUSED fmaf
#define NAME(x) x##_f32
#include "ir/eval/eval_fma_loops.h"
#define Real double
#define FUSED fma
#define NAME(x) x##_f64
#include "ir/eval/eval_fma_loops.h"
#include "ir/base/memory.h"

void eval_fma(const EvalArgs *args) {
    static EvalFunction *const loops[2][2] = {{fma_portable_f32, fma_native_f32},
                                              {fma_portable_f64, fma_native_f64}};
    loops[args->precision == INTERP_F64][has_fma()](args);
}

/* The sizes of one matrix of the batch, and memory for its panels. */
static MatrixProduct product_new(const EvalArgs *args, size_t element) {
    Shape a = args->operands[0]->shape, out = args->node->shape;
    bool transposed = args->node->attrs.matmul.transpose_a;
    int last = out.rank - 1;
    int64_t m = out.dim[last - 1], n = out.dim[last], k = a.dim[transposed ? last - 1 : last];
    return (MatrixProduct){.m = m,
                           .n = n,
                           .k = k,
                           .a_row = transposed ? 1 : k,
                           .a_column = transposed ? m : 1,
                           .panels = memory_array((size_t)(round_up(n, PANEL) * k), element,
                                                  "the panels of a matrix")};
}

/* What differs between f32 and f64. */
typedef struct {
    size_t element;
    void (*pack)(const MatrixProduct *product, const void *b, int64_t row, int64_t column);
    void (*multiply[2])(const MatrixProduct *product); /* without and with the instruction */
} Precise;

/* -- products of bytes -- */

/* A byte matrix of the batch: element (line, k). */
typedef struct {
    const void *data;
    DType dtype;
    int64_t first, line, k; /* elements to the first element, from line to line, from k to k */
} Bytes;

static int32_t byte_at(const Bytes *bytes, int64_t line, int64_t k) {
    int64_t at = bytes->first + line * bytes->line + k * bytes->k;
    return bytes->dtype == DTYPE_I8 ? ((const int8_t *)bytes->data)[at]
                                    : ((const uint8_t *)bytes->data)[at];
}

/* A product of two bytes is below 2^16. Sums wrap. */
static void multiply_bytes(const EvalArgs *args) {
    Shape a = args->operands[0]->shape, out = args->node->shape;
    bool ta = args->node->attrs.matmul.transpose_a, tb = args->node->attrs.matmul.transpose_b;
    int last = out.rank - 1;
    int64_t m = out.dim[last - 1], n = out.dim[last], k = a.dim[ta ? last - 1 : last];
    uint32_t *to = args->out;
    for (int64_t row = 0; row < eval_elements(args) / n; row++) {
        Bytes left = {args->in[0], args->operands[0]->dtype, row / m * m * k, ta ? 1 : k,
                      ta ? m : 1},
              right = {args->in[1], args->operands[1]->dtype, row / m * k * n, tb ? k : 1,
                       tb ? 1 : n};
        for (int64_t column = 0; column < n; column++) {
            uint32_t sum = 0;
            for (int64_t i = 0; i < k; i++)
                sum += (uint32_t)(byte_at(&left, row % m, i) * byte_at(&right, column, i));
            *to++ = sum;
        }
    }
}

static void multiply_reals(const EvalArgs *args) {
    static const Precise precisions[] = {
        [INTERP_F32] = {sizeof(float), pack_f32, {product_portable_f32, product_native_f32}},
        [INTERP_F64] = {sizeof(double), pack_f64, {product_portable_f64, product_native_f64}}};
    const Precise *precise = &precisions[args->precision];
    MatrixProduct product = product_new(args, precise->element);
    bool transposed = args->node->attrs.matmul.transpose_b, native = has_fma();
    int64_t m = product.m, n = product.n, k = product.k, matrices = eval_elements(args) / (m * n);
    for (int64_t i = 0; i < matrices; i++) {
        product.a = (const char *)args->in[0] + (size_t)(i * m * k) * precise->element;
        product.out = (char *)args->out + (size_t)(i * m * n) * precise->element;
        const char *b = (const char *)args->in[1] + (size_t)(i * k * n) * precise->element;
        precise->pack(&product, b, transposed ? 1 : n, transposed ? k : 1);
        precise->multiply[native](&product);
    }
    free(product.panels);
}

void eval_matmul(const EvalArgs *args) {
    if (args->node->dtype == DTYPE_I32)
        multiply_bytes(args);
    else
        multiply_reals(args);
}
