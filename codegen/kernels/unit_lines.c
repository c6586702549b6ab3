/* Walks over a space by lines of units. The loop over the units of a line has little arithmetic on
 * indices. */
#include "codegen/kernels/unit_lines.h"

int space_lane_axis(Shape space) {
    int axis = space.rank - 1;
    while (axis > 0 && space.dim[axis] == 1) axis--;
    return axis;
}

UnitLine unit_line(const Emitter *e, Shape space) {
    enum { LONG_LINE = 8 }; /* units: so many are worth their own loop */
    UnitLine line = {.space = space, .lane_axis = space_lane_axis(space)};
    line.outer_axis = line.lane_axis - 1;
    line.vectors = line.units = divide_up(space.dim[line.lane_axis], e->single ? 1 : LANES);
    for (; line.outer_axis >= 0 && line.units < LONG_LINE; line.outer_axis--)
        line.units *= space.dim[line.outer_axis];
    return line;
}

int64_t unit_line_count(const UnitLine *line) {
    return shape_elements(line->space) / line->space.dim[line->lane_axis] * line->vectors;
}

void place_set_axes(Emitter *e, Place *place, int first, int last, LLVMValueRef index) {
    while (first < last && place->shape.dim[first] == 1) first++;
    for (int i = last; i >= first; i--) {
        if (place->shape.dim[i] == 1) continue;
        LLVMValueRef size = const_i64(e, place->shape.dim[i]);
        place->axis[i] = coordinate_uniform(i == first ? index : urem(e, index, size));
        index = udiv(e, index, size);
    }
}

/* The place of unit `inside` of line `number`. */
static Place *unit_place(Emitter *e, const UnitLine *line, LLVMValueRef number,
                         LLVMValueRef inside) {
    Place *place = place_new(e, line->space, NULL);
    LLVMValueRef vectors = const_i64(e, line->vectors), vector = inside;
    if (line->units != line->vectors) {
        vector = urem(e, inside, vectors);
        place_set_axes(e, place, line->outer_axis + 1, line->lane_axis - 1,
                       udiv(e, inside, vectors));
    }
    place_set_axes(e, place, 0, line->outer_axis, number);
    if (e->single) {
        place->axis[line->lane_axis] = coordinate_uniform(vector);
        return place;
    }
    LLVMValueRef base = times(e, vector, LANES);
    place->axis[line->lane_axis] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, line->space.dim[line->lane_axis]);
    return place;
}

LineLoop lines_begin(Emitter *e, const UnitLine *line, LLVMValueRef first, LLVMValueRef last) {
    LineLoop loop = {.lines = segments_begin(e, first, last, line->units)};
    loop.units = loop_begin(e, loop.lines.from);
    LLVMValueRef inside = sub(e, loop.units.index, loop.lines.start);
    loop.place = unit_place(e, line, loop.lines.loop.index, inside);
    return loop;
}

void lines_end(Emitter *e, LineLoop loop) {
    loop_end(e, loop.units, loop.lines.to, 1);
    segments_end(e, loop.lines);
}
