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

/* A value in the file. Its sizes may be smaller than those of its node, to which it is
 * broadcast. */
typedef struct {
    const char *name; /* NULL: it has not been written */
    int rank;
    Sizes sizes;
} OutValue;

typedef struct Out Out;
typedef struct Form Form;
/* Writes a node; false after reporting an error. */
typedef bool Writer(Out *out, NodeId id, const Form *form);

struct Form {
    Writer *write;
    const char *op; /* the operation of ONNX: the text of the row */
    const NodeId *operands;
    uint32_t count;
    float number;    /* the parameter of a layer: eps, slope, alpha */
    NodeId core;     /* the node of a layer that has its attributes; NODE_NONE: its last one */
    int64_t pads[4]; /* height and width before, then height and width after */
    /* extra: of a transposed convolution, rows and columns of the result beyond the fewest that its
     * stride allows */
    int64_t stride[2], extra[2];
};

struct Out {
    const OnnxExport *wanted;
    Graph *graph;
    Arena *arena;
    Diagnostics *diag;
    NodeId end; /* of the nodes of the graph itself; patterns have built those from there on */
    const Sizes *sizes;
    const uint32_t *uses; /* [node]: the number of operands and outputs that use it */
    Form *forms;          /* forms[id].write is NULL if the node is not needed */
    OutValue *values;
    const char **outputs; /* [node]: the name of the output that it becomes; or NULL */
    Names *names;         /* the names of all values in the file */
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
void put_input(OutNode *node, const char *name); /* "" leaves the input out */
void put_int(OutNode *node, const char *name, int64_t value);
void put_ints(OutNode *node, const char *name, const int64_t *values, size_t count);
void put_float(OutNode *node, const char *name, float value);
void put_text(OutNode *node, const char *name, const char *value);
/* Ends the node. `name` is that of its output; NULL: a new one, after the operation. Returns the
 * name. */
const char *put_end(OutNode *node, const char *name);
/* Writes a whole node without attributes, from the names of its inputs. */
const char *put_call(Out *out, const char *name, const char *op, uint32_t count, ...);

/* Writes a node of one or two operands (b NULL: one), whose result gets a new name. */
const char *put_step(Out *out, const char *op, const char *a, const char *b);
const char *put_cast(Out *out, const char *name, const char *x, OnnxType type);

/* The name of node `id` in the file: that of the output that it is, or a new one. */
const char *value_name(Out *out, NodeId id, const char *op);
/* Records that node `id` has been written under this name, in its full size. */
void value_set(Out *out, NodeId id, const char *name);
/* The value of a node as it was written, perhaps smaller than the node. */
const OutValue *value_of(const Out *out, NodeId id);
/* The name of a value with all elements of the node: broadcast if it was written smaller. */
const char *value_full(Out *out, NodeId id);

/* Each of the following functions writes a constant and returns its name. Equal constants are
 * written once. */
const char *constant_number(Out *out, DType dtype, uint32_t bits);
const char *constant_f32(Out *out, float value);
const char *constant_i32(Out *out, int32_t value);
const char *constant_list(Out *out, const int64_t *values, size_t count); /* i64[count] */
const char *constant_below(Out *out, int64_t size);                       /* i32[size]: 0, 1, ... */
/* A tensor with the sizes; it is computed if one of them grows with the batch. */
const char *constant_sizes(Out *out, const Size *sizes, int rank);
/* constant_sizes for Reshape, which can infer one of the sizes. */
const char *constant_reshape(Out *out, const Size *sizes, int rank);
/* Numbers in f64, under the given name; rank 0: one number. */
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

/* Whether a layer ends in node `id`. Then the form is filled in, except for `write` and `op`. */
typedef bool Pattern(Out *out, NodeId id, Form *form);
#define PATTERN(root, pattern, writer, text)                                                       \
    Pattern match_##pattern;                                                                       \
    Writer write_##writer;
#include "onnx/out/patterns.def"

/* The image [N, C, H, W] in a sum image + bias, where the bias has one number a channel, and the
 * channels are the last axis. NODE_NONE: the node is no such sum, or the image has other uses. */
NodeId biased_image(const Out *out, NodeId id, NodeId *bias);
/* Sets the operands of a form. */
void form_operands(Out *out, Form *form, uint32_t count, const NodeId *operands);

#endif
