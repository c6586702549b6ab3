/* The sizes of layouts, and the address arithmetic of windows. */
#include "ir/plan/plan.h"
#include "ir/base/integers.h"

/* The elements of a column of a panel, with padding. */
static int64_t column_elements(Layout layout, Shape shape) {
    int64_t n = shape.dim[1 - layout.axis];
    return layout.fours ? round_up(n, LAYOUT_FOUR) : n;
}

size_t layout_bytes(Layout layout, DType dtype, Shape shape) {
    int64_t elements = shape_elements(shape);
    if (layout.kind == LAYOUT_PANEL)
        elements = round_up(shape.dim[layout.axis], layout.width) * column_elements(layout, shape);
    return (size_t)elements * dtype_bytes(dtype);
}

int64_t layout_offset(Layout layout, Shape shape, const int64_t *index) {
    if (layout.kind == LAYOUT_PLAIN) {
        int64_t offset = 0;
        for (int i = 0; i < shape.rank; i++) offset = offset * shape.dim[i] + index[i];
        return offset;
    }
    int64_t width = layout.width, across = index[layout.axis], along = index[1 - layout.axis],
            panel = across / width * column_elements(layout, shape) * width;
    if (!layout.fours) return panel + along * width + across % width;
    static const int64_t in_four[LAYOUT_FOUR] = {0, 2, 1, 3};
    return panel + along / LAYOUT_FOUR * LAYOUT_FOUR * width + across % width * LAYOUT_FOUR +
           in_four[along % LAYOUT_FOUR];
}

bool layout_equal(Layout a, Layout b) {
    if (a.kind != b.kind) return false;
    return a.kind == LAYOUT_PLAIN || (a.axis == b.axis && a.width == b.width && a.fours == b.fours);
}

void plan_free(Plan *plan) {
    if (plan) arena_free(plan->arena);
}

static bool transposes(const Node *node, const int64_t perm[4]) {
    bool equal = node->op == OP_transpose && node->shape.rank == 4;
    for (int i = 0; i < 4; i++) equal = equal && node->attrs.perm[i] == perm[i];
    return equal;
}

/* Whether a picture is a copy in another order of axes that is transposed back to [N,H,W,C]. */
static bool is_copy(const Graph *graph, const Node *picture, const int64_t there[4],
                    const int64_t back[4]) {
    return transposes(picture, back) && transposes(graph_operand(graph, picture, 0), there);
}

WindowsImage windows_image(const Graph *graph, const Node *windows) {
    static const int64_t channels_last[] = {0, 2, 3, 1}, channels_first[] = {0, 3, 1, 2},
                         images_last[] = {1, 2, 3, 0}, images_first[] = {3, 0, 1, 2};
    const Node *picture = graph_operand(graph, windows, 0);
    int64_t images = picture->shape.dim[0], height = picture->shape.dim[1],
            width = picture->shape.dim[2], channels = picture->shape.dim[3];
    if (is_copy(graph, picture, channels_first, channels_last))
        return (WindowsImage){.node = picture->operands[0],
                              .image = height * width * channels,
                              .row = width,
                              .pixel = 1,
                              .channel = height * width};
    if (is_copy(graph, picture, images_last, images_first))
        return (WindowsImage){.node = picture->operands[0],
                              .image = 1,
                              .row = width * channels * images,
                              .pixel = channels * images,
                              .channel = images,
                              .images_adjoin = true};
    return (WindowsImage){.node = windows->operands[0],
                          .image = height * width * channels,
                          .row = width * channels,
                          .pixel = channels,
                          .channel = 1};
}

NodeId kernel_operand(const Plan *plan, const Kernel *kernel, uint32_t i) {
    const Node *root = graph_node(plan->graph, kernel->root);
    if (i == 0 && kernel->product.windows)
        return windows_image(plan->graph, graph_node(plan->graph, kernel->product.windows)).node;
    return root->operands[i];
}

size_t stored_state_bytes(const Graph *graph, const PlanState *states, uint32_t count) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const Symbol *symbol = &graph->symbols[states[i].symbol];
        bytes += layout_bytes(states[i].layout, symbol->dtype, symbol->shape);
    }
    return bytes;
}
