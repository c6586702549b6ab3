/* Operations on elements. Operands may have been written smaller than their nodes; then the result
 * is smaller too. */
#include "onnx/out/elements.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- one node -- */

bool write_elementwise(Out *out, NodeId id, const Form *form) {
    return element_result(out, id, form, form->op, element_operand(out, form, 0),
                          form->count > 1 ? element_operand(out, form, 1) : NULL);
}

/* The operand is the result, for instance of detach: no gradient is taken here. */
bool write_same(Out *out, NodeId id, const Form *form) {
    out->values[id] = *value_of(out, form->operands[0]);
    return true;
}

bool write_fma(Out *out, NodeId id, const Form *form) {
    const char *product =
        put_step(out, "Mul", element_operand(out, form, 0), element_operand(out, form, 1));
    return element_result(out, id, form, "Add", product, element_operand(out, form, 2));
}

/* Runtimes compare f32 and i32; smaller types become i32. */
static const char *comparable(Out *out, const Form *form, uint32_t i) {
    DType dtype = graph_node(out->graph, form->operands[i])->dtype;
    const char *name = element_operand(out, form, i);
    return dtype == DTYPE_F32 || dtype == DTYPE_I32 ? name : put_cast(out, NULL, name, ONNX_INT32);
}

bool write_compare(Out *out, NodeId id, const Form *form) {
    const char *a = comparable(out, form, 0), *b = comparable(out, form, 1);
    return element_result(out, id, form, form->op, a, b);
}

bool write_not_equal(Out *out, NodeId id, const Form *form) {
    const char *a = comparable(out, form, 0), *b = comparable(out, form, 1);
    return element_result(out, id, form, "Not", put_step(out, form->op, a, b), NULL);
}

/* Runtimes choose between numbers, not between truth values: (c and a) or (not c and b). */
bool write_select(Out *out, NodeId id, const Form *form) {
    const char *condition = element_operand(out, form, 0), *a = element_operand(out, form, 1),
               *b = element_operand(out, form, 2);
    if (graph_node(out->graph, id)->dtype != DTYPE_BOOL)
        return element_where(out, id, form, condition, a, b);
    const char *first = put_step(out, "And", condition, a),
               *second = put_step(out, "And", put_step(out, "Not", condition, NULL), b);
    return element_result(out, id, form, "Or", first, second);
}

/* A function with one parameter, alpha. */
bool write_alpha(Out *out, NodeId id, const Form *form) {
    OutValue value = element_spread(out, form);
    const char *name = element_name(out, id, &value, form->op);
    OutNode node = put_begin(out, form->op);
    put_input(&node, element_operand(out, form, 0));
    put_float(&node, "alpha", form->number);
    value.name = put_end(&node, name);
    out->values[id] = value;
    return true;
}

/* -- conversion -- */

/* The nearest number in a smaller range. NaN becomes 0. */
static const char *limited(Out *out, const char *name, DType from, const char *low,
                           const char *high) {
    if (from == DTYPE_F32)
        name = put_call(out, NULL, "Where", 3, put_step(out, "Equal", name, name), name,
                        constant_f32(out, 0));
    return put_call(out, NULL, "Clip", 3, name, low, high);
}

/* Limits numbers to the range of a byte. Bytes of the other sign become i32 first. */
static const char *limited_to_byte(Out *out, const char *name, DType from, DType to) {
    int32_t least = to == DTYPE_U8 ? 0 : INT8_MIN, most = to == DTYPE_U8 ? UINT8_MAX : INT8_MAX;
    if (from == DTYPE_BOOL || from == to) return name;
    if (from == DTYPE_F32)
        return limited(out, name, from, constant_f32(out, (float)least),
                       constant_f32(out, (float)most));
    if (from != DTYPE_I32) name = put_cast(out, NULL, name, ONNX_INT32);
    return limited(out, name, DTYPE_I32, constant_i32(out, least), constant_i32(out, most));
}

/* ONNX does not define the Cast of a number that the type cannot hold, so numbers are limited
 * first. */
bool write_convert(Out *out, NodeId id, const Form *form) {
    DType from = graph_node(out->graph, form->operands[0])->dtype,
          to = graph_node(out->graph, id)->dtype;
    const char *x = element_operand(out, form, 0);
    if (from == DTYPE_F32 && to == DTYPE_I32) {
        /* the largest f32 below 2^31 is not the largest i32 */
        const char *most = constant_f32(out, 0x1.fffffep30f);
        const char *near = limited(out, x, DTYPE_F32, constant_f32(out, -0x1p31f), most);
        return element_where(out, id, form, put_step(out, "Less", most, x),
                             constant_i32(out, INT32_MAX), put_cast(out, NULL, near, ONNX_INT32));
    }
    if (to == DTYPE_U8 || to == DTYPE_I8) x = limited_to_byte(out, x, from, to);
    return element_cast(out, id, form, x, onnx_type(to));
}

/* -- functions that ONNX lacks -- */

/* e^x - 1 = tanh(x / 2) (e^x + 1), which loses no digits near 0. */
bool write_expm1(Out *out, NodeId id, const Form *form) {
    const char *x = element_operand(out, form, 0);
    const char *half =
        put_step(out, "Tanh", put_step(out, "Mul", x, constant_f32(out, 0.5f)), NULL);
    const char *sum = put_step(out, "Add", put_step(out, "Exp", x, NULL), constant_f32(out, 1));
    return element_result(out, id, form, "Mul", half, sum);
}

/* log1p(x) = log(u) x / (u - 1) with u = 1 + x rounded, so that the error of u cancels; x if u is
 * 1. */
bool write_log1p(Out *out, NodeId id, const Form *form) {
    const char *x = element_operand(out, form, 0), *one = constant_f32(out, 1);
    const char *u = put_step(out, "Add", x, one), *distance = put_step(out, "Sub", u, one);
    const char *ratio = put_call(out, NULL, "Where", 3, put_step(out, "Equal", distance, x), one,
                                 put_step(out, "Div", x, distance));
    const char *y = put_step(out, "Mul", put_step(out, "Log", u, NULL), ratio);
    return element_where(out, id, form, put_step(out, "Equal", u, one), x, y);
}

/* The derivatives of sigmoid and tanh: c e / (1 + e)^2 with e = exp(-sqrt(c) |x|), where the text
 * of the row gives c. The Sigmoid of runtimes is inexact for small values. */
bool write_slope(Out *out, NodeId id, const Form *form) {
    float scale = strtof(form->op, NULL);
    const char *size = put_step(out, "Abs", element_operand(out, form, 0), NULL);
    const char *exponent = put_step(out, "Mul", size, constant_f32(out, -sqrtf(scale)));
    const char *e = put_step(out, "Exp", exponent, NULL);
    const char *sum = put_step(out, "Add", e, constant_f32(out, 1));
    const char *scaled = put_step(out, "Mul", e, constant_f32(out, scale));
    return element_result(out, id, form, "Div", scaled, put_step(out, "Mul", sum, sum));
}

/* (1 + erf(x / sqrt(2))) / 2 */
bool write_normal_cdf(Out *out, NodeId id, const Form *form) {
    const char *root = constant_f32(out, (float)sqrt(2));
    const char *inside = put_step(out, "Div", element_operand(out, form, 0), root);
    const char *sum =
        put_step(out, "Add", put_step(out, "Erf", inside, NULL), constant_f32(out, 1));
    return element_result(out, id, form, "Mul", sum, constant_f32(out, 0.5f));
}

/* ONNX's Mod of whole numbers has the sign of b, as mlc's; modulo 0 is 0. */
static bool write_whole_remainder(Out *out, NodeId id, const Form *form) {
    const char *a = element_operand(out, form, 0), *b = element_operand(out, form, 1),
               *zero = constant_i32(out, 0);
    const char *none = put_step(out, "Equal", b, zero);
    const char *divisor = put_call(out, NULL, "Where", 3, none, constant_i32(out, 1), b);
    return element_result(out, id, form, form->op, a, divisor);
}

/* fmod has the sign of a: b is added where the signs of the remainder and of b differ. */
bool write_remainder(Out *out, NodeId id, const Form *form) {
    if (graph_node(out->graph, id)->dtype == DTYPE_I32) return write_whole_remainder(out, id, form);
    const char *b = element_operand(out, form, 1), *zero = constant_f32(out, 0);
    OutNode node = put_begin(out, form->op);
    put_input(&node, element_operand(out, form, 0));
    put_input(&node, b);
    put_int(&node, "fmod", 1);
    const char *rest = put_end(&node, NULL);
    const char *differ =
        put_step(out, "Less", put_step(out, "Mul", put_step(out, "Sign", rest, NULL), b), zero);
    return element_where(out, id, form, differ, put_step(out, "Add", rest, b), rest);
}
