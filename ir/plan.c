/* Layouts as arithmetic, and the plan as text: the page people read first to see what a step will do. */
#include "ir/plan.h"

#include <inttypes.h>

/* -- layouts -- */

static int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

size_t layout_bytes(Layout layout, DType dtype, Shape shape) {
    int64_t elements = shape_elements(shape);
    if (layout.kind == LAYOUT_PANEL)
        elements = round_up(shape.dim[layout.axis], layout.width) * shape.dim[1 - layout.axis];
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

/* -- printing -- */

static const char *const kernel_names[KERNEL_KINDS] = {"map", "reduce", "matmul", "gemm"};

static void print_layout(Layout layout, FILE *out) {
    if (layout.kind == LAYOUT_PANEL) fprintf(out, " panel(%d, %d)", layout.axis, layout.width);
}

static const char *symbol_name(const Plan *plan, uint32_t symbol) { return plan->graph->symbols[symbol].name; }

static void print_storage(const Plan *plan, Storage storage, FILE *out) {
    switch (storage.kind) {
    case STORAGE_NONE: fputs("registers", out); break;
    case STORAGE_SLAB:
        fputs("slab", out);
        if (storage.offset != PLAN_UNPLACED) fprintf(out, "+%zu", storage.offset);
        break;
    case STORAGE_STATE: fprintf(out, "state %s", symbol_name(plan, plan->states[storage.index].symbol)); break;
    case STORAGE_INPUT: fprintf(out, "input %s", symbol_name(plan, storage.index)); break;
    case STORAGE_OUTPUT: fprintf(out, "output %s", plan->graph->outputs[storage.index].name); break;
    }
    print_layout(storage.layout, out);
}

static void print_space(Shape shape, FILE *out) {
    fputc('[', out);
    for (int i = 0; i < shape.rank; i++) fprintf(out, "%s%" PRId64, i ? "," : "", shape.dim[i]);
    fputc(']', out);
}

/* The nodes inside, "%5 convert, %7 div", broken into lines. */
static void print_nodes(const Plan *plan, const Kernel *kernel, FILE *out) {
    enum { PER_LINE = 8 };
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        fputs(i % PER_LINE ? ", " : "\n#       ", out);
        fprintf(out, "%%%u %s", kernel->nodes[i], op_name(graph_node(plan->graph, kernel->nodes[i])->op));
    }
}

static void print_operand(const Plan *plan, const char *side, Storage storage, FILE *out) {
    fprintf(out, "\n#       %s ", side);
    print_storage(plan, storage, out);
}

static void print_kernel(const Plan *plan, uint32_t number, FILE *out) {
    const Kernel *kernel = &plan->kernels[number];
    if (kernel->barrier_before) fputs("#   ---- barrier\n", out);
    fprintf(out, "#   k%u %s ", number, kernel_names[kernel->kind]);
    print_space(kernel->space, out);
    if (kernel->root != NODE_NONE) fprintf(out, " root %%%u", kernel->root);
    if (kernel->swapped) fputs(" swapped", out);
    if (kernel->max_threads) fprintf(out, ", threads %u", kernel->max_threads);
    print_nodes(plan, kernel, out);
    if (kernel->kind == KERNEL_MATMUL || kernel->kind == KERNEL_GEMM) {
        print_operand(plan, "left", kernel->left, out);
        print_operand(plan, "right", kernel->right, out);
    }
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        fprintf(out, "\n#       store %%%u -> ", kernel->stores[i].node);
        print_storage(plan, kernel->stores[i].to, out);
    }
    fputc('\n', out);
}

static void print_state(const Plan *plan, uint32_t index, FILE *out) {
    const PlanState *state = &plan->states[index];
    const Symbol *symbol = &plan->graph->symbols[state->symbol];
    char text[SHAPE_TEXT];
    bool copy = index > 0 && plan->states[index - 1].symbol == state->symbol;
    fprintf(out, "#   %s%s: %s,", copy ? "copy of " : "", symbol->name, shape_text(symbol->dtype, symbol->shape, text));
    if (state->layout.kind == LAYOUT_PLAIN) fputs(" plain", out);
    print_layout(state->layout, out);
    fprintf(out, ", %zu bytes\n", layout_bytes(state->layout, symbol->dtype, symbol->shape));
}

static void print_value(const Plan *plan, NodeId id, FILE *out) {
    const Node *node = graph_node(plan->graph, id);
    const Storage *storage = &plan->storage[id];
    if (storage->kind != STORAGE_SLAB) return;
    char text[SHAPE_TEXT];
    fprintf(out, "#   %%%u %s %s: ", id, op_name(node->op), shape_text(node->dtype, node->shape, text));
    print_storage(plan, *storage, out);
    fprintf(out, ", %zu bytes\n", layout_bytes(storage->layout, node->dtype, node->shape));
}

static uint32_t count_barriers(const Plan *plan) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->kernel_count; i++) count += plan->kernels[i].barrier_before;
    return count;
}

void plan_print(const Plan *plan, FILE *out) {
    fprintf(out, "# plan of %s: %u kernels, %u barriers, slab %zu bytes, outputs %zu bytes\n", plan->graph->name,
            plan->kernel_count, count_barriers(plan), plan->slab_bytes, plan->output_bytes);
    fputs("# kernels\n", out);
    for (uint32_t i = 0; i < plan->kernel_count; i++) print_kernel(plan, i, out);
    if (plan->state_count) fputs("# states\n", out);
    for (uint32_t i = 0; i < plan->state_count; i++) print_state(plan, i, out);
    fputs("# values in the slab\n", out);
    for (NodeId id = 1; id < plan->graph->node_count; id++) print_value(plan, id, out);
}
