/* The ops made of fused multiply-adds: fma and matmul. fma is exact by definition, so the processor's instruction and libm's
 * function give the same bits; the instruction is chosen at run time because the function is slow without it. */
#include "ir/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define FMA_TARGET __attribute__((target("avx2,fma")))
static bool has_fma(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define FMA_TARGET
static bool has_fma(void) {
    return false;
}
#endif
#define INLINE static inline __attribute__((always_inline))

/* A matrix product: out[m, n] = a[m, k] * b[k, n], with a's element (m, k) at m * a_row + k * a_column and b packed in
 * panels. */
typedef struct {
    int64_t m, n, k, a_row, a_column;
    const void *a, *panels;
    void *out;
} Product;

/* Columns of a panel: b's columns p * PANEL .. are stored as [k][PANEL], the last panel filled up with zeros. */
enum { PANEL = 32 };

/* The loops for one element type. The innermost one is over a constant number of neighbouring
 * columns, each with its own accumulator and k ascending: vector code for it has the same bits. */
#define FMA_LOOPS(Type, fused, suffix)                                                                                         \
    INLINE void fma_##suffix(const EvalArgs *args) {                                                                           \
        const Type *a = args->in[0], *b = args->in[1], *c = args->in[2];                                                       \
        Type *out = args->out;                                                                                                 \
        for (int64_t i = 0, n = eval_elements(args); i < n; i++) out[i] = fused(a[i], b[i], c[i]);                             \
    }                                                                                                                          \
    INLINE void row_##suffix(const Product *product, const Type *a, const Type *panel, Type *out, int64_t columns) {           \
        Type sum[PANEL] = {0};                                                                                                 \
        for (int64_t k = 0; k < product->k; k++)                                                                               \
            for (int j = 0; j < PANEL; j++) sum[j] = fused(a[k * product->a_column], panel[k * PANEL + j], sum[j]);            \
        memcpy(out, sum, (size_t)columns * sizeof *sum);                                                                       \
    }                                                                                                                          \
    INLINE void product_##suffix(const Product *product) {                                                                     \
        const Type *panel = product->panels;                                                                                   \
        for (int64_t n = 0; n < product->n; n += PANEL, panel += PANEL * product->k)                                           \
            for (int64_t m = 0; m < product->m; m++)                                                                           \
                row_##suffix(product, (const Type *)product->a + m * product->a_row, panel,                                    \
                             (Type *)product->out + m * product->n + n, product->n - n < PANEL ? product->n - n : PANEL);      \
    }                                                                                                                          \
    static void fma_##suffix##_portable(const EvalArgs *args) {                                                                \
        fma_##suffix(args);                                                                                                    \
    }                                                                                                                          \
    FMA_TARGET static void fma_##suffix##_native(const EvalArgs *args) {                                                       \
        fma_##suffix(args);                                                                                                    \
    }                                                                                                                          \
    static void product_##suffix##_portable(const Product *product) {                                                          \
        product_##suffix(product);                                                                                             \
    }                                                                                                                          \
    FMA_TARGET static void product_##suffix##_native(const Product *product) {                                                 \
        product_##suffix(product);                                                                                             \
    }                                                                                                                          \
    static void pack_##suffix(Type *panels, const Type *b, int64_t k, int64_t n, int64_t row, int64_t column) {                \
        for (int64_t start = 0; start < n; start += PANEL)                                                                     \
            for (int64_t i = 0; i < k; i++)                                                                                    \
                for (int64_t j = start; j < start + PANEL; j++) *panels++ = j < n ? b[i * row + j * column] : 0;               \
    }
FMA_LOOPS(float, fmaf, f32)
FMA_LOOPS(double, fma, f64)

void eval_fma(const EvalArgs *args) {
    static EvalFunction *const loops[2][2] = {{fma_f32_portable, fma_f32_native}, {fma_f64_portable, fma_f64_native}};
    loops[args->precision == INTERP_F64][has_fma()](args);
}

static void *panels_new(int64_t k, int64_t n, size_t element) {
    void *panels = malloc((size_t)((n + PANEL - 1) / PANEL * PANEL * k) * element);
    if (panels) return panels;
    fputs("mlc: out of memory\n", stderr);
    abort();
}

/* Of one matrix of the batch; the operands' sizes and flags. */
static Product product_of(const EvalArgs *args) {
    Shape a = args->operands[0]->shape, out = args->node->shape;
    bool transposed = args->node->attrs.transpose_a;
    int last = out.rank - 1;
    int64_t m = out.dim[last - 1], n = out.dim[last], k = a.dim[transposed ? last - 1 : last];
    return (Product){m, n, k, transposed ? 1 : k, transposed ? m : 1, NULL, NULL, NULL};
}

void eval_matmul(const EvalArgs *args) {
    static void (*const products[2][2])(const Product *) = {{product_f32_portable, product_f32_native},
                                                            {product_f64_portable, product_f64_native}};
    bool twofold = args->precision == INTERP_F64, native = has_fma(), transposed = args->node->attrs.transpose_b;
    Product product = product_of(args);
    int64_t k = product.k, n = product.n, row = transposed ? 1 : n, column = transposed ? k : 1;
    int64_t matrices = eval_elements(args) / (product.m * n);
    size_t element = twofold ? sizeof(double) : sizeof(float);
    void *panels = panels_new(k, n, element);
    for (int64_t i = 0; i < matrices; i++) {
        const char *b = (const char *)args->in[1] + (size_t)(i * k * n) * element;
        if (twofold)
            pack_f64(panels, (const double *)b, k, n, row, column);
        else
            pack_f32(panels, (const float *)b, k, n, row, column);
        product.panels = panels;
        product.a = (const char *)args->in[0] + (size_t)(i * product.m * k) * element;
        product.out = (char *)args->out + (size_t)(i * product.m * n) * element;
        products[twofold][native](&product);
    }
    free(panels);
}
