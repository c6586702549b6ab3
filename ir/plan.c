/* Layouts as arithmetic. */
#include "ir/plan.h"

static int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

size_t layout_bytes(Layout layout, DType dtype, Shape shape) {
    int64_t elements = shape_elements(shape);
    if (layout.kind == LAYOUT_PANEL) elements = round_up(shape.dim[layout.axis], layout.width) * shape.dim[1 - layout.axis];
    return (size_t)elements * dtype_bytes(dtype);
}

static int64_t plain_offset(Shape shape, const int64_t *index) {
    int64_t offset = 0;
    for (int i = 0; i < shape.rank; i++) offset = offset * shape.dim[i] + index[i];
    return offset;
}

int64_t layout_offset(Layout layout, Shape shape, const int64_t *index) {
    if (layout.kind == LAYOUT_PLAIN) return plain_offset(shape, index);
    int64_t across = index[layout.axis], along = index[1 - layout.axis], n = shape.dim[1 - layout.axis];
    return across / layout.width * n * layout.width + along * layout.width + across % layout.width;
}

bool layout_equal(Layout a, Layout b) {
    if (a.kind != b.kind) return false;
    return a.kind == LAYOUT_PLAIN || (a.axis == b.axis && a.width == b.width);
}

void plan_free(Plan *plan) {
    if (plan) arena_free(plan->arena);
}

NodeId kernel_operand(const Plan *plan, const Kernel *kernel, uint32_t i) {
    NodeId from = i == 0 && kernel->windows ? kernel->windows : kernel->root;
    return graph_node(plan->graph, from)->operands[i];
}
