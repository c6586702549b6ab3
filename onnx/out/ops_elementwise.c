/* Operations on elements. Their operands may have been written smaller than they are; so is the
 * result then. */
#include "onnx/out/out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- results -- */

static const char *name_of(const Out *out, const Form *form, uint32_t i) {
    return value_of(out, form->operands[i])->name;
}

/* The larger of two sizes that broadcasting gives one size. */
static Size larger(Size a, Size b) { return size_is_one(a) ? b : a; }

/* The value that the operands give together: sizes are aligned at the last axis. */
static Value spread(const Out *out, const Form *form) {
    Value all = {0};
    for (uint32_t i = 0; i < form->count; i++)
        if (value_of(out, form->operands[i])->rank > all.rank)
            all.rank = value_of(out, form->operands[i])->rank;
    for (int axis = 0; axis < all.rank; axis++) all.sizes.size[axis].size = 1;
    for (uint32_t i = 0; i < form->count; i++) {
        const Value *value = value_of(out, form->operands[i]);
        int shift = all.rank - value->rank;
        for (int axis = 0; axis < value->rank; axis++)
            all.sizes.size[axis + shift] =
                larger(value->sizes.size[axis], all.sizes.size[axis + shift]);
    }
    return all;
}

/* Only a value of the node's full size has the name of an output. */
static const char *result_name(Out *out, NodeId id, const Value *value, const char *op) {
    bool full = value->rank == graph_node(out->graph, id)->shape.rank;
    for (int axis = 0; full && axis < value->rank; axis++)
        full = size_equal(value->sizes.size[axis], out->sizes[id].size[axis]);
    return full ? value_name(out, id, op) : NULL;
}

/* The operation that gives the result of the node. */
static bool result(Out *out, NodeId id, const Form *form, const char *op, const char *a,
                   const char *b) {
    Value value = spread(out, form);
    value.name = put_call(out, result_name(out, id, &value, op), op, b ? 2 : 1, a, b);
    out->values[id] = value;
    return true;
}

/* An operation before it. */
static const char *inner(Out *out, const char *op, const char *a, const char *b) {
    return put_call(out, NULL, op, b ? 2 : 1, a, b);
}

static bool result_where(Out *out, NodeId id, const Form *form, const char *condition,
                         const char *a, const char *b) {
    Value value = spread(out, form);
    value.name = put_call(out, result_name(out, id, &value, "Where"), "Where", 3, condition, a, b);
    out->values[id] = value;
    return true;
}

static const char *cast(Out *out, const char *name, int64_t type) {
    OutNode node = put_begin(out, "Cast");
    put_input(&node, name);
    put_int(&node, "to", type);
    return put_end(&node, NULL);
}

static bool result_cast(Out *out, NodeId id, const Form *form, const char *name, int64_t type) {
    Value value = spread(out, form);
    const char *wanted = result_name(out, id, &value, "Cast");
    OutNode node = put_begin(out, "Cast");
    put_input(&node, name);
    put_int(&node, "to", type);
    value.name = put_end(&node, wanted);
    out->values[id] = value;
    return true;
}

/* -- one node -- */

bool write_elementwise(Out *out, NodeId id, const Form *form) {
    return result(out, id, form, form->op, name_of(out, form, 0),
                  form->count > 1 ? name_of(out, form, 1) : NULL);
}

/* The operand is the result: no gradient is taken here. */
bool write_same(Out *out, NodeId id, const Form *form) {
    out->values[id] = *value_of(out, form->operands[0]);
    return true;
}

bool write_fma(Out *out, NodeId id, const Form *form) {
    const char *product = inner(out, "Mul", name_of(out, form, 0), name_of(out, form, 1));
    return result(out, id, form, "Add", product, name_of(out, form, 2));
}

/* Runtimes compare f32 and i32; smaller types become i32. */
static const char *comparable(Out *out, const Form *form, uint32_t i) {
    DType dtype = graph_node(out->graph, form->operands[i])->dtype;
    const char *name = name_of(out, form, i);
    return dtype == DTYPE_F32 || dtype == DTYPE_I32 ? name : cast(out, name, ONNX_INT32);
}

bool write_compare(Out *out, NodeId id, const Form *form) {
    const char *a = comparable(out, form, 0), *b = comparable(out, form, 1);
    return result(out, id, form, form->op, a, b);
}

bool write_not_equal(Out *out, NodeId id, const Form *form) {
    const char *a = comparable(out, form, 0), *b = comparable(out, form, 1);
    return result(out, id, form, "Not", inner(out, form->op, a, b), NULL);
}

/* Truth values, or all bits of i32. */
bool write_bits(Out *out, NodeId id, const Form *form) {
    bool truth = graph_node(out->graph, id)->dtype == DTYPE_BOOL;
    const char *op = truth ? form->op : arena_format(out->arena, "Bitwise%s", form->op);
    return result(out, id, form, op, name_of(out, form, 0),
                  form->count > 1 ? name_of(out, form, 1) : NULL);
}

/* BitShift takes unsigned numbers, and shifts by less than 32. */
bool write_shift(Out *out, NodeId id, const Form *form) {
    uint32_t width = 32;
    const char *bits = cast(out, name_of(out, form, 0), ONNX_UINT32);
    const char *places = inner(out, "Mod", name_of(out, form, 1), constant_i32(out, (int)width));
    places = cast(out, places, ONNX_UINT32);
    OutNode node = put_begin(out, "BitShift");
    put_input(&node, bits);
    put_input(&node, places);
    put_text(&node, "direction", form->op);
    return result_cast(out, id, form, put_end(&node, NULL), ONNX_INT32);
}

/* The upper half of a product of unsigned numbers. u64 from i32 would extend the sign. */
bool write_mul_high(Out *out, NodeId id, const Form *form) {
    const char *factors[2];
    for (uint32_t i = 0; i < 2; i++)
        factors[i] = cast(out, cast(out, name_of(out, form, i), ONNX_UINT32), ONNX_UINT64);
    const char *product = inner(out, "Mul", factors[0], factors[1]);
    const char *places = cast(out, constant_i32(out, 32), ONNX_UINT64);
    OutNode node = put_begin(out, "BitShift");
    put_input(&node, product);
    put_input(&node, places);
    put_text(&node, "direction", "RIGHT");
    const char *high = cast(out, put_end(&node, NULL), ONNX_UINT32);
    return result_cast(out, id, form, high, ONNX_INT32);
}

/* Runtimes choose between numbers, not between truth values: (c and a) or (not c and b). */
bool write_select(Out *out, NodeId id, const Form *form) {
    const char *condition = name_of(out, form, 0), *a = name_of(out, form, 1),
               *b = name_of(out, form, 2);
    if (graph_node(out->graph, id)->dtype != DTYPE_BOOL)
        return result_where(out, id, form, condition, a, b);
    const char *first = inner(out, "And", condition, a),
               *second = inner(out, "And", inner(out, "Not", condition, NULL), b);
    return result(out, id, form, "Or", first, second);
}

/* A function with one number, alpha. */
bool write_alpha(Out *out, NodeId id, const Form *form) {
    Value value = spread(out, form);
    const char *name = result_name(out, id, &value, form->op);
    OutNode node = put_begin(out, form->op);
    put_input(&node, name_of(out, form, 0));
    put_float(&node, "alpha", form->number);
    value.name = put_end(&node, name);
    out->values[id] = value;
    return true;
}

/* -- conversion -- */

/* The nearest number of a smaller range. NaN becomes 0. */
static const char *limited(Out *out, const char *name, DType from, const char *low,
                           const char *high) {
    if (from == DTYPE_F32)
        name = put_call(out, NULL, "Where", 3, inner(out, "Equal", name, name), name,
                        constant_f32(out, 0));
    return put_call(out, NULL, "Clip", 3, name, low, high);
}

/* The largest f32 below 2^31 is not the largest i32. */
static bool convert_real(Out *out, NodeId id, const Form *form) {
    const char *x = name_of(out, form, 0), *most = constant_f32(out, 0x1.fffffep30f);
    const char *near = limited(out, x, DTYPE_F32, constant_f32(out, -0x1p31f), most);
    return result_where(out, id, form, inner(out, "Less", most, x), constant_i32(out, INT32_MAX),
                        cast(out, near, ONNX_INT32));
}

/* Cast leaves open what becomes of numbers that the type does not hold. */
bool write_convert(Out *out, NodeId id, const Form *form) {
    DType from = graph_node(out->graph, form->operands[0])->dtype,
          to = graph_node(out->graph, id)->dtype;
    const char *name = name_of(out, form, 0);
    if (from == DTYPE_F32 && to == DTYPE_I32) return convert_real(out, id, form);
    if (from == DTYPE_F32 && to == DTYPE_U8)
        name = limited(out, name, from, constant_f32(out, 0), constant_f32(out, 255));
    if (from == DTYPE_I32 && to == DTYPE_U8)
        name = limited(out, name, from, constant_i32(out, 0), constant_i32(out, 255));
    return result_cast(out, id, form, name, onnx_type(to));
}

/* -- functions that ONNX lacks -- */

/* e^x - 1 = tanh(x / 2) (e^x + 1), which loses no digits near 0. */
bool write_expm1(Out *out, NodeId id, const Form *form) {
    const char *x = name_of(out, form, 0);
    const char *half = inner(out, "Tanh", inner(out, "Mul", x, constant_f32(out, 0.5f)), NULL);
    const char *sum = inner(out, "Add", inner(out, "Exp", x, NULL), constant_f32(out, 1));
    return result(out, id, form, "Mul", half, sum);
}

/* With u = 1 + x rounded: log(u) x / (u - 1), where the error of u cancels; x if u is 1. */
bool write_log1p(Out *out, NodeId id, const Form *form) {
    const char *x = name_of(out, form, 0), *one = constant_f32(out, 1);
    const char *u = inner(out, "Add", x, one), *distance = inner(out, "Sub", u, one);
    const char *ratio = put_call(out, NULL, "Where", 3, inner(out, "Equal", distance, x), one,
                                 inner(out, "Div", x, distance));
    const char *y = inner(out, "Mul", inner(out, "Log", u, NULL), ratio);
    return result_where(out, id, form, inner(out, "Equal", u, one), x, y);
}

/* The derivatives of sigmoid and of tanh, by the text of the row: c e / (1 + e)^2 with
 * e = exp(-sqrt(c) |x|). Runtimes' own sigmoid is not exact where it is small. */
bool write_slope(Out *out, NodeId id, const Form *form) {
    float scale = strtof(form->op, NULL);
    const char *size = inner(out, "Abs", name_of(out, form, 0), NULL);
    const char *exponent = inner(out, "Mul", size, constant_f32(out, -sqrtf(scale)));
    const char *e = inner(out, "Exp", exponent, NULL);
    const char *sum = inner(out, "Add", e, constant_f32(out, 1));
    const char *scaled = inner(out, "Mul", e, constant_f32(out, scale));
    return result(out, id, form, "Div", scaled, inner(out, "Mul", sum, sum));
}

/* (1 + erf(x / sqrt(2))) / 2 */
bool write_normal_cdf(Out *out, NodeId id, const Form *form) {
    const char *root = constant_f32(out, (float)sqrt(2));
    const char *inside = inner(out, "Div", name_of(out, form, 0), root);
    const char *sum = inner(out, "Add", inner(out, "Erf", inside, NULL), constant_f32(out, 1));
    return result(out, id, form, "Mul", sum, constant_f32(out, 0.5f));
}

/* Mod of whole numbers has the sign of b, as ours; modulo 0 is 0. */
static bool write_whole_remainder(Out *out, NodeId id, const Form *form) {
    const char *a = name_of(out, form, 0), *b = name_of(out, form, 1), *zero = constant_i32(out, 0);
    const char *none = inner(out, "Equal", b, zero);
    const char *divisor = put_call(out, NULL, "Where", 3, none, constant_i32(out, 1), b);
    return result(out, id, form, form->op, a, divisor);
}

/* fmod has the sign of a: b is added where the signs of the remainder and of b differ. */
bool write_remainder(Out *out, NodeId id, const Form *form) {
    if (graph_node(out->graph, id)->dtype == DTYPE_I32) return write_whole_remainder(out, id, form);
    const char *b = name_of(out, form, 1), *zero = constant_f32(out, 0);
    OutNode node = put_begin(out, form->op);
    put_input(&node, name_of(out, form, 0));
    put_input(&node, b);
    put_int(&node, "fmod", 1);
    const char *rest = put_end(&node, NULL);
    const char *differ =
        inner(out, "Less", inner(out, "Mul", inner(out, "Sign", rest, NULL), b), zero);
    return result_where(out, id, form, differ, inner(out, "Add", rest, b), rest);
}
