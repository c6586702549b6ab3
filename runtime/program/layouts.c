/* Copies a tensor between a layout and row-major order, panel by panel: faster than computing the
 * offset of every element. */
#include "runtime/program/layouts.h"

#include <string.h>

/* p is the index along the axis that is cut into panels, q the index along the other one
 * (ir/plan/plan.h). */
typedef struct {
    int64_t p_count, q_count, p_stride, q_stride, width; /* strides of the plain tensor */
} Panels;

static Panels panels_of(Layout layout, Shape shape) {
    int64_t columns = shape.dim[1];
    bool along_columns = layout.axis == 1;
    return (Panels){.p_count = shape.dim[layout.axis],
                    .q_count = shape.dim[1 - layout.axis],
                    .p_stride = along_columns ? 1 : columns,
                    .q_stride = along_columns ? columns : 1,
                    .width = layout.width};
}

/* Inlined in each caller, where `size` is a constant. */
static inline void copy_panels(Panels s, size_t size, char *panel, char *plain, bool to_plain) {
    for (int64_t begin = 0; begin < s.p_count; begin += s.width) {
        int64_t lanes = s.p_count - begin < s.width ? s.p_count - begin : s.width;
        for (int64_t q = 0; q < s.q_count; q++) {
            char *row = panel + (size_t)(begin * s.q_count + q * s.width) * size;
            char *there = plain + (size_t)(begin * s.p_stride + q * s.q_stride) * size;
            for (int64_t lane = 0; lane < lanes; lane++) {
                char *a = row + (size_t)lane * size,
                     *b = there + (size_t)(lane * s.p_stride) * size;
                memcpy(to_plain ? b : a, to_plain ? a : b, size);
            }
        }
    }
}

static void copy(Layout layout, DType dtype, Shape shape, char *stored, char *plain,
                 bool to_plain) {
    size_t size = dtype_bytes(dtype);
    if (layout.kind == LAYOUT_PLAIN) {
        size_t bytes = (size_t)shape_elements(shape) * size;
        memcpy(to_plain ? plain : stored, to_plain ? stored : plain, bytes);
    } else if (size == 4)
        copy_panels(panels_of(layout, shape), 4, stored, plain, to_plain);
    else
        copy_panels(panels_of(layout, shape), 1, stored, plain, to_plain);
}

void layout_to_plain(Layout layout, DType dtype, Shape shape, const void *from, void *plain) {
    copy(layout, dtype, shape, (char *)from, plain, true);
}

void layout_from_plain(Layout layout, DType dtype, Shape shape, const void *plain, void *to) {
    copy(layout, dtype, shape, to, (char *)plain, false);
}
