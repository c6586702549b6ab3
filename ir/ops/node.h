/* What a graph is made of: dtypes, shapes, ops with their attributes, nodes, and the symbols that reach a graph from outside. */
#ifndef MLC_IR_OPS_NODE_H
#define MLC_IR_OPS_NODE_H

#include "ir/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { DTYPE_F32, DTYPE_I32, DTYPE_U8, DTYPE_BOOL, DTYPE_COUNT } DType; /* bool: one byte, 0 or 1 */

enum {
    SHAPE_MAX_RANK = 6,
    GRAPH_MAX_NODES = 100000, /* in a graph read from text or lowered from a model; passes may build more */
};
#define SHAPE_MAX_ELEMENTS ((int64_t)1 << 31)

/* The order of sums. So many elements at most are added one after the other. A longer sum is made of such blocks, which are then added
 * by a binary tree over their indices: pairs (2i, 2i + 1), and an odd one rises to the next level. */
enum { SUM_BLOCK = 1024 };

/* Of what a graph means, bit for bit: docs/numerics.md says what each version changed. Checkpoints hold it. */
enum { NUMERICS_VERSION = 2 };

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
#define OP(name, arity, class, attrs, rule, gradient, expand, doc) OP_##name,
#include "ir/ops/ops.def"
    OP_COUNT
} Op;

typedef enum { CLASS_LEAF, CLASS_ELEMENTWISE, CLASS_VIEW, CLASS_REDUCE, CLASS_SCAN, CLASS_MATRIX, CLASS_COMPOSITE } OpClass;
typedef enum {
    ATTRS_NONE,
    ATTRS_SYMBOL, /* symbol */
    ATTRS_VALUE,  /* value */
    ATTRS_AXIS,   /* axis, from 0 */
    ATTRS_PERM,   /* a[0..rank): the permutation */
    ATTRS_RANGE,  /* a: start, b: stop, c: step (>= 1), along every axis */
    ATTRS_PAD,    /* a: zeros before, b: zeros after, along every axis */
    ATTRS_WINDOW, /* a: kernel, b: stride, c: dilation; each along height and width */
    ATTRS_CONV,   /* a: stride, b: dilation, likewise; c[0]: groups */
    ATTRS_DRAW,   /* a[0]: stream, a[1]: substream, both as unsigned 32-bit numbers */
    ATTRS_MATMUL, /* transpose_a, transpose_b: the operand is stored with its last two axes exchanged */
    ATTRS_KINDS
} AttrsKind;

/* Attributes; those an op does not use are zero (equality of nodes is equality of bytes). */
typedef struct {
    int64_t a[SHAPE_MAX_RANK], b[SHAPE_MAX_RANK], c[SHAPE_MAX_RANK];
    union {
        float f;
        int32_t i;
        uint32_t bits; /* all dtypes: u8 and bool in the low byte */
    } value;
    uint32_t symbol; /* index into the graph's symbols */
    int8_t axis;
    bool transpose_a, transpose_b;
    uint8_t unused[5]; /* no hidden padding: equality is of bytes */
} Attrs;
_Static_assert(sizeof(Attrs) == 3 * SHAPE_MAX_RANK * sizeof(int64_t) + 16, "Attrs has no padding");

typedef uint32_t NodeId;
enum { NODE_NONE = 0 }; /* ids start at 1; builders given NODE_NONE return it: the error has been reported */

typedef struct {
    Op op;
    DType dtype;
    Shape shape;
    uint32_t operand_count;
    const NodeId *operands;
    Attrs attrs;
    Span span; /* where in the model it came from */
} Node;

/* What a state holds before the first step. Drawn by state_initialize (ir/ops/random.h) from the seed and the state's name. */
typedef enum { INIT_CONSTANT, INIT_UNIFORM, INIT_NORMAL, INIT_ORTHOGONAL, INIT_FITTED, INIT_KINDS } InitKind;
typedef struct {
    InitKind kind;
    float a,
        b; /* constant: a. uniform: [a, b). normal: mean a, deviation b. orthogonal: gain a. fitted: a, until computed from the data */
} Init;

typedef enum {
    SYMBOL_BATCH, /* input: rows of a data set; dimension 0 is the batch */
    SYMBOL_VALUE, /* input: a whole tensor, the same for every row (scalars such as step) */
    SYMBOL_STATE
} SymbolKind;

/* A named thing that reaches the graph from outside. Its node is the one input or state node that carries it. */
typedef struct {
    SymbolKind kind;
    const char *name;
    DType dtype;
    Shape shape;
    Init init;      /* states */
    bool trainable; /* states: a weight, not a moment or a running statistic */
    NodeId node;
    NodeId update; /* states: its value after the step; NODE_NONE: it stays */
} Symbol;

/* A weight or running statistic: what the transforms of the data learn belongs to the data, not to the network. */
static inline bool symbol_is_network(const Symbol *symbol) {
    return symbol->kind == SYMBOL_STATE && symbol->init.kind != INIT_FITTED;
}

#endif
