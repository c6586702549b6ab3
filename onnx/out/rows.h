/* Sizes that grow with the batch. */
#ifndef MLC_ONNX_OUT_ROWS_H
#define MLC_ONNX_OUT_ROWS_H

#include "ir/graph/graph.h"

/* The size of an axis: a number, or a multiple of the number of rows N. */
typedef struct {
    int64_t size;
    bool rows; /* size * N */
} Size;

typedef struct {
    Size size[SHAPE_MAX_RANK];
} Sizes;

/* The sizes of every node of `graph` that is needed, found by comparison with the same graph for
 * another number of rows; NULL if the graphs differ otherwise, and *differs is the place. `other`
 * NULL: all sizes are numbers. */
Sizes *rows_find(const Graph *graph, const Graph *other, Arena *arena, Span *differs);

static inline bool size_equal(Size a, Size b) { return a.size == b.size && a.rows == b.rows; }
static inline bool size_is_one(Size size) { return size.size == 1 && !size.rows; }

#endif
