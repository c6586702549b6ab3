/* Internal to the generator of random graphs: random choices, and values to take as operands. */
#ifndef MLC_TESTS_RANDOM_MAKER_H
#define MLC_TESTS_RANDOM_MAKER_H

#include "tests/support/random_graph.h"

enum { MAKER_MAX_ELEMENTS = 4096, MAKER_MAX_RANK = 4 };

typedef struct {
    Graph *graph;
    uint64_t seed, drawn;
    int64_t batch;
} Maker;

/* Adds a node with this op, or several around it; NODE_NONE if nothing fits. One function for each
 * shape rule of ops.def. */
typedef NodeId MakeFunction(Maker *maker, Op op);
NodeId maker_add(Maker *maker, Op op);

/* A random number from 0 to below `count`. */
uint32_t maker_draw(Maker *maker, uint32_t count);
static inline bool maker_chance(Maker *maker, uint32_t one_in) {
    return maker_draw(maker, one_in) == 0;
}
Shape maker_shape(Maker *maker);

/* An existing value of that dtype, more often a recent one. Without one, a leaf is made. */
NodeId maker_pick(Maker *maker, DType dtype);
/* A new leaf of any kind. */
NodeId maker_leaf(Maker *maker, DType dtype, Shape shape);
NodeId maker_state(Maker *maker, DType dtype, Shape shape);
/* Brings `node` to a shape by reshaping, reducing and repeating. */
NodeId maker_fit(Maker *maker, NodeId node, Shape shape);
/* An f32 value kept between -limit and limit (NaN stays). */
NodeId maker_clip(Maker *maker, NodeId node, double limit);

#endif
