/* MAP kernels that read along another axis than they write, such as y = transpose(x) + 1. Gathering
 * each vector of the result would read LANES cache lines for LANES elements. Instead, for each
 * square tile of LANES x LANES elements:
 *
 *     for each row of the tile along read_axis: tile[row] = the views' elements, one vector
 *     transpose the tile in registers
 *     for each row along lane_axis: the kernel's values and stores, with the views read from
 *     tile[row] */
#include "codegen/emit/square.h"
#include "codegen/kernels/kernels.h"

enum { MAX_TRANSPOSED = 4, MIN_SIZE = 8 };

typedef struct {
    Shape space;
    int lane_axis, read_axis;
    /* the views that are read along read_axis, where their elements are neighbours in memory */
    NodeId nodes[MAX_TRANSPOSED];
    LLVMValueRef tiles[MAX_TRANSPOSED]; /* stack slots: [LANES][LANES] */
    int count;
} TransposedMap;

/* -- which views are transposed -- */

/* The stored value that a chain of views from `id` reads; NODE_NONE if other ops are in the
 * chain. */
static NodeId source_of(const Emitter *e, NodeId id) {
    while (emit_computes(e, id)) {
        const Node *node = graph_node(e->graph, id);
        bool moves =
            op_class(node->op) == CLASS_VIEW && node->op != OP_concat && node->op != OP_gather;
        if (!moves) return NODE_NONE;
        id = node->operands[0];
    }
    Storage storage = e->plan->storage[id];
    return storage.kind == STORAGE_SLAB && storage.layout.kind == LAYOUT_PLAIN ? id : NODE_NONE;
}

/* The row-major index into the source if lanes ran along `axis` of the space. */
static Coordinate read_along(Emitter *e, NodeId id, NodeId source, Shape space, int axis) {
    Place *first = place_new(e, space, NULL);
    first->axis[axis] = (Coordinate){.base = const_i64(e, 0), .step = 1, .aligned = true};
    const Place *place = first;
    for (; id != source; id = graph_node(e->graph, id)->operands[0])
        place = view_source(e, graph_node(e->graph, id), 0, place).place;
    return place_linear(e, place_in_shape(e, place, graph_node(e->graph, source)->shape));
}

static bool are_neighbours(Coordinate c) { return !c.irregular && c.step == 1; }
static bool are_apart(Coordinate c) { return c.irregular || (c.step != 0 && c.step != 1); }

/* The axis along which a view reads neighbours in memory; -1 if that is lane_axis or no axis. */
static int transposed_axis(Emitter *e, const TransposedMap *map, NodeId id) {
    const Node *node = graph_node(e->graph, id);
    bool whole =
        shape_elements(node->shape) == shape_elements(map->space) && node->dtype == DTYPE_F32;
    NodeId source = whole && op_class(node->op) == CLASS_VIEW ? source_of(e, id) : NODE_NONE;
    if (!source || !are_apart(read_along(e, id, source, map->space, map->lane_axis))) return -1;
    for (int axis = 0; axis < map->space.rank; axis++)
        if (map->space.dim[axis] >= MIN_SIZE &&
            are_neighbours(read_along(e, id, source, map->space, axis)))
            return axis;
    return -1;
}

static void add_transposed(Emitter *e, TransposedMap *map, NodeId id) {
    int axis = map->count < MAX_TRANSPOSED ? transposed_axis(e, map, id) : -1;
    if (axis < 0 || (map->count && axis != map->read_axis)) return;
    map->read_axis = axis;
    map->nodes[map->count++] = id;
}

/* -- tiles -- */

/* The place of a vector of a tile: its lanes run along one of the tile's axes, and along the other
 * it has index `uniform` within the tile. */
static Place *tile_place(Emitter *e, const TransposedMap *map, const Place *corner, int lanes,
                         LLVMValueRef uniform) {
    Place *place = place_new(e, map->space, NULL);
    int other = lanes == map->lane_axis ? map->read_axis : map->lane_axis;
    for (int i = 0; i < map->space.rank; i++) place->axis[i] = corner->axis[i];
    place->axis[lanes] = (Coordinate){.base = corner->axis[lanes].base, .step = 1, .aligned = true};
    place->axis[other].base = add(e, corner->axis[other].base, uniform);
    place->mask = lanes_below(e, corner->axis[lanes].base, map->space.dim[lanes]);
    return place;
}

/* The size of a tile along an axis: LANES, or less at the end of the axis. */
static LLVMValueRef tile_size(Emitter *e, const TransposedMap *map, const Place *corner, int axis) {
    int64_t size = map->space.dim[axis];
    if (size % LANES == 0) return const_i64(e, LANES);
    return min(e, sub(e, const_i64(e, size), corner->axis[axis].base), const_i64(e, LANES));
}

static void read_tiles(Emitter *e, const TransposedMap *map, const Place *corner) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *place = tile_place(e, map, corner, map->read_axis, loop.index);
    for (int i = 0; i < map->count; i++)
        store(e, value_splat(e, emit_value(e, map->nodes[i], place)),
              square_row(e, map->tiles[i], loop.index));
    region_end(e, region);
    loop_end(e, loop, tile_size(e, map, corner, map->lane_axis), 1);
}

static void write_rows(Emitter *e, const TransposedMap *map, const Place *corner) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *place = tile_place(e, map, corner, map->lane_axis, loop.index);
    for (int i = 0; i < map->count; i++) {
        LLVMValueRef row = load(e, lanes_of(e->f32), square_row(e, map->tiles[i], loop.index));
        emit_set(e, map->nodes[i], place, (LaneValue){row, false});
    }
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, loop, tile_size(e, map, corner, map->read_axis), 1);
}

/* The first place of tile `number`: tiles are numbered in row-major order. */
static const Place *tile_corner(Emitter *e, const TransposedMap *map, LLVMValueRef number) {
    Place *corner = place_new(e, map->space, NULL);
    for (int i = map->space.rank - 1; i >= 0; i--) {
        bool cut = i == map->lane_axis || i == map->read_axis;
        int64_t count = cut ? divide_up(map->space.dim[i], LANES) : map->space.dim[i];
        if (count == 1) continue;
        LLVMValueRef at = modulo(e, number, count);
        number = over(e, number, count);
        corner->axis[i] = coordinate_uniform(cut ? times(e, at, LANES) : at);
    }
    return corner;
}

int64_t map_transposed(Emitter *e, Shape space, int lane_axis, LLVMValueRef first,
                       LLVMValueRef last) {
    TransposedMap map = {.space = space, .lane_axis = lane_axis};
    if (space.dim[lane_axis] < MIN_SIZE) return 0;
    for (uint32_t i = 0; i < e->kernel->node_count; i++)
        if (emit_in_place(e, e->kernel->nodes[i])) add_transposed(e, &map, e->kernel->nodes[i]);
    if (map.count == 0) return 0;
    for (int i = 0; i < map.count; i++) map.tiles[i] = square_new(e);
    Loop loop = loop_begin(e, first);
    const Place *corner = tile_corner(e, &map, loop.index);
    read_tiles(e, &map, corner);
    for (int i = 0; i < map.count; i++) square_transpose(e, map.tiles[i], map.tiles[i]);
    write_rows(e, &map, corner);
    loop_end(e, loop, last, 1);
    int64_t count = 1;
    for (int i = 0; i < map.space.rank; i++) {
        bool cut = i == map.lane_axis || i == map.read_axis;
        count *= cut ? divide_up(map.space.dim[i], LANES) : map.space.dim[i];
    }
    return count;
}
