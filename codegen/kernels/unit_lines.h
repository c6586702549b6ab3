/* A walk over a space, a vector of LANES elements (or a single element) at a time:
 *
 *     for each line of units in [first, last): the coordinates of the outer axes, by division
 *         for each unit of the line: the coordinates of the other axes
 *
 * Units are vectors along the lane axis, numbered in row-major order. Internal to codegen/kernels. */
#ifndef MLC_CODEGEN_KERNELS_UNIT_LINES_H
#define MLC_CODEGEN_KERNELS_UNIT_LINES_H

#include "codegen/emit/arithmetic.h"

/* A line is the units of the last axes, as many axes as make a long line. */
typedef struct {
    Shape space;
    int lane_axis;
    /* the last axis along which a line has one coordinate; -1: there is none */
    int outer_axis;
    int64_t vectors, units; /* along the lane axis, in a line */
} UnitLine;

/* The last axis that is longer than 1; axis 0 if there is none. */
int space_lane_axis(Shape space);
UnitLine unit_line(const Emitter *e, Shape space);
int64_t unit_line_count(const UnitLine *line); /* the units of the space */
/* Sets the coordinates of axes [first, last] from their row-major index. */
void place_set_axes(Emitter *e, Place *place, int first, int last, LLVMValueRef index);

/* The loops over lines and units. place: that of the current unit. */
typedef struct {
    SegmentLoop lines;
    Loop units;
    const Place *place;
} LineLoop;
LineLoop lines_begin(Emitter *e, const UnitLine *line, LLVMValueRef first, LLVMValueRef last);
void lines_end(Emitter *e, LineLoop loop);

#endif
