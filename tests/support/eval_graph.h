/* A graph of one op, which the interpreter runs on given data: a cmocka fixture. */
#ifndef MLC_TESTS_SUPPORT_EVAL_GRAPH_H
#define MLC_TESTS_SUPPORT_EVAL_GRAPH_H

#include "ir/ir.h"

typedef struct {
    Diagnostics *diag;
    Graph *graph;
    Interp *interp;
    const void *data[4]; /* of the inputs, in order */
} EvalGraph;
extern EvalGraph fixture;
int eval_set_up(void **state);
int eval_tear_down(void **state);

#define SHAPE(...)                                                                                 \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

/* Adds an input; data of dtype f32 is given as float in both precisions. */
NodeId eval_input(DType dtype, Shape shape, const void *data);
/* The elements of a node. */
const void *eval_run(NodeId node, Precision precision);

/* Compares bits; any NaN equals any other. expect_rounded: in f32 only, where f64 may have another
 * result. The others: in both precisions. */
void expect_rounded(NodeId node, const float *expected, int count);
void expect_floats(NodeId node, const float *expected, int count);
void expect_ints(NodeId node, const int32_t *expected, int count);
void expect_bytes(NodeId node, const uint8_t *expected, int count);
#define FLOATS(node, ...)                                                                          \
    expect_floats(node, (float[]){__VA_ARGS__},                                                    \
                  (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))
#define ROUNDED(node, ...)                                                                         \
    expect_rounded(node, (float[]){__VA_ARGS__},                                                   \
                   (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))
#define INTS(node, ...)                                                                            \
    expect_ints(node, (int32_t[]){__VA_ARGS__},                                                    \
                (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)))
#define BYTES(node, ...)                                                                           \
    expect_bytes(node, (uint8_t[]){__VA_ARGS__}, (int)sizeof((uint8_t[]){__VA_ARGS__}))

#endif
