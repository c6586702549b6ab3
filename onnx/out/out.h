/* From a graph to ONNX's nodes, in two walks. The first one goes backwards from the outputs and
 * chooses the form of each node that is needed: its row in ops.def, or a layer of patterns.def that
 * ends in it and covers nodes before it. The second one goes forwards and writes the forms.
 *
 * Operations on elements broadcast in ONNX as in numpy. So a broadcast is not written, and a
 * constant is one number: both stay small until an operation needs all of their elements. */
#ifndef MLC_ONNX_OUT_OUT_H
#define MLC_ONNX_OUT_OUT_H

#include "ir/base/names.h"
#include "onnx/export.h"
#include "onnx/out/rows.h"
#include "onnx/wire/writer.h"

/* A value in the file. Its sizes may be smaller than those of its node, to which it is broadcast. */
typedef struct {
    const char *name; /* NULL: not written */
    int rank;
    Sizes sizes;
} Value;

typedef struct Out Out;
typedef struct Form Form;
/* Writes a node; false after reporting an error. */
typedef bool Writer(Out *out, NodeId id, const Form *form);

struct Form {
    Writer *write;
    const char *op; /* of ONNX: the text of the row */
    const NodeId *operands;
    uint32_t count;
    float number;    /* of a layer: eps, slope, alpha */
    NodeId core;     /* the node of a layer that has its attributes; NODE_NONE: its last one */
    int64_t pads[4]; /* of height and width: before, before, after, after */
    /* of a transposed convolution: also how many rows and columns more than the least it has */
    int64_t stride[2], extra[2];
};

struct Out {
    const OnnxExport *wanted;
    Graph *graph;
    Arena *arena;
    Diagnostics *diag;
    NodeId end; /* of the graph's own nodes: behind it are those that patterns have built */
    const Sizes *sizes;
    const uint32_t *uses; /* [node]: by how many operands and outputs */
    Form *forms;          /* write NULL: not needed */
    Value *values;
    const char **outputs; /* [node]: the name of the output that it is; or NULL */
    Names *names;         /* of all values in the file */
    WireWriter nodes, tensors;
    const char *rows; /* a tensor [1] with the number of rows; NULL: not written */
    int opset;
    uint32_t node_count, tensor_count;
};

/* The lowest opset and version of the format that have what mlc writes, and those with operations
 * on bits. */
enum { OPSET_STANDARD = 17, OPSET_BITS = 18, IR_VERSION = 8 };

/* -- writing nodes (nodes.c) -- */

/* A node that is being written. Its inputs must have been written before it is begun. */
typedef struct {
    Out *out;
    size_t begun;
} OutNode;
OutNode put_begin(Out *out, const char *op);
void put_input(OutNode *node, const char *name); /* "": left out */
void put_int(OutNode *node, const char *name, int64_t value);
void put_ints(OutNode *node, const char *name, const int64_t *values, size_t count);
void put_float(OutNode *node, const char *name, float value);
void put_text(OutNode *node, const char *name, const char *value);
/* Ends it. `name`: of its output; NULL: a new one, after the operation. Returns the name. */
const char *put_end(OutNode *node, const char *name);
/* A whole node without attributes, from the names of its inputs. */
const char *put_call(Out *out, const char *name, const char *op, uint32_t count, ...);

/* One of one or two operands (b NULL: one), whose result gets a new name. */
const char *put_step(Out *out, const char *op, const char *a, const char *b);
const char *put_cast(Out *out, const char *name, const char *x, OnnxType type);

/* The name of node `id` in the file: that of the output that it is, or a new one. */
const char *value_name(Out *out, NodeId id, const char *op);
/* Node `id` is now written under this name, in its full size. */
void value_set(Out *out, NodeId id, const char *name);
/* The value of a node as it was written, perhaps smaller than the node. */
const Value *value_of(const Out *out, NodeId id);
/* The name of a value with all elements of the node: broadcast if it was written smaller. */
const char *value_full(Out *out, NodeId id);

/* Constants; each returns a name. Equal ones are written once. */
const char *constant_number(Out *out, DType dtype, uint32_t bits);
const char *constant_f32(Out *out, float value);
const char *constant_i32(Out *out, int32_t value);
const char *constant_list(Out *out, const int64_t *values, size_t count); /* i64[count] */
const char *constant_below(Out *out, int64_t size);                       /* i32[size]: 0, 1, ... */
/* A tensor with the sizes; it is computed if one of them grows with the batch. */
const char *constant_sizes(Out *out, const Size *sizes, int rank);
/* The same for Reshape, which needs no number for one of them. */
const char *constant_reshape(Out *out, const Size *sizes, int rank);
/* Numbers in f64, under a name that says which; rank 0: one number. */
const char *constant_f64(Out *out, const char *name, const double *values, Shape shape);
const char *constant_double(Out *out, double value); /* one number in f64 */
/* A weight: a tensor of the file. */
void tensor_write(Out *out, const char *name, DType dtype, Shape shape, const void *values);
/* A name that no other value has: `wanted`, or `wanted` with a number. */
const char *name_new(Out *out, const char *wanted);

/* The type of an input or an output. */
void type_write(WireWriter *writer, OnnxType type, const Size *sizes, int rank);

/* -- data (data.c) -- */

/* The input that a symbol is, in the type of the symbol. */
const char *input_write(Out *out, const ExportInput *input, NodeId id);
/* Writes the nodes that compute a column of the data. Returns the name of the result. */
const char *column_write(Out *out, const ExportColumn *column, NodeId id);

/* -- forms -- */

/* One function for a row or several of ops.def. */
#define OUT(op, function, text) Writer write_##function;
#include "onnx/out/ops.def"

/* A layer that ends in node `id`? Then the form is filled in but for `write` and `op`. */
typedef bool Pattern(Out *out, NodeId id, Form *form);
#define PATTERN(root, pattern, writer, text)                                                       \
    Pattern match_##pattern;                                                                       \
    Writer write_##writer;
#include "onnx/out/patterns.def"

/* The image [N, C, H, W] of image + bias, a number a channel, which is added with the channels as the
 * last axis; NODE_NONE: the node is no such sum, or the image is used elsewhere, too. */
NodeId biased_image(const Out *out, NodeId id, NodeId *bias);
/* Sets the operands of a form. */
void form_operands(Out *out, Form *form, uint32_t count, const NodeId *operands);

#endif
