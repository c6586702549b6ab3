/* An array with a name, as files of arrays hold it. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NAMED_ARRAY_H
#define MLC_RUNTIME_FORMATS_NAMED_ARRAY_H

#include "ir/graph/graph.h"

typedef struct {
    const char *name;
    DType dtype;
    Shape shape;
    const void *data; /* row-major */
    bool f64;         /* the elements are double, whatever dtype says; only in npz archives */
} NamedArray;

#endif
