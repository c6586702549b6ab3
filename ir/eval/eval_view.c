/* Views: each element of the result is an element of an operand, which strides find. */
#include "ir/eval/eval.h"

#include <string.h>

/* Copies a block of `shape` between two arrays; strides in elements. */
typedef struct {
    Shape shape;
    const char *from;
    char *to;
    int64_t from_stride[SHAPE_MAX_RANK], to_stride[SHAPE_MAX_RANK];
    size_t element;
} Copy;

static void copy_row(const Copy *copy, const char *from, char *to, int64_t n, int64_t from_stride,
                     int64_t to_stride) {
    if (from_stride == 1 && to_stride == 1) {
        memcpy(to, from, (size_t)n * copy->element);
        return;
    }
#define MOVE(Type)                                                                                 \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((Type *)to)[i * to_stride] = ((const Type *)from)[i * from_stride]
    if (copy->element == 1)
        MOVE(uint8_t);
    else if (copy->element == 4)
        MOVE(uint32_t);
    else
        MOVE(uint64_t);
#undef MOVE
}

static void copy_axis(const Copy *copy, int axis, const char *from, char *to) {
    int rank = copy->shape.rank;
    if (rank == 0) {
        memcpy(to, from, copy->element);
        return;
    }
    int64_t n = copy->shape.dim[axis], step_from = copy->from_stride[axis],
            step_to = copy->to_stride[axis];
    if (axis == rank - 1) {
        copy_row(copy, from, to, n, step_from, step_to);
        return;
    }
    int64_t bytes = (int64_t)copy->element;
    for (int64_t i = 0; i < n; i++)
        copy_axis(copy, axis + 1, from + i * step_from * bytes, to + i * step_to * bytes);
}

static void copy_run(const Copy *copy) { copy_axis(copy, 0, copy->from, copy->to); }

static void strides_of(Shape shape, int64_t *strides) {
    for (int i = 0; i < shape.rank; i++) strides[i] = shape_inner(shape, i);
}

/* A copy of the whole result from operand 0; the caller sets the operand's strides. */
static Copy copy_to_result(const EvalArgs *args) {
    Copy copy = {.shape = args->node->shape, .from = args->in[0], .to = args->out};
    copy.element = eval_element_bytes(args->precision, args->node->dtype);
    strides_of(copy.shape, copy.to_stride);
    return copy;
}

void eval_reshape(const EvalArgs *args) {
    memcpy(args->out, args->in[0],
           (size_t)eval_elements(args) * eval_element_bytes(args->precision, args->node->dtype));
}

void eval_broadcast(const EvalArgs *args) {
    Copy copy = copy_to_result(args);
    Shape from = args->operands[0]->shape;
    int missing = copy.shape.rank - from.rank;
    for (int i = 0; i < from.rank; i++)
        copy.from_stride[i + missing] = from.dim[i] == 1 ? 0 : shape_inner(from, i);
    copy_run(&copy);
}

void eval_transpose(const EvalArgs *args) {
    Copy copy = copy_to_result(args);
    for (int i = 0; i < copy.shape.rank; i++)
        copy.from_stride[i] = shape_inner(args->operands[0]->shape, (int)args->node->attrs.perm[i]);
    copy_run(&copy);
}

void eval_slice(const EvalArgs *args) {
    Copy copy = copy_to_result(args);
    const Attrs *attrs = &args->node->attrs;
    for (int i = 0; i < copy.shape.rank; i++) {
        int64_t stride = shape_inner(args->operands[0]->shape, i);
        copy.from += attrs->range.start[i] * stride * (int64_t)copy.element;
        copy.from_stride[i] = attrs->range.step[i] * stride;
    }
    copy_run(&copy);
}

/* Copies operand i into the result; its first element goes to index `at`. */
static void place(const EvalArgs *args, uint32_t i, const int64_t *at) {
    Copy copy = copy_to_result(args);
    copy.shape = args->operands[i]->shape;
    copy.from = args->in[i];
    strides_of(copy.shape, copy.from_stride);
    for (int axis = 0; axis < copy.shape.rank; axis++)
        copy.to += at[axis] * copy.to_stride[axis] * (int64_t)copy.element;
    copy_run(&copy);
}

void eval_pad(const EvalArgs *args) {
    memset(args->out, 0,
           (size_t)eval_elements(args) * eval_element_bytes(args->precision, args->node->dtype));
    place(args, 0, args->node->attrs.pad.before);
}

void eval_reverse(const EvalArgs *args) {
    Copy copy = copy_to_result(args);
    int axis = args->node->attrs.axis;
    strides_of(copy.shape, copy.from_stride);
    copy.from += (copy.shape.dim[axis] - 1) * copy.from_stride[axis] * (int64_t)copy.element;
    copy.from_stride[axis] = -copy.from_stride[axis];
    copy_run(&copy);
}

/* [N,H,W,C] to [N,OH,OW,KH,KW,C]: places and steps inside the window move along the same axes. */
void eval_windows(const EvalArgs *args) {
    Copy copy = copy_to_result(args);
    Shape from = args->operands[0]->shape;
    const Attrs *attrs = &args->node->attrs;
    copy.from_stride[0] = shape_inner(from, 0);
    for (int i = 0; i < 2; i++) {
        copy.from_stride[1 + i] = attrs->window.stride[i] * shape_inner(from, 1 + i);
        copy.from_stride[3 + i] = attrs->window.dilation[i] * shape_inner(from, 1 + i);
    }
    copy.from_stride[5] = 1;
    copy_run(&copy);
}

void eval_gather(const EvalArgs *args) {
    Shape from = args->operands[0]->shape, to = args->node->shape;
    int axis = args->node->attrs.axis;
    int64_t size = from.dim[axis], row = to.dim[axis], inner = shape_inner(to, axis);
    size_t element = eval_element_bytes(args->precision, args->node->dtype);
    const int32_t *index = args->in[1];
    for (int64_t i = 0, n = eval_elements(args); i < n; i++) {
        int64_t clamped = index[i] < 0 ? 0 : index[i] >= size ? size - 1 : index[i];
        int64_t at = (i / (row * inner) * size + clamped) * inner + i % inner;
        memcpy((char *)args->out + (size_t)i * element,
               (const char *)args->in[0] + (size_t)at * element, element);
    }
}

void eval_concat(const EvalArgs *args) {
    int axis = args->node->attrs.axis;
    int64_t at[SHAPE_MAX_RANK] = {0};
    for (uint32_t i = 0; i < args->node->operand_count;
         at[axis] += args->operands[i]->shape.dim[axis], i++)
        place(args, i, at);
}
