/* Facts about a model that the evaluator records while it builds the graphs. ModelInfo passes them
 * on to other libraries. */
#ifndef MLC_FRONTEND_EVALUATE_MODEL_FACTS_H
#define MLC_FRONTEND_EVALUATE_MODEL_FACTS_H

#include "ir/ir.h"

/* A field of the source that is used as class numbers: one_hot(source.kind, 3). Its values are not
 * known while compiling, so the runtime checks that each is below the number of columns. The arrays
 * have an item for each element of a row. */
typedef struct {
    const char *field;
    int64_t *columns; /* how many columns each element chooses from; 0: it is not a class */
    Span *spans;      /* where the model uses it so */
} ClassUse;

/* Class numbers that are computed from the data: int(source.grade - 1). GRAPH_CHOICES computes
 * them, so that they can be checked row by row. */
typedef struct {
    int64_t columns;
    Span span;
} ComputedChoice;

/* An input of the model's graphs, a field of the source or a derived column, and where the model
 * names it. */
typedef struct {
    const char *name;
    Span span;
    bool compared; /* the loss compares the input, so that no number in it may be missing */
} DataUse;

/* A metric that is a matrix of counts, confusion(...): a row for each true class, a column for each
 * predicted one. */
typedef struct {
    int64_t classes;   /* 0: the metric is a number */
    int64_t answers;   /* how many elements of a row of the data are counted; 0: not known */
    const char *label; /* the source field that has the names of the classes; NULL: none */
} MetricCounts;

/* A layer call of the model: a line of `mlc summary`. */
typedef struct {
    const char *name;  /* "dense1" */
    const char *op;    /* "dense", "relu", ... */
    TensorType output; /* with the batch size in dimension 0 */
    int64_t weights;   /* trainable numbers that this call made */
    /* floating-point operations of the forward pass for one row: 2 k n for a matmul, 1 an
     * elementwise op */
    int64_t operations;
    uint32_t line; /* of the model's own file; 0: the call is in a file that the model uses */
} LayerInfo;

#endif
