/* Places: indices as arithmetic, and the place of a view's operand. */
#include "codegen/emit/arithmetic.h"

#include <assert.h>

/* -- coordinates -- */

Coordinate coordinate_uniform(LLVMValueRef index) { return (Coordinate){.base = index}; }

static Coordinate irregular(LLVMValueRef vector) {
    return (Coordinate){.base = vector, .irregular = true};
}

static LLVMValueRef splat_i64(Emitter *e, LLVMValueRef scalar) {
    return value_splat(e, (LaneValue){scalar, true});
}
static LLVMValueRef all_i64(const Emitter *e, int64_t value) {
    LLVMValueRef lanes[LANES];
    for (int i = 0; i < LANES; i++) lanes[i] = const_i64(e, value);
    return LLVMConstVector(lanes, LANES);
}

LLVMValueRef coordinate_vector(Emitter *e, Coordinate c) {
    if (c.irregular) return c.base;
    LLVMValueRef base = splat_i64(e, c.base);
    if (c.step == 0) return base;
    return add(e, base, mul(e, lane_numbers(e), all_i64(e, c.step)));
}

Coordinate coordinate_scale(Emitter *e, Coordinate c, int64_t factor) {
    if (factor == 1) return c;
    LLVMValueRef by = c.irregular ? all_i64(e, factor) : const_i64(e, factor);
    c.base = mul(e, c.base, by);
    c.step *= factor;
    return c;
}

Coordinate coordinate_add(Emitter *e, Coordinate a, Coordinate b) {
    if (!a.irregular && !b.irregular)
        return (Coordinate){.base = add(e, a.base, b.base),
                            .step = a.step + b.step,
                            .aligned = a.aligned && b.aligned};
    return irregular(add(e, coordinate_vector(e, a), coordinate_vector(e, b)));
}

static Coordinate coordinate_divide(Emitter *e, Coordinate c, int64_t by, bool remainder) {
    LLVMValueRef x = c.irregular || c.step ? coordinate_vector(e, c) : c.base;
    LLVMValueRef divisor = c.irregular || c.step ? all_i64(e, by) : const_i64(e, by);
    LLVMValueRef result = remainder ? urem(e, x, divisor) : udiv(e, x, divisor);
    return c.irregular || c.step ? irregular(result) : coordinate_uniform(result);
}

/* -- places -- */

Place *place_new(Emitter *e, Shape shape, LLVMValueRef mask) {
    Place *place = ARENA_NEW(e->arena, Place);
    place->shape = shape;
    place->mask = mask;
    for (int i = 0; i < SHAPE_MAX_RANK; i++) place->axis[i] = coordinate_uniform(const_i64(e, 0));
    return place;
}

bool place_uniform(const Place *place) {
    for (int i = 0; i < place->shape.rank; i++)
        if (place->axis[i].irregular || place->axis[i].step) return false;
    return true;
}

Coordinate place_linear(Emitter *e, const Place *place) {
    Coordinate sum = coordinate_uniform(const_i64(e, 0));
    sum.aligned = true;
    int64_t stride = 1;
    for (int i = place->shape.rank - 1; i >= 0; i--) {
        Coordinate term = coordinate_scale(e, place->axis[i], stride);
        bool moves = place->shape.dim[i] != 1 || term.step ||
                     term.irregular; /* lanes may run along an axis of size 1, masked */
        if (moves) sum = coordinate_add(e, sum, term);
        stride *= place->shape.dim[i];
    }
    sum.aligned = false;
    return sum;
}

bool place_contiguous(const Place *place) {
    int last = place->shape.rank - 1;
    while (last > 0 && place->shape.dim[last] == 1) last--;
    for (int i = 0; i < last; i++)
        if (place->axis[i].irregular || place->axis[i].step) return false;
    bool whole = last == 0 || (last > 0 && place->shape.dim[last] % LANES == 0);
    return whole && !place->mask && !place->axis[last].irregular && place->axis[last].step == 1 &&
           place->axis[last].aligned;
}

/* Axes [first, last] of a place. */
typedef struct {
    int first, last;
} AxisRange;

/* The row-major position of a place within the axes of the range. It is aligned if lane 0 is at a
 * multiple of LANES. */
static Coordinate range_linear(Emitter *e, const Place *place, AxisRange range) {
    Place *part = place_new(e, (Shape){.rank = range.last - range.first + 1}, NULL);
    for (int i = range.first; i <= range.last; i++) {
        part->shape.dim[i - range.first] = place->shape.dim[i];
        part->axis[i - range.first] = place->axis[i];
    }
    Coordinate linear = place_linear(e, part);
    bool whole =
        range.first == range.last || (range.last >= 0 && place->shape.dim[range.last] % LANES == 0);
    linear.aligned = range.first <= range.last && whole && place->axis[range.last].aligned;
    return linear;
}

/* The inverse of range_linear: sets the coordinates along the axes of the range. */
static void spread_linear(Emitter *e, Coordinate rest, Place *result, AxisRange range) {
    for (int i = range.last; i > range.first; i--) {
        int64_t n = result->shape.dim[i];
        /* Consecutive lanes that begin at a multiple of LANES do not cross rows if a row is whole
         * vectors. */
        if (rest.step == 1 && rest.aligned && n % LANES == 0) {
            Coordinate start = coordinate_uniform(rest.base);
            result->axis[i] = coordinate_divide(e, start, n, true);
            result->axis[i].step = 1;
            result->axis[i].aligned = true;
            rest = coordinate_divide(e, start, n, false);
        } else if (n > 1) {
            result->axis[i] = coordinate_divide(e, rest, n, true);
            rest = coordinate_divide(e, rest, n, false);
        }
    }
    if (range.first <= range.last) result->axis[range.first] = rest;
}

/* Moves both ranges to the groups of axes before them: the shortest ones with equally many
 * elements. For example, from the back, [4, 6] and [2, 2, 6] have the groups 6 | 6 and 4 | 2 x
 * 2. */
static void next_ranges(Shape from, Shape to, AxisRange *a, AxisRange *b) {
    int64_t count_a = 1, count_b = 1;
    *a = (AxisRange){a->first, a->first - 1};
    *b = (AxisRange){b->first, b->first - 1};
    if (a->first > 0) count_a *= from.dim[--a->first];
    if (b->first > 0) count_b *= to.dim[--b->first];
    while (count_a != count_b)
        if (count_a < count_b)
            count_a *= from.dim[--a->first];
        else
            count_b *= to.dim[--b->first];
}

/* Axes that are the same in both shapes keep their coordinates; groups of axes that differ are
 * merged and divided anew. */
const Place *place_in_shape(Emitter *e, const Place *place, Shape shape) {
    if (shape_equal(place->shape, shape)) return place;
    Place *result = place_new(e, shape, place->mask);
    AxisRange from = {.first = place->shape.rank}, to = {.first = shape.rank};
    while (from.first > 0 || to.first > 0) {
        next_ranges(place->shape, shape, &from, &to);
        if (from.first == from.last && to.first == to.last)
            result->axis[to.first] = place->axis[from.first];
        else
            spread_linear(e, range_linear(e, place, from), result, to);
    }
    return result;
}

LLVMValueRef lanes_below(Emitter *e, LLVMValueRef base, int64_t n) {
    if (n % LANES == 0) return NULL;
    LLVMValueRef left = sub(e, const_i64(e, n), base);
    return lt(e, lane_numbers(e), splat_i64(e, left));
}

void place_set_lanes(Emitter *e, Place *place, int axis, LLVMValueRef base, int64_t size) {
    if (!e->threads) {
        place->axis[axis] = (Coordinate){.base = base, .step = 1, .aligned = true};
        place->mask = lanes_below(e, base, size);
        return;
    }
    LLVMValueRef index = add(e, base, e->lane), last = const_i64(e, size - 1);
    place->mask = size % LANES == 0 ? NULL : le(e, index, last);
    if (place->mask) index = choose(e, place->mask, index, last);
    place->axis[axis] = coordinate_uniform(index);
}

/* -- views: index_<name> of ops.def gives the operand's place -- */

typedef const Place *IndexFunction(Emitter *e, const Node *node, const Place *place);

static Shape operand_shape(const Emitter *e, const Node *node) {
    return graph_operand(e->graph, node, 0)->shape;
}

static const Place *index_reshape(Emitter *e, const Node *node, const Place *place) {
    /* The row-major index does not change. place_in_shape converts the place where the shape
     * matters. */
    (void)e, (void)node;
    return place;
}

/* Axes are aligned at the last one; an axis of size 1 has index 0. */
static const Place *index_broadcast(Emitter *e, const Node *node, const Place *place) {
    place = place_in_shape(e, place, node->shape);
    Shape shape = operand_shape(e, node);
    Place *result = place_new(e, shape, place->mask);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] != 1) result->axis[i] = place->axis[i + node->shape.rank - shape.rank];
    return result;
}

static const Place *index_transpose(Emitter *e, const Node *node, const Place *place) {
    place = place_in_shape(e, place, node->shape);
    Place *result = place_new(e, operand_shape(e, node), place->mask);
    for (int i = 0; i < node->shape.rank; i++) result->axis[node->attrs.perm[i]] = place->axis[i];
    return result;
}

/* index in the operand = start + step * index */
static const Place *index_slice(Emitter *e, const Node *node, const Place *place) {
    place = place_in_shape(e, place, node->shape);
    Place *result = place_new(e, operand_shape(e, node), place->mask);
    for (int i = 0; i < node->shape.rank; i++) {
        Coordinate start = coordinate_uniform(const_i64(e, node->attrs.range.start[i]));
        start.aligned = node->attrs.range.start[i] % LANES == 0;
        result->axis[i] = coordinate_add(
            e, coordinate_scale(e, place->axis[i], node->attrs.range.step[i]), start);
    }
    return result;
}

/* index in the operand = size - 1 - index, along the axis */
static const Place *index_reverse(Emitter *e, const Node *node, const Place *place) {
    int axis = node->attrs.axis;
    place = place_in_shape(e, place, node->shape);
    Place *result = place_new(e, node->shape, place->mask);
    for (int i = 0; i < node->shape.rank; i++) result->axis[i] = place->axis[i];
    Coordinate last = coordinate_uniform(const_i64(e, node->shape.dim[axis] - 1));
    result->axis[axis] = coordinate_add(e, last, coordinate_scale(e, place->axis[axis], -1));
    return result;
}

/* The node's axes are image, row and column of the window, row and column inside it, channel. Those
 * of the operand are image, row, column, channel:
 *     row = window row * stride + row inside * dilation
 * and the same for columns. */
static const Place *index_windows(Emitter *e, const Node *node, const Place *place) {
    place = place_in_shape(e, place, node->shape);
    Place *result = place_new(e, operand_shape(e, node), place->mask);
    result->axis[0] = place->axis[0];
    for (int i = 0; i < 2; i++)
        result->axis[1 + i] =
            coordinate_add(e, coordinate_scale(e, place->axis[1 + i], node->attrs.window.stride[i]),
                           coordinate_scale(e, place->axis[3 + i], node->attrs.window.dilation[i]));
    result->axis[3] = place->axis[5];
    return result;
}

/* views.c handles these: lanes may read from different operands, or from none. */
#define index_pad NULL
#define index_concat NULL
#define index_gather NULL /* views.c: the place depends on a value */

static IndexFunction *const index_functions[OP_COUNT] = {
#define OP_VIEW(name, arity, attrs, rule, gradient, place, steps, zero, doc)                       \
    [OP_##name] = index_##name,
#include "ir/ops/ops.def"
};

const Place *place_through_view(Emitter *e, const Node *node, const Place *place) {
    return index_functions[node->op](e, node, place);
}
