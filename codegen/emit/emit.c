/* Emits the value of a node at a place. It is computed if the node belongs to the kernel, and
 * loaded otherwise. The memo keeps it for the next user. Operands are emitted before their users.
 * This uses an explicit stack instead of recursion, as a chain of nodes may be as long as the
 * graph. */
#include "codegen/emit/emit.h"

#include <assert.h>
#include <string.h>

/* -- kernels -- */

void emit_begin_kernel(Emitter *e, const Kernel *kernel) {
    e->arena = arena_new();
    e->kernel = kernel;
    e->kernel_number++;
    for (uint32_t i = 0; i < kernel->node_count; i++)
        e->computed_in[kernel->nodes[i]] = e->kernel_number;
    e->bindings = NULL;
    e->binding_count = e->binding_capacity = 0;
    e->rows = NULL;
    region_begin(e);
    e->frames = NULL;
    e->frame_count = e->frame_capacity = 0;
}

void emit_end_kernel(Emitter *e) {
    arena_free(e->arena);
    e->arena = NULL;
}

bool emit_computes(const Emitter *e, NodeId node) {
    return e->computed_in[node] == e->kernel_number;
}

bool emit_in_place(const Emitter *e, NodeId id) {
    const Kernel *kernel = e->kernel;
    if (shape_elements(graph_node(e->graph, id)->shape) != shape_elements(kernel->space))
        return false;
    for (uint32_t i = 0; i < kernel->store_count; i++)
        if (kernel->stores[i].node == id) return true;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        bool in_place = op_class(node->op) == CLASS_ELEMENTWISE || node->op == OP_reshape;
        for (uint32_t j = 0; in_place && j < node->operand_count; j++)
            if (node->operands[j] == id) return true;
    }
    return false;
}

/* -- nodes -- */

/* The value of a node that the kernel does not compute: a constant, an iota, or a value in
 * memory. */
static LaneValue given_value(Emitter *e, NodeId id, const Place *place) {
    const Node *node = graph_node(e->graph, id);
    LLVMTypeRef type = dtype_type(e, node->dtype, false);
    if (e->plan->storage[id].kind == STORAGE_TABLE) return load_constant(e, id);
    if (node->op == OP_constant && node->dtype == DTYPE_F32)
        return (LaneValue){
            LLVMConstBitCast(LLVMConstInt(e->i32, node->attrs.value.bits, false), type), true};
    if (node->op == OP_constant)
        return (LaneValue){LLVMConstInt(type, node->attrs.value.bits, false), true};
    if (node->op != OP_iota) return load_at(e, id, e->plan->storage[id], place);
    Coordinate index = place_in_shape(e, place, node->shape)->axis[node->attrs.axis];
    if (!index.irregular && index.step == 0)
        return (LaneValue){LLVMBuildTrunc(e->builder, index.base, e->i32, ""), true};
    return (LaneValue){
        LLVMBuildTrunc(e->builder, coordinate_vector(e, index), lanes_of(e->i32), ""), false};
}

/* The value of a node of the kernel, whose operands are in the memo. */
static LaneValue computed_value(Emitter *e, NodeId id, const Source *sources) {
    const Node *node = graph_node(e->graph, id);
    LaneValue *operands = ARENA_ARRAY(e->arena, LaneValue, node->operand_count);
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (sources[i].place) operands[i] = memo_find(e, node->operands[i], sources[i].place);
    if (op_class(node->op) == CLASS_VIEW) return view_choose(e, node, sources, operands);
    assert(op_class(node->op) == CLASS_ELEMENTWISE &&
           "only elementwise ops and views are computed at a place");
    return emit_elementwise(e, node, operands);
}

/* -- the stack -- */

/* A value to be emitted. sources: the places of its operands; NULL until these are on the stack. */
struct Frame {
    NodeId node;
    const Place *place;
    const Source *sources;
};

static void push(Emitter *e, NodeId node, const Place *place) {
    if (memo_find(e, node, place).value) return;
    ARENA_ROOM(e->arena, e->frames, e->frame_count, e->frame_capacity);
    e->frames[e->frame_count++] = (Frame){.node = node, .place = place};
}

/* Pushes the operands of a frame's node. The place of a gather's operand depends on its index, so
 * the index is emitted before. */
static void push_operands(Emitter *e, uint32_t frame) {
    const Node *node = graph_node(e->graph, e->frames[frame].node);
    const Place *place = e->frames[frame].place;
    if (node->op == OP_gather && !memo_find(e, node->operands[GATHER_INDEX], place).value) {
        push(e, node->operands[GATHER_INDEX], place);
        return;
    }
    Source *sources = ARENA_ARRAY(e->arena, Source, node->operand_count);
    bool view = op_class(node->op) == CLASS_VIEW, part_known = concat_part_known(e, node, place);
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (!part_known || i == e->part.number)
            sources[i] = view ? view_source(e, node, i, place) : (Source){.place = place};
    e->frames[frame].sources = sources;
    for (uint32_t i = node->operand_count; i-- > 0;)
        if (sources[i].place) push(e, node->operands[i], sources[i].place);
}

/* Emits the value on top of the stack and pops it; or, if its operands are not known yet, pushes
 * them. */
static void process_top(Emitter *e) {
    Frame top = e->frames[e->frame_count - 1];
    if (!memo_find(e, top.node, top.place).value) {
        LaneValue value;
        if (top.sources)
            value = computed_value(e, top.node, top.sources);
        else if (emit_computes(e, top.node))
            value = view_interleaved(e, graph_node(e->graph, top.node), top.place);
        else
            value = given_value(e, top.node, top.place);
        if (!value.value) {
            push_operands(e, e->frame_count - 1);
            return;
        }
        emit_set(e, top.node, top.place, value);
    }
    e->frame_count--;
}

LaneValue emit_value(Emitter *e, NodeId node, const Place *place) {
    push(e, node, place);
    while (e->frame_count) process_top(e);
    return memo_find(e, node, place);
}

const LaneValue *emit_store_values(Emitter *e, const Place *place) {
    LaneValue *values = ARENA_ARRAY(e->arena, LaneValue, e->kernel->store_count);
    for (uint32_t i = 0; i < e->kernel->store_count; i++)
        values[i] = emit_value(e, e->kernel->stores[i].node, place);
    return values;
}

void emit_stores(Emitter *e, const Place *place) {
    const Kernel *kernel = e->kernel;
    const LaneValue *values = emit_store_values(e, place);
    for (uint32_t i = 0; i < kernel->store_count; i++)
        store_at(e, kernel->stores[i].node, kernel->stores[i].to, place, values[i]);
}
