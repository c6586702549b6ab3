/* Copying a tensor between a layout (ir/plan/plan.h) and row-major order. */
#ifndef MLC_RUNTIME_PROGRAM_LAYOUTS_H
#define MLC_RUNTIME_PROGRAM_LAYOUTS_H

#include "ir/plan/plan.h"

void layout_to_plain(Layout layout, DType dtype, Shape shape, const void *from, void *plain);
/* Does not write the padding of panels. */
void layout_from_plain(Layout layout, DType dtype, Shape shape, const void *plain, void *to);

#endif
