/* Operations on bits. */
#include "onnx/out/elements.h"

#include <math.h>

/* Operations on truth values, or on all bits of i32. */
bool write_bits(Out *out, NodeId id, const Form *form) {
    bool truth = graph_node(out->graph, id)->dtype == DTYPE_BOOL;
    const char *op = truth ? form->op : arena_format(out->arena, "Bitwise%s", form->op);
    return element_result(out, id, form, op, element_operand(out, form, 0),
                          form->count > 1 ? element_operand(out, form, 1) : NULL);
}

/* BitShift takes unsigned numbers, and shifts by less than 32. */
bool write_shift(Out *out, NodeId id, const Form *form) {
    uint32_t width = 32;
    const char *bits = put_cast(out, NULL, element_operand(out, form, 0), ONNX_UINT32);
    const char *places =
        put_step(out, "Mod", element_operand(out, form, 1), constant_i32(out, (int)width));
    places = put_cast(out, NULL, places, ONNX_UINT32);
    OutNode node = put_begin(out, "BitShift");
    put_input(&node, bits);
    put_input(&node, places);
    put_text(&node, "direction", form->op);
    return element_cast(out, id, form, put_end(&node, NULL), ONNX_INT32);
}

/* The upper half of a product of unsigned numbers. A cast from i32 to u64 would extend the sign. */
bool write_mul_high(Out *out, NodeId id, const Form *form) {
    const char *factors[2];
    for (uint32_t i = 0; i < 2; i++)
        factors[i] =
            put_cast(out, NULL, put_cast(out, NULL, element_operand(out, form, i), ONNX_UINT32),
                     ONNX_UINT64);
    const char *product = put_step(out, "Mul", factors[0], factors[1]);
    const char *places = put_cast(out, NULL, constant_i32(out, 32), ONNX_UINT64);
    OutNode node = put_begin(out, "BitShift");
    put_input(&node, product);
    put_input(&node, places);
    put_text(&node, "direction", "RIGHT");
    const char *high = put_cast(out, NULL, put_end(&node, NULL), ONNX_UINT32);
    return element_cast(out, id, form, high, ONNX_INT32);
}

/* -- bits of f32 as i32, and back, by arithmetic in f64, which is exact -- */

static const char *where(Out *out, const char *condition, const char *a, const char *b) {
    return put_call(out, NULL, "Where", 3, condition, a, b);
}

/* 2 to the power of a whole number */
static const char *power(Out *out, const char *exponent) {
    return put_step(out, "Pow", constant_double(out, 2), exponent);
}

/* The exponent e of a >= 0 with 2^e <= a < 2^(e + 1), at least -126. The logarithm may be off by 1
 * either way, so it is corrected. */
static const char *exponent_of(Out *out, const char *a) {
    const char *positive = put_step(out, "Max", a, constant_double(out, 0x1p-149));
    const char *log = put_step(out, "Mul", put_step(out, "Log", positive, NULL),
                               constant_double(out, 1 / 0x1.62e42fefa39efp-1));
    const char *guess = put_step(out, "Floor", log, NULL), *at = power(out, guess);
    const char *high = put_cast(out, NULL, put_step(out, "Less", a, at), ONNX_DOUBLE);
    const char *twice = put_step(out, "Mul", at, constant_double(out, 2));
    const char *low = put_cast(out, NULL, put_step(out, "LessOrEqual", twice, a), ONNX_DOUBLE);
    const char *exponent = put_step(out, "Add", put_step(out, "Sub", guess, high), low);
    return put_step(out, "Max", exponent, constant_double(out, -126));
}

/* a / 2^(e - 23) + (e + 126) 2^23: the leading bit of a normal number adds 1 to e. */
static bool bits_of_real(Out *out, NodeId id, const Form *form) {
    const char *x = element_operand(out, form, 0), *zero = constant_f32(out, 0);
    const char *wide = put_cast(out, NULL, x, ONNX_DOUBLE), *a = put_step(out, "Abs", wide, NULL);
    const char *infinite = put_step(out, "Less", constant_double(out, 0x1.fffffep127), a);
    const char *finite = where(out, infinite, constant_double(out, 1), a),
               *e = exponent_of(out, finite);
    const char *unit = power(out, put_step(out, "Sub", e, constant_double(out, 23)));
    const char *step = put_step(out, "Mul", put_step(out, "Add", e, constant_double(out, 126)),
                                constant_double(out, 0x1p23));
    const char *bits = put_step(out, "Add", put_step(out, "Div", finite, unit), step);
    bits = where(out, infinite, constant_double(out, 0x7f800000), bits);
    const char *inverse =
        put_step(out, "Less", put_step(out, "Div", constant_f32(out, 1), x), zero);
    const char *negative = put_step(out, "Or", put_step(out, "Less", x, zero), inverse);
    bits = where(out, negative, put_step(out, "Sub", bits, constant_double(out, 0x1p31)), bits);
    bits = where(out, put_step(out, "Equal", x, x), bits, constant_double(out, 0x7fc00000));
    return element_cast(out, id, form, bits, ONNX_INT32);
}

static bool real_of_bits(Out *out, NodeId id, const Form *form) {
    const char *bits = put_cast(out, NULL, element_operand(out, form, 0), ONNX_DOUBLE),
               *zero = constant_double(out, 0), *step = constant_double(out, 0x1p23);
    const char *negative = put_step(out, "Less", bits, zero);
    bits = where(out, negative, put_step(out, "Add", bits, constant_double(out, 0x1p31)), bits);
    const char *e = put_step(out, "Floor", put_step(out, "Div", bits, step), NULL);
    const char *rest = put_step(out, "Sub", bits, put_step(out, "Mul", e, step));
    const char *small = put_step(out, "Mul", rest, constant_double(out, 0x1p-149));
    const char *unit = power(out, put_step(out, "Sub", e, constant_double(out, 150)));
    const char *normal = put_step(out, "Mul", put_step(out, "Add", rest, step), unit);
    const char *a = where(out, put_step(out, "Equal", e, zero), small, normal);
    const char *none =
        where(out, put_step(out, "Equal", rest, zero), constant_double(out, (double)INFINITY),
              constant_double(out, (double)NAN));
    a = where(out, put_step(out, "Equal", e, constant_double(out, 255)), none, a);
    return element_cast(out, id, form, where(out, negative, put_step(out, "Neg", a, NULL), a),
                        ONNX_FLOAT);
}

bool write_bitcast(Out *out, NodeId id, const Form *form) {
    DType from = graph_node(out->graph, form->operands[0])->dtype,
          to = graph_node(out->graph, id)->dtype;
    if (from == to) return write_same(out, id, form);
    return to == DTYPE_I32 ? bits_of_real(out, id, form) : real_of_bits(out, id, form);
}
