/* Elementwise primitives: one loop for every op and element type. In f32 each operation rounds
 * once, to nearest even. */
#include "ir/eval/eval.h"

#include <math.h>
#include <string.h>

/* A loop over all elements: out = expression, of type Out, where a, b and c are the operands'
 * elements. */
#define UNARY_LOOP(function, In, Out, expression)                                                  \
    static void function(const EvalArgs *args) {                                                   \
        const In *as = args->in[0];                                                                \
        Out *out = args->out;                                                                      \
        for (int64_t i = 0, n = eval_elements(args); i < n; i++) {                                 \
            const In a = as[i];                                                                    \
            out[i] = (Out)(expression);                                                            \
        }                                                                                          \
    }
#define BINARY_LOOP(function, In, Out, expression)                                                 \
    static void function(const EvalArgs *args) {                                                   \
        const In *as = args->in[0], *bs = args->in[1];                                             \
        Out *out = args->out;                                                                      \
        for (int64_t i = 0, n = eval_elements(args); i < n; i++) {                                 \
            const In a = as[i], b = bs[i];                                                         \
            out[i] = (Out)(expression);                                                            \
        }                                                                                          \
    }

/* A loop for each dtype of the operands. */
typedef struct {
    EvalFunction *f32, *f64, *i32, *byte;
} Loops;

static void run_loop(const Loops *loops, DType dtype, const EvalArgs *args) {
    switch (dtype) {
    case DTYPE_F32: (args->precision == INTERP_F64 ? loops->f64 : loops->f32)(args); break;
    case DTYPE_I32: loops->i32(args); break;
    default: loops->byte(args); break;
    }
}

#define DISPATCH(name, ...)                                                                        \
    void eval_##name(const EvalArgs *args) {                                                       \
        static const Loops loops = {__VA_ARGS__};                                                  \
        run_loop(&loops, args->operands[0]->dtype, args);                                          \
    }

/* -- arithmetic; integers wrap, so they are computed without sign -- */

#define ARITHMETIC(name, real, integer)                                                            \
    BINARY_LOOP(name##_f32, float, float, real)                                                    \
    BINARY_LOOP(name##_f64, double, double, real)                                                  \
    BINARY_LOOP(name##_i32, uint32_t, uint32_t, integer)                                           \
    DISPATCH(name, name##_f32, name##_f64, name##_i32, NULL)
ARITHMETIC(add, a + b, a + b)
ARITHMETIC(sub, a - b, a - b)
ARITHMETIC(mul, a *b, a *b)

BINARY_LOOP(div_f32, float, float, a / b)
BINARY_LOOP(div_f64, double, double, a / b)
DISPATCH(div, div_f32, div_f64, NULL, NULL)

UNARY_LOOP(neg_f32, float, float, -a)
UNARY_LOOP(neg_f64, double, double, -a)
UNARY_LOOP(neg_i32, uint32_t, uint32_t, 0u - a)
DISPATCH(neg, neg_f32, neg_f64, neg_i32, NULL)

#define REAL_UNARY(name, single, twofold)                                                          \
    UNARY_LOOP(name##_f32, float, float, single(a))                                                \
    UNARY_LOOP(name##_f64, double, double, twofold(a))                                             \
    DISPATCH(name, name##_f32, name##_f64, NULL, NULL)
REAL_UNARY(abs, fabsf, fabs)
REAL_UNARY(sqrt, sqrtf, sqrt)
REAL_UNARY(floor, floorf, floor)
REAL_UNARY(rint, rintf, rint) /* mlc never changes the rounding mode, so ties go to even */

/* IEEE 754-2019 maximum and minimum: a NaN wins, and -0 is below +0. */
#define EXTREMA(Type, maximum, minimum)                                                            \
    static Type maximum(Type a, Type b) {                                                          \
        if (isnan(a) || isnan(b)) return a + b;                                                    \
        if (a == b) return signbit(a) ? b : a;                                                     \
        return a > b ? a : b;                                                                      \
    }                                                                                              \
    static Type minimum(Type a, Type b) { return -maximum(-a, -b); }
EXTREMA(float, maximum_f32, minimum_f32)
EXTREMA(double, maximum_f64, minimum_f64)

BINARY_LOOP(max_f32, float, float, maximum_f32(a, b))
BINARY_LOOP(max_f64, double, double, maximum_f64(a, b))
BINARY_LOOP(max_i32, int32_t, int32_t, a > b ? a : b)
DISPATCH(max, max_f32, max_f64, max_i32, NULL)
BINARY_LOOP(min_f32, float, float, minimum_f32(a, b))
BINARY_LOOP(min_f64, double, double, minimum_f64(a, b))
BINARY_LOOP(min_i32, int32_t, int32_t, a < b ? a : b)
DISPATCH(min, min_f32, min_f64, min_i32, NULL)

/* -- comparison, logic, bits -- */

#define COMPARE(name, sign)                                                                        \
    BINARY_LOOP(name##_f32, float, uint8_t, a sign b)                                              \
    BINARY_LOOP(name##_f64, double, uint8_t, a sign b)                                             \
    BINARY_LOOP(name##_i32, int32_t, uint8_t, a sign b)                                            \
    BINARY_LOOP(name##_byte, uint8_t, uint8_t, a sign b)                                           \
    DISPATCH(name, name##_f32, name##_f64, name##_i32, name##_byte)
COMPARE(lt, <)
COMPARE(le, <=)
COMPARE(eq, ==)
COMPARE(ne, !=)

#define BITS(name, sign)                                                                           \
    BINARY_LOOP(name##_i32, uint32_t, uint32_t, a sign b)                                          \
    BINARY_LOOP(name##_byte, uint8_t, uint8_t, a sign b)                                           \
    DISPATCH(name, NULL, NULL, name##_i32, name##_byte)
BITS(and, &)
BITS(or, |)
BITS(xor, ^)

UNARY_LOOP(not_i32, uint32_t, uint32_t, ~a)
UNARY_LOOP(not_byte, uint8_t, uint8_t, a ^ 1)
DISPATCH(not, NULL, NULL, not_i32, not_byte)

BINARY_LOOP(shl_i32, uint32_t, uint32_t, a << (b & 31))
BINARY_LOOP(shr_i32, uint32_t, uint32_t, a >> (b & 31))
DISPATCH(shl, NULL, NULL, shl_i32, NULL)
DISPATCH(shr, NULL, NULL, shr_i32, NULL)

BINARY_LOOP(mul_high_i32, uint32_t, uint32_t, (uint32_t)((uint64_t)a *b >> 32))
DISPATCH(mul_high, NULL, NULL, mul_high_i32, NULL)

/* (a b + 2^(s - 1)) / 2^s, rounded down, for s = 31 + c */
static uint32_t scaled(int32_t a, int32_t b, int32_t c) {
    int shift = 31 + (c & 31);
    int64_t product = (int64_t)a * b + ((int64_t)1 << (shift - 1));
    uint64_t sign = product < 0 ? UINT64_MAX << (64 - shift) : 0;
    return (uint32_t)((uint64_t)product >> shift | sign);
}

static void scale_i32(const EvalArgs *args) {
    const int32_t *a = args->in[0], *b = args->in[1], *c = args->in[2];
    uint32_t *out = args->out;
    for (int64_t i = 0, n = eval_elements(args); i < n; i++) out[i] = scaled(a[i], b[i], c[i]);
}
DISPATCH(scale, NULL, NULL, scale_i32, NULL)

/* select copies bits, whatever the dtype. */
#define SELECT_LOOP(function, Type)                                                                \
    static void function(const EvalArgs *args) {                                                   \
        const uint8_t *cs = args->in[0];                                                           \
        const Type *as = args->in[1], *bs = args->in[2];                                           \
        Type *out = args->out;                                                                     \
        for (int64_t i = 0, n = eval_elements(args); i < n; i++) out[i] = cs[i] ? as[i] : bs[i];   \
    }
SELECT_LOOP(select_1, uint8_t)
SELECT_LOOP(select_4, uint32_t)
SELECT_LOOP(select_8, uint64_t)

void eval_select(const EvalArgs *args) {
    static const Loops loops = {select_4, select_8, select_4, select_1};
    run_loop(&loops, args->node->dtype, args);
}

/* -- conversion: every dtype's values are doubles, so one step through double rounds no second time
 * -- */

static double load(const EvalArgs *args, int64_t i) {
    switch (args->operands[0]->dtype) {
    case DTYPE_F32:
        return args->precision == INTERP_F64 ? ((const double *)args->in[0])[i]
                                             : (double)((const float *)args->in[0])[i];
    case DTYPE_I32: return ((const int32_t *)args->in[0])[i];
    case DTYPE_I8: return ((const int8_t *)args->in[0])[i];
    default: return ((const uint8_t *)args->in[0])[i];
    }
}

/* Truncates. A value outside of the range becomes the nearest limit, NaN becomes 0. */
static int32_t saturate(double value, int32_t low, int32_t high) {
    if (isnan(value)) return 0;
    if (value <= low) return low;
    if (value >= high) return high;
    return (int32_t)value;
}

void eval_convert(const EvalArgs *args) {
    for (int64_t i = 0, n = eval_elements(args); i < n; i++) {
        double value = load(args, i);
        switch (args->node->dtype) {
        case DTYPE_F32:
            if (args->precision == INTERP_F64)
                ((double *)args->out)[i] = value;
            else
                ((float *)args->out)[i] = (float)value;
            break;
        case DTYPE_I32: ((int32_t *)args->out)[i] = saturate(value, INT32_MIN, INT32_MAX); break;
        case DTYPE_U8: ((uint8_t *)args->out)[i] = (uint8_t)saturate(value, 0, UINT8_MAX); break;
        case DTYPE_I8:
            ((int8_t *)args->out)[i] = (int8_t)saturate(value, INT8_MIN, INT8_MAX);
            break;
        default: ((uint8_t *)args->out)[i] = value != 0; break;
        }
    }
}

/* In f64, the bits are those of the value rounded to f32. */
static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

UNARY_LOOP(bits_of_f64, double, uint32_t, bits_of_float((float)a))
UNARY_LOOP(f64_of_bits, uint32_t, double, float_of_bits(a))

void eval_bitcast(const EvalArgs *args) {
    bool from_real = args->operands[0]->dtype == DTYPE_F32,
         to_real = args->node->dtype == DTYPE_F32;
    if (args->precision == INTERP_F32 || from_real == to_real)
        memcpy(args->out, args->in[0],
               (size_t)eval_elements(args) *
                   eval_element_bytes(args->precision, args->node->dtype));
    else if (from_real)
        bits_of_f64(args);
    else
        f64_of_bits(args);
}
