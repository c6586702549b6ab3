/* MAP kernels: elementwise work over a space, LANES elements of one row at a time. */
#include "codegen/emit.h"

/* Does every value of the kernel lie at the same row-major position as the result, or is the same everywhere? Then the space
 * may be walked as one long row (or, reading a batch, one row per sample). */
static bool is_flat(const Emitter *e, int64_t elements) {
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->nodes[i]);
        if (node->op == OP_iota) return false;
        for (uint32_t j = 0; j < node->operand_count; j++) {
            const Node *operand = graph_operand(e->graph, node, j);
            int64_t count = shape_elements(operand->shape);
            bool in_place =
                count == elements && e->plan->storage[node->operands[j]].layout.kind == LAYOUT_PLAIN && operand->op != OP_iota;
            bool moves = op_class(node->op) == CLASS_VIEW && node->op != OP_reshape && count != 1;
            if (count != 1 && (!in_place || moves)) return false;
        }
    }
    for (uint32_t i = 0; i < e->kernel->store_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->stores[i].node);
        if (e->kernel->stores[i].to.layout.kind != LAYOUT_PLAIN || node->op == OP_iota) return false;
        if (!emit_computes(e, e->kernel->stores[i].node) &&
            e->plan->storage[e->kernel->stores[i].node].layout.kind != LAYOUT_PLAIN)
            return false;
    }
    return true;
}

static bool reads_batch(const Emitter *e, NodeId id) {
    Storage storage = e->plan->storage[id];
    return !emit_computes(e, id) && storage.kind == STORAGE_INPUT && e->graph->symbols[storage.index].kind == SYMBOL_BATCH;
}

static bool any_batch(const Emitter *e) {
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->nodes[i]);
        for (uint32_t j = 0; j < node->operand_count; j++)
            if (reads_batch(e, node->operands[j])) return true;
    }
    for (uint32_t i = 0; i < e->kernel->store_count; i++)
        if (reads_batch(e, e->kernel->stores[i].node)) return true;
    return false;
}

/* The space as it is walked: without axes of size 1, flat where that is possible. */
static Shape walked_space(const Emitter *e) {
    Shape space = e->kernel->space;
    int64_t elements = shape_elements(space);
    if (!is_flat(e, elements)) return space;
    if (space.rank > 1 && any_batch(e)) return (Shape){.rank = 2, .dim = {space.dim[0], elements / space.dim[0]}};
    return (Shape){.rank = 1, .dim = {elements}};
}

static int lane_axis(Shape space) {
    int axis = space.rank - 1;
    while (axis > 0 && space.dim[axis] == 1) axis--;
    return axis;
}

/* Unit number -> place: the vector number along the lane axis varies fastest, then the other axes from the last. */
static Place *unit_place(Emitter *e, Shape space, int axis, LLVMValueRef unit) {
    Place *place = place_new(e, space, NULL);
    int64_t vectors = (space.dim[axis] + LANES - 1) / LANES;
    LLVMValueRef rest = unit, vector = unit;
    if (shape_elements(space) != space.dim[axis]) {
        vector = LLVMBuildURem(e->builder, unit, const_i64(e, vectors), "");
        rest = LLVMBuildUDiv(e->builder, unit, const_i64(e, vectors), "");
    }
    LLVMValueRef base = LLVMBuildMul(e->builder, vector, const_i64(e, LANES), "");
    place->axis[axis] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, space.dim[axis]);
    int64_t outer = shape_elements(space) / space.dim[axis];
    for (int i = space.rank - 1; i >= 0 && outer > 1; i--) {
        if (i == axis || space.dim[i] == 1) continue;
        bool last = outer == space.dim[i];
        place->axis[i] = coordinate_uniform(last ? rest : LLVMBuildURem(e->builder, rest, const_i64(e, space.dim[i]), ""));
        if (last) break;
        rest = LLVMBuildUDiv(e->builder, rest, const_i64(e, space.dim[i]), "");
        outer /= space.dim[i];
    }
    return place;
}

int64_t kernel_map(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Shape space = walked_space(e);
    int64_t elements = shape_elements(space);
    if (elements == 1) {
        emit_stores(e, place_new(e, space, NULL));
        return 1;
    }
    int axis = lane_axis(space);
    Loop loop = loop_begin(e, first);
    emit_stores(e, unit_place(e, space, axis, loop.index));
    loop_end(e, loop, last, 1);
    return elements / space.dim[axis] * ((space.dim[axis] + LANES - 1) / LANES);
}
