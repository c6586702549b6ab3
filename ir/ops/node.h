/* The parts of a graph: dtypes, shapes, ops with their attributes, nodes, and symbols, the named
 * tensors that come from outside. */
#ifndef MLC_IR_OPS_NODE_H
#define MLC_IR_OPS_NODE_H

#include "ir/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* bool: one byte, 0 or 1 */
typedef enum { DTYPE_F32, DTYPE_I32, DTYPE_U8, DTYPE_I8, DTYPE_BOOL, DTYPE_COUNT } DType;

enum {
    SHAPE_MAX_RANK = 6,
    /* in a graph read from text or lowered from a model; passes may build more */
    GRAPH_MAX_NODES = 100000,
};
#define SHAPE_MAX_ELEMENTS ((int64_t)1 << 31)

/* The order of sums. Up to SUM_BLOCK elements are added one after the other. A longer sum is cut
 * into such blocks; their sums are added by a binary tree: pairs (2i, 2i + 1), and an odd one rises
 * to the next level. */
enum { SUM_BLOCK = 1024 };

/* The version of the meaning of graphs, bit for bit. Checkpoints store it; docs/numerics.md lists
 * the changes of each version. */
enum { NUMERICS_VERSION = 3 };

typedef struct {
    int32_t rank;                /* 0: a scalar */
    int64_t dim[SHAPE_MAX_RANK]; /* each >= 1; entries from rank on are 0 */
} Shape;

/* The type of a tensor. */
typedef struct {
    DType dtype;
    Shape shape;
} TensorType;

typedef enum {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc) OP_##name,
#include "ir/ops/ops.def"
    OP_COUNT
} Op;

typedef enum {
    CLASS_LEAF,
    CLASS_ELEMENTWISE,
    CLASS_VIEW,
    CLASS_REDUCE,
    CLASS_SCAN,
    CLASS_MATRIX,
    CLASS_WINOGRAD,
    CLASS_COMPOSITE
} OpClass;
/* When an element of the result is 0 because elements of operands are. A factor is a finite
 * constant other than 0. */
typedef enum {
    ZERO_NONE,
    ZERO_ALL, /* all operands are 0 */
    /* a * b or a * b + c: a is 0 and b is 0 or a factor, or the reverse; and c is 0 */
    ZERO_PRODUCT,
    ZERO_QUOTIENT, /* a / b: a is 0 and b is a factor */
} ZeroRule;

/* Which member of Attrs an op uses. */
typedef enum {
    ATTRS_NONE,
    ATTRS_SYMBOL,
    ATTRS_VALUE,
    ATTRS_AXIS,
    ATTRS_PERM,
    ATTRS_RANGE,
    ATTRS_PAD,
    ATTRS_WINDOW,
    ATTRS_CONV,
    ATTRS_RANDOM,
    ATTRS_MATMUL,
    ATTRS_KINDS
} AttrsKind;

/* Kernel size, stride and dilation, each along height and width. */
typedef struct {
    int64_t kernel[2], stride[2], dilation[2];
} Window;

/* Which random numbers: see build_random. */
typedef struct {
    uint32_t stream, substream;
    uint32_t row; /* elements of a row of the batch; 0: the numbers do not belong to rows */
} RandomNumbers;

/* The attributes of an op. Equality of nodes is equality of bytes: graph_add sets the bytes outside
 * of the op's member to zero. */
typedef union {
    /* slice, along every axis; step >= 1 */
    struct {
        int64_t start[SHAPE_MAX_RANK], stop[SHAPE_MAX_RANK], step[SHAPE_MAX_RANK];
    } range;
    /* pad: numbers of zeros along every axis */
    struct {
        int64_t before[SHAPE_MAX_RANK], after[SHAPE_MAX_RANK];
    } pad;
    /* transpose: result axis i is operand axis perm[i] */
    int64_t perm[SHAPE_MAX_RANK];
    /* windows, max_pool */
    Window window;
    /* conv: the kernel's size is that of the weights */
    struct {
        int64_t stride[2], dilation[2], groups;
    } conv;
    RandomNumbers random;
    /* matmul: the operand is stored with its last two axes exchanged */
    struct {
        bool transpose_a, transpose_b;
    } matmul;
    /* constant; bits: of all dtypes, those of one byte in the low byte */
    union {
        float f;
        int32_t i;
        uint32_t bits;
    } value;
    uint32_t symbol; /* input, state: index into the graph's symbols */
    int32_t axis;    /* from 0 */
} Attrs;

typedef uint32_t NodeId;
/* ids start at 1; builders given NODE_NONE return it: the error has been reported */
enum { NODE_NONE = 0 };

typedef struct {
    Op op;
    DType dtype;
    Shape shape;
    uint32_t operand_count;
    const NodeId *operands;
    Attrs attrs;
    Span span; /* where in the model it came from */
} Node;

/* The value of a state before the first step. state_initialize (ir/ops/random.h) computes it from
 * the seed and the state's name. */
typedef enum {
    INIT_CONSTANT,
    INIT_UNIFORM,
    INIT_NORMAL,
    INIT_ORTHOGONAL,
    INIT_FITTED,
    INIT_KINDS
} InitKind;
typedef struct {
    InitKind kind;
    /* constant: a. uniform: [a, b). normal: mean a, deviation b. orthogonal: gain a. fitted: a,
     * until computed from the data */
    float a, b;
} Init;

typedef enum {
    SYMBOL_BATCH, /* input: rows of a data set; dimension 0 is the batch */
    SYMBOL_VALUE, /* input: a whole tensor, the same for every row (scalars such as step) */
    SYMBOL_STATE
} SymbolKind;

/* A named tensor that comes from outside the graph. Exactly one node, an input or a state, stands
 * for it. */
typedef struct {
    SymbolKind kind;
    const char *name;
    DType dtype;
    Shape shape;
    Init init;      /* states */
    bool trainable; /* states: a weight, not a moment or a running statistic */
    NodeId node;
    NodeId update; /* states: the value after the step; NODE_NONE: the state stays as it is */
} Symbol;

/* A weight or running statistic. States that transforms of the data are fitted to belong to the
 * data, not to the network. */
static inline bool symbol_is_network(const Symbol *symbol) {
    return symbol->kind == SYMBOL_STATE && symbol->init.kind != INIT_FITTED;
}

#endif
