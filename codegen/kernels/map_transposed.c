/* MAP kernels that read along another axis than the one they write along: square tiles are read as vectors along that axis and
 * turned in registers, instead of gathering each vector of the result from as many lines of memory. */
#include "codegen/kernels/kernels.h"
#include "ir/base/integers.h"

enum { MOST_TURNED = 4, LEAST_SIZE = 8 };

typedef struct {
    Shape space;
    int lane_axis, read_axis;
    NodeId nodes[MOST_TURNED];       /* views whose elements are neighbours in memory along read_axis */
    LLVMValueRef tiles[MOST_TURNED]; /* stack slots: [LANES][LANES] */
    int count;
} Turned;

/* -- which views are to be turned -- */

/* The views from a node down to what is in memory; NODE_NONE if something else is on the way. */
static NodeId source_of(const Emitter *e, NodeId id) {
    while (emit_computes(e, id)) {
        const Node *node = graph_node(e->graph, id);
        bool moves = op_class(node->op) == CLASS_VIEW && node->op != OP_concat && node->op != OP_gather;
        if (!moves) return NODE_NONE;
        id = node->operands[0];
    }
    Storage storage = e->plan->storage[id];
    return storage.kind == STORAGE_SLAB && storage.layout.kind == LAYOUT_PLAIN ? id : NODE_NONE;
}

/* How the source is read by lanes along an axis of the space. */
static Coordinate read_along(Emitter *e, NodeId id, NodeId source, Shape space, int axis) {
    Place *first = place_new(e, space, NULL);
    first->axis[axis] = (Coordinate){.base = const_i64(e, 0), .step = 1, .aligned = true};
    const Place *place = first;
    for (; id != source; id = graph_node(e->graph, id)->operands[0])
        place = view_source(e, graph_node(e->graph, id), 0, place).place;
    return place_linear(e, place_in_shape(e, place, graph_node(e->graph, source)->shape));
}

static bool adjoins(Coordinate c) { return !c.irregular && c.step == 1; }
static bool jumps(Coordinate c) { return c.irregular || (c.step != 0 && c.step != 1); }

/* The axis along which a view reads neighbours, if lanes do not; -1 if there is none. */
static int turned_axis(Emitter *e, const Turned *turned, NodeId id) {
    const Node *node = graph_node(e->graph, id);
    bool whole = shape_elements(node->shape) == shape_elements(turned->space) && node->dtype == DTYPE_F32;
    NodeId source = whole && op_class(node->op) == CLASS_VIEW ? source_of(e, id) : NODE_NONE;
    if (!source || !jumps(read_along(e, id, source, turned->space, turned->lane_axis))) return -1;
    for (int axis = 0; axis < turned->space.rank; axis++)
        if (turned->space.dim[axis] >= LEAST_SIZE && adjoins(read_along(e, id, source, turned->space, axis))) return axis;
    return -1;
}

static void add_turned(Emitter *e, Turned *turned, NodeId id) {
    int axis = turned->count < MOST_TURNED ? turned_axis(e, turned, id) : -1;
    if (axis < 0 || (turned->count && axis != turned->read_axis)) return;
    turned->read_axis = axis;
    turned->nodes[turned->count++] = id;
}

/* -- tiles -- */

static Place *tile_place(Emitter *e, const Turned *turned, const Place *corner, int lanes, LLVMValueRef uniform) {
    Place *place = place_new(e, turned->space, NULL);
    int other = lanes == turned->lane_axis ? turned->read_axis : turned->lane_axis;
    for (int i = 0; i < turned->space.rank; i++) place->axis[i] = corner->axis[i];
    place->axis[lanes] = (Coordinate){.base = corner->axis[lanes].base, .step = 1, .aligned = true};
    place->axis[other].base = LLVMBuildAdd(e->builder, corner->axis[other].base, uniform, "");
    place->mask = lanes_below(e, corner->axis[lanes].base, turned->space.dim[lanes]);
    return place;
}

static LLVMValueRef tile_row(Emitter *e, LLVMValueRef tile, LLVMValueRef row) {
    return LLVMBuildGEP2(e->builder, lanes_of(e->f32), tile, &row, 1, "");
}

/* How many rows or columns of a tile there are from its corner on. */
static LLVMValueRef tile_size(Emitter *e, const Turned *turned, const Place *corner, int axis) {
    int64_t size = turned->space.dim[axis];
    if (size % LANES == 0) return const_i64(e, LANES);
    LLVMValueRef both[] = {LLVMBuildSub(e->builder, const_i64(e, size), corner->axis[axis].base, ""), const_i64(e, LANES)};
    return call_intrinsic(e, "llvm.smin", &e->i64, 1, both, 2);
}

/* Lanes of two vectors in turn: of their first halves, or of their second ones. */
static LLVMValueRef interleave(Emitter *e, LLVMValueRef a, LLVMValueRef b, int half) {
    LLVMValueRef lanes[LANES];
    for (int i = 0; i < LANES; i++) lanes[i] = const_i32(e, half * (LANES / 2) + i / 2 + i % 2 * LANES);
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lanes, LANES), "");
}

/* Each round moves one bit of a row's number to the end of the lane's and one of the lane's to the end of the row's. */
static void turn_tile(Emitter *e, LLVMValueRef tile) {
    LLVMValueRef rows[LANES], turned[LANES];
    LLVMTypeRef type = lanes_of(e->f32);
    for (int i = 0; i < LANES; i++) rows[i] = LLVMBuildLoad2(e->builder, type, tile_row(e, tile, const_i64(e, i)), "");
    for (int round = 1; round < LANES; round *= 2) {
        for (int i = 0; i < LANES; i++) turned[i] = interleave(e, rows[i / 2], rows[i / 2 + LANES / 2], i % 2);
        for (int i = 0; i < LANES; i++) rows[i] = turned[i];
    }
    for (int i = 0; i < LANES; i++) LLVMBuildStore(e->builder, rows[i], tile_row(e, tile, const_i64(e, i)));
}

static void read_tiles(Emitter *e, const Turned *turned, const Place *corner) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *place = tile_place(e, turned, corner, turned->read_axis, loop.index);
    for (int i = 0; i < turned->count; i++)
        LLVMBuildStore(e->builder, value_splat(e, emit_value(e, turned->nodes[i], place)),
                       tile_row(e, turned->tiles[i], loop.index));
    region_end(e, region);
    loop_end(e, loop, tile_size(e, turned, corner, turned->lane_axis), 1);
}

static void write_rows(Emitter *e, const Turned *turned, const Place *corner) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *place = tile_place(e, turned, corner, turned->lane_axis, loop.index);
    for (int i = 0; i < turned->count; i++) {
        LLVMValueRef row = LLVMBuildLoad2(e->builder, lanes_of(e->f32), tile_row(e, turned->tiles[i], loop.index), "");
        emit_set(e, turned->nodes[i], place, (Value){row, false});
    }
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, loop, tile_size(e, turned, corner, turned->read_axis), 1);
}

/* The corner of tile `number`; tiles are numbered along the lane axis first, then along read_axis, then along the others. */
static const Place *tile_corner(Emitter *e, const Turned *turned, LLVMValueRef number) {
    Place *corner = place_new(e, turned->space, NULL);
    for (int i = turned->space.rank - 1; i >= 0; i--) {
        bool cut = i == turned->lane_axis || i == turned->read_axis;
        int64_t count = cut ? divide_up(turned->space.dim[i], LANES) : turned->space.dim[i];
        if (count == 1) continue;
        LLVMValueRef at = LLVMBuildURem(e->builder, number, const_i64(e, count), "");
        number = LLVMBuildUDiv(e->builder, number, const_i64(e, count), "");
        corner->axis[i] = coordinate_uniform(cut ? LLVMBuildMul(e->builder, at, const_i64(e, LANES), "") : at);
    }
    return corner;
}

static int64_t tile_count(const Turned *turned) {
    int64_t count = 1;
    for (int i = 0; i < turned->space.rank; i++) {
        bool cut = i == turned->lane_axis || i == turned->read_axis;
        count *= cut ? divide_up(turned->space.dim[i], LANES) : turned->space.dim[i];
    }
    return count;
}

int64_t map_turned(Emitter *e, Shape space, int lane_axis, LLVMValueRef first, LLVMValueRef last) {
    Turned turned = {.space = space, .lane_axis = lane_axis};
    if (space.dim[lane_axis] < LEAST_SIZE) return 0;
    for (uint32_t i = 0; i < e->kernel->node_count; i++)
        if (emit_in_place(e, e->kernel->nodes[i])) add_turned(e, &turned, e->kernel->nodes[i]);
    if (turned.count == 0) return 0;
    for (int i = 0; i < turned.count; i++) turned.tiles[i] = stack_slot(e, LLVMArrayType(lanes_of(e->f32), LANES), 64);
    Loop loop = loop_begin(e, first);
    const Place *corner = tile_corner(e, &turned, loop.index);
    read_tiles(e, &turned, corner);
    for (int i = 0; i < turned.count; i++) turn_tile(e, turned.tiles[i]);
    write_rows(e, &turned, corner);
    loop_end(e, loop, last, 1);
    return tile_count(&turned);
}
