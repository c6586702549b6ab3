/* From ONNX's nodes to expressions of the model language. Every value of the file becomes a
 * Tensor: a constant, whose numbers are known here, or an expression of others. An operation
 * (ops.def) gives its outputs a shape and a text. When all are translated, write.c decides which
 * tensors get a name of their own, and prints the statements. The first axis of the inputs is
 * the batch. Its size is not known: a Dim is a number, or a multiple of N. */
#ifndef MLC_ONNX_IN_TRANSLATE_H
#define MLC_ONNX_IN_TRANSLATE_H

#include "ir/ops/shapes.h"
#include "onnx/import.h"
#include "onnx/in/model.h"

typedef struct {
    int64_t size;
    bool rows; /* size * N */
} Dim;

typedef enum { KIND_REAL, KIND_WHOLE, KIND_BOOL } TensorKind;

/* The language has no recurrent layers, so the text defines them (recurrent.def). */
typedef enum {
#define RECURRENT(name, op, gates, text) RECURRENT_##name,
#include "onnx/in/recurrent.def"
    RECURRENT_KINDS
} RecurrentKind;

enum {
    FORM_USED = 1,
    FORM_BACKWARDS = 2,
    FORM_BEGINS = 4, /* a layer begins with given states */
    FORM_CELLS = 8,  /* the last cell state is needed */
    FORM_ACTIVATION = 16
};

/* The precedence of an expression's outermost operator, as in the language. */
typedef enum {
    LEVEL_PIPE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_SIGN,
    LEVEL_POWER,
    LEVEL_ATOM
} Level;

typedef struct Tensor Tensor;

/* The weights of a layer, in the order in which the layer makes them. */
enum { LAYER_WEIGHTS = 4 };
typedef struct {
    const char *kind; /* "dense"; NULL: one weight, which is named after its variable */
    const char *roles[LAYER_WEIGHTS];
    const Tensor
        *values[LAYER_WEIGHTS]; /* constants of real numbers, in the shape of the layer's weights */
    uint32_t count;
    bool
        /* the text defines the layer: its weights are named after their roles, those of the second
         * layer "lstm_input_2" */
        defined;
} Layer;

struct Tensor {
    const char *name;     /* in the file */
    const OnnxNode *node; /* the node that makes it; NULL: an input or a tensor of the file */
    Tensor **in;          /* of the node */
    uint32_t consumers;   /* the number of nodes and outputs that read it */
    TensorKind kind;
    int rank;
    Dim dims[ONNX_MAX_RANK];
    /* a constant */
    OnnxType type;          /* the type of a tensor of the file */
    bool constant, trained; /* trained: a tensor of the file, not a number in a node */
    int64_t count;
    const float
        *reals; /* [count]; NULL: whole numbers or truth values, which may be multiples of N */
    const Dim *wholes;
    /* an expression */
    const char *text; /* "%05 + %16": argument 0 of at least level 5, then argument 1 of level 6 */
    bool pipe;        /* the text is a call whose first argument, args[0], is left out: x |> TEXT */
    Level level;
    Tensor **args;
    uint32_t arg_count;
    Layer *layer;
    float eps;  /* the eps of a layer_norm */
    bool joins; /* a concat of args along `axis` */
    int axis;
    bool permuted; /* it is args[0] with its axes in another order: axis i is axis order[i] there */
    int order[ONNX_MAX_RANK];
    /* used when the text is written: */
    bool failed;           /* an error of its node, or of an earlier one, has been reported */
    bool reached, apart;   /* apart: has a statement of its own */
    uint32_t uses, stages; /* stages: calls and layers in the text and in its arguments */
    int depth;
    const char *variable;
};

typedef struct {
    const OnnxNode *onnx;
    const char *text; /* the text of the row in ops.def */
    Level level;
    Tensor **in, **out; /* in[i] is NULL if the input is left out */
    uint32_t in_count, out_count;
} OpNode;

typedef struct {
    const OnnxModel *model;
    const char *path;
    Arena *arena;
    Diagnostics *diag;
    Names *tensors; /* by name in the file */
    Tensor **made;  /* all expressions, in the order of the nodes */
    uint32_t made_count, made_capacity;
    int64_t batch;            /* the size of the first axis that the file fixes; 0: none */
    const char *const *sizes; /* "NAME=NUMBER", of axes that have a name */
    uint32_t size_count;
    Tensor **inputs, **outputs; /* the inputs and outputs of the model */
    uint32_t input_count, output_count;
    uint32_t recurrent_forms[RECURRENT_KINDS]; /* what the layers of the file need: FORM_ */
    const char *const *classes;                /* names of classes that the file has; NULL: none */
    uint32_t class_count;
    ImportNotes *notes;
} Import;

/* -- errors -- */

/* Reports what cannot be translated, with the node and its place; returns false. */
bool node_fail(const Import *import, const OpNode *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a remark about a difference between file and model; printed after the import. */
void import_note(Import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* -- attributes -- */
int64_t node_int(const OpNode *node, const char *name, int64_t standard);
float node_float(const OpNode *node, const char *name, float standard);
const char *node_string(const OpNode *node, const char *name, const char *standard);
/* The numbers of an attribute; NULL: the node does not have it. */
const int64_t *node_ints(const OpNode *node, const char *name, uint32_t *count);
/* The axes that the attribute "axes" lists, or else the input `input`, counted from 0. rank: that
 * of the tensor with these axes. *given: there is such a list. */
bool node_axes(const Import *import, const OpNode *node, uint32_t input, int rank, int64_t *axes,
               uint32_t *count, bool *given);
/* The whole numbers of a constant input; none may be a multiple of N. */
bool node_constant(const Import *import, const OpNode *node, uint32_t input,
                   const int64_t **numbers, uint32_t *count);
bool axis_of(const Import *import, const OpNode *node, int64_t axis, int rank, int *result);
/* The numbers of input 1 as indices of an axis of this size, counted from 0. */
bool node_indices(const Import *import, const OpNode *node, int64_t size, const int64_t **index,
                  uint32_t *count);
/* The elements from, from + step, ... of an axis, `count` of them. */
typedef struct {
    int axis;
    int64_t from, count, step;
} Part;
/* What a Slice takes of x, axis by axis; there is room for ONNX_MAX_RANK parts. An axis that is
 * taken whole is left out. */
bool node_parts(const Import *import, const OpNode *node, const Tensor *x, Part *parts,
                uint32_t *count);
/* The axis of a Split, and the size of each output. */
bool node_split(const Import *import, const OpNode *node, int *axis, const int64_t **sizes);
/* The padding of all axes: pads[axis] before, pads[rank + axis] after; negative ones remove
 * elements. NULL after an error. */
const int64_t *node_pads(const Import *import, const OpNode *node, int rank);
/* The axes of a reduction of x; all if the node names none. */
bool reduced_axes(const Import *import, const OpNode *node, const Tensor *x, int64_t *axes,
                  uint32_t *count);
/* The axis of a CumSum. */
bool cumsum_axis(const Import *import, const OpNode *node, int *axis);
/* The shape of x without some axes, or with sizes of 1 there; returns the rank. */
int reduced_dims(const Tensor *x, const int64_t *axes, uint32_t count, bool keep, Dim *dims);

/* -- tensors -- */
Tensor *tensor_new(Import *import, const char *name);
Tensor *constant_reals(Import *import, const float *reals, int rank, const Dim *dims);
Tensor *constant_wholes(Import *import, const Dim *wholes, int64_t count, TensorKind kind);
bool is_number(const Tensor *tensor, double *number); /* a constant of one element without N */
double constant_element(const Tensor *constant, int64_t at);
bool same_dims(const Tensor *a, const Tensor *b);
/* Whether a training may change a constant: a tensor of the file with several finite numbers. */
bool is_weight(const Tensor *constant);
bool dim_equal(Dim a, Dim b);
const char *dim_text(const Import *import, Dim dim);
const char *dims_text(const Import *import, const Dim *dims, int rank); /* "[N, 3, 4]" */
/* The sizes as numbers; false: one of them is a multiple of N. */
bool fixed_dims(const Tensor *tensor, int64_t dims[ONNX_MAX_RANK]);
/* "0.5", "1e-05", with a point or an exponent; an infinity becomes the largest number */
const char *real_text(const Import *import, float value);

/* -- expressions -- */
/* Output `which` of the node has this text and these arguments; shape and kind are those of
 * args[0], to be changed by the caller. */
Tensor *make(Import *import, const OpNode *node, uint32_t which, Level level, const char *text,
             uint32_t count, Tensor *const *args);
Tensor *make_pipe(Import *import, const OpNode *node, uint32_t which, const char *text, Tensor *x);
void set_dims(Tensor *tensor, int rank, const Dim *dims);
/* x with its axes in another order. If x itself is permuted and the two cancel, the tensor before
 * both. */
Tensor *permuted(Import *import, Tensor *x, const int *order);
/* Makes output `which` another name of a tensor. */
void make_same(Import *import, OpNode *node, uint32_t which, Tensor *tensor);
/* A tensor between two nodes, without a name in the file. */
Tensor *inner(Import *import, Level level, const char *text, uint32_t count, Tensor *const *args);
Tensor *inner_pipe(Import *import, const char *text, Tensor *x);
Layer *layer_new(Import *import, Tensor *tensor, const char *kind);
void layer_add(Layer *layer, const char *role, const Tensor *value);
/* A constant with other sizes, and the same elements. */
const Tensor *reshaped(Import *import, const Tensor *constant, int rank, const int64_t *dims);
const Tensor *transposed(Import *import, const Tensor *constant, int rank, const int *order);
/* The shape to which a and b are broadcast; false after reporting that they do not fit. */
bool broadcast_dims(const Import *import, const OpNode *node, const Tensor *a, const Tensor *b,
                    int *rank, Dim *dims);

/* The shape of x with one axis replaced by those of the indices; returns the rank. There is room
 * for 2 * ONNX_MAX_RANK axes. */
int gathered_dims(const Tensor *x, int axis, const Tensor *index, Dim *dims);
/* That of a Where: its three inputs are broadcast together. */
bool where_dims(const Import *import, const OpNode *node, int *rank, Dim *dims);

/* x with another shape, of the same elements. */
Tensor *reshape_to(Import *import, Tensor *x, int rank, const Dim *dims);
/* A dense layer on the last axis of x; weight [out, in]. node: x becomes its output; NULL: a tensor
 * between two nodes. */
Tensor *make_dense(Import *import, OpNode *node, Tensor *x, const Tensor *weight);

/* The argument of a layer without a bias. layer_text_with_bias removes it from the text. */
#define NO_BIAS "bias = false"
const char *layer_text_with_bias(const Import *import, const char *text);
/* Whether the inputs `first` to `last` are constants with an element for each channel; reports
 * others. */
bool channel_constants(const Import *import, const OpNode *node, uint32_t first, uint32_t last,
                       int64_t channels);
/* layer_norm with its eps, and with the weights that it has. */
const char *norm_text(const Import *import, const Tensor *norm, bool bias);
/* "%09[:, 2:5]": a part of one axis of argument 0, with a step. */
const char *part_text(const Import *import, int axis, int64_t from, int64_t to, int64_t step);
/* A part of x, which is not empty: x[:, 2:5], or a gather if the step is negative. */
Tensor *take_part(Import *import, Tensor *x, Part part);
/* x[:, at]: the axis is removed. */
Tensor *take_one(Import *import, Tensor *x, int axis, int64_t at);
/* Tensors one after the other along an axis; the other sizes are those of the first. */
Tensor *joined(Import *import, int axis, uint32_t count, Tensor *const *parts);
/* The elements index[0], ... index[count - 1] of an axis of x, count > 0. */
Tensor *take_elements(Import *import, Tensor *x, int axis, int64_t count, const int64_t *index);
/* The condition that an element is in a triangle of the last two axes: "index([5, 5], 1) <=
 * index([5, 5], 0) + 2". */
const char *triangle_text(const Import *import, const Dim *dims, int rank, const char *compare,
                          int64_t diagonal);
/* x with a number before and after an axis. */
Tensor *pad_with(Import *import, Tensor *x, const char *number, int axis, int64_t before,
                 int64_t after);
Tensor *constant_of_file(Import *import, const OnnxTensor *from);

/* Computes a node of constants; *done: it was one. false after reporting errors. */
bool fold(Import *import, OpNode *node, bool *done);
/* Recognizes functions that exporters write as several nodes: layer_norm, gelu, silu. true: the
 * output is made. */
bool spelled_out(Import *import, OpNode *node);

/* -- operations: one function for a row or several of ops.def; false after reporting -- */
typedef bool TranslateOp(Import *import, OpNode *node);
#define OP(name, function, ...) TranslateOp op_##function;
#include "onnx/in/ops.def"

/* -- the text -- */
void write_model(Import *import, Imported *imported);

#endif
