/* ROW kernels: a unit is a row. Its vectors stay in registers: the code of a row has no loop.
 *
 *     for each row:
 *         for each reduction of the row, in the order of the nodes:
 *             partial[lane] = start
 *             for each vector v of the row: partial[lane] += value at v
 *             result = partial[0 .. 15] combined by the fixed tree
 *         for each vector v: the stores of whole rows
 *         the stores of which a row has one value
 *
 * The order of a sum is that of REDUCE kernels. On a GPU the lanes are LANES threads. */
#include "codegen/kernels/kernels.h"
#include "codegen/kernels/partials.h"

typedef struct {
    int64_t length;
    int vectors;
    const Place *single;  /* in [rows] */
    const Place **vector; /* [vectors], in [rows, length] */
} VectorRow;

/* The places of row `number`: of each of its vectors, and of values that the row has once. */
static VectorRow row_at(Emitter *e, LLVMValueRef number) {
    Shape space = e->kernel->space;
    int64_t length = space.dim[space.rank - 1], count = shape_elements(space) / length;
    VectorRow row = {.length = length, .vectors = (int)divide_up(length, LANES)};
    Place *single = place_new(e, (Shape){.rank = 1, .dim = {count}}, NULL);
    single->axis[0] = coordinate_uniform(number);
    if (e->threads) single->mask = eq(e, e->lane, const_i64(e, 0)); /* one of the threads stores */
    row.single = single;
    row.vector = ARENA_ARRAY(e->arena, const Place *, row.vectors);
    for (int v = 0; v < row.vectors; v++) {
        Place *place = place_new(e, (Shape){.rank = 2, .dim = {count, length}}, NULL);
        place->axis[0] = coordinate_uniform(number);
        place_set_lanes(e, place, 1, const_i64(e, v * LANES), length);
        row.vector[v] = place;
    }
    return row;
}

/* A reduction of the row, from its vectors in registers. */
static void reduce(Emitter *e, const VectorRow *row, NodeId id) {
    const Node *node = graph_node(e->graph, id);
    bool lanes = !e->threads;
    LLVMValueRef partial = partial_start(e, node->op, lanes);
    for (int v = 0; v < row->vectors; v++) {
        LaneValue one = emit_value(e, node->operands[0], row->vector[v]);
        LLVMValueRef value = lanes ? value_splat(e, one) : one.value;
        LLVMValueRef sum =
            partial_combine(e, node->op, partial, partial_key(e, node->op, value, lanes));
        LLVMValueRef mask = row->vector[v]->mask;
        partial = mask ? choose(e, mask, sum, partial) : sum;
    }
    LLVMValueRef all = partial_of_lanes(e, node->op, partial);
    emit_set_everywhere(e, id, partial_result(e, node->op, all, false));
}

/* Stores, at a place, the values that have so many elements: all elements of the space, or one a
 * row. */
static void store_values(Emitter *e, int64_t elements, const Place *place) {
    for (uint32_t i = 0; i < e->kernel->store_count; i++) {
        const Store *store = &e->kernel->stores[i];
        if (shape_elements(graph_node(e->graph, store->node)->shape) == elements)
            store_at(e, store->node, store->to, place, emit_value(e, store->node, place));
    }
}

int64_t kernel_row(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Loop loop = units_begin(e, first);
    VectorRow row = row_at(e, loop.index);
    for (uint32_t i = 0; i < e->kernel->node_count; i++)
        if (op_class(graph_node(e->graph, e->kernel->nodes[i])->op) == CLASS_REDUCE)
            reduce(e, &row, e->kernel->nodes[i]);
    int64_t elements = shape_elements(e->kernel->space), rows = elements / row.length;
    for (int v = 0; v < row.vectors; v++) store_values(e, elements, row.vector[v]);
    store_values(e, rows, row.single);
    units_end(e, loop, last);
    return rows;
}
