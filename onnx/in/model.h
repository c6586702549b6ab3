/* An ONNX file as it was read: messages as structures in the importer's arena. Names may be any
 * text. Numbers of tensors are decoded, but nothing is interpreted yet. */
#ifndef MLC_ONNX_IN_MODEL_H
#define MLC_ONNX_IN_MODEL_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/base/names.h"
#include "onnx/import.h"
#include "onnx/wire/fields.h"

/* The most axes of a tensor that can be imported. */
enum { ONNX_MAX_RANK = 8 };

/* Real numbers are rounded to f32, whole ones and truth values are kept as i64. */
typedef struct {
    const char *name; /* "" for a constant without a name */
    OnnxType type;
    int rank;
    int64_t dims[ONNX_MAX_RANK];
    int64_t count; /* the product of the dims */
    float *reals;  /* [count]; NULL: the elements are whole numbers */
    int64_t *wholes;
} OnnxTensor;

typedef struct {
    const char *name;
    OnnxAttributeKind kind;
    float f;
    int64_t i;
    const char *s, *reference; /* reference: in a function, the attribute of the caller; or NULL */
    const OnnxTensor *t;
    const int64_t *ints;
    const float *floats;
    const char *const *strings;
    uint32_t count; /* the number of ints, floats or strings */
} OnnxAttribute;

typedef struct {
    const char *name, *op, *domain;
    const char **inputs, **outputs; /* "" for an input that is left out */
    uint32_t input_count, output_count;
    const OnnxAttribute *attributes;
    uint32_t attribute_count;
    size_t offset; /* the offset of its message in the file */
} OnnxNode;

typedef struct {
    const char *param; /* the name of a size that is not fixed, perhaps ""; NULL: `value` */
    int64_t value;
} OnnxDim;

/* An input or an output of the graph. */
typedef struct {
    const char *name;
    OnnxType type; /* 0: it is not a tensor but a sequence or a map */
    bool has_shape;
    int rank;
    OnnxDim dims[ONNX_MAX_RANK];
} OnnxValue;

typedef struct {
    OnnxNode *nodes;
    uint32_t node_count, node_capacity;
    OnnxTensor **tensors;
    uint32_t tensor_count, tensor_capacity;
    OnnxValue *inputs, *outputs;
    uint32_t input_count, input_capacity, output_count, output_capacity;
} OnnxGraph;

/* A function of the file, whose calls are replaced by its nodes. */
typedef struct {
    const char *name, *domain;
    const char **inputs, **outputs;
    uint32_t input_count, output_count;
    OnnxGraph body;
} OnnxFunction;

typedef struct {
    const char *path, *producer;
    int64_t opset; /* the version of the domain "" */
    OnnxGraph graph;
    OnnxFunction *functions;
    uint32_t function_count, function_capacity;
} OnnxModel;

/* Reads a file and the files beside it in which it keeps its weights. NULL after reporting
 * errors, STATUS_FILE. */
OnnxModel *onnx_read(const char *path, Arena *arena, Diagnostics *diag);
/* The same for bytes in memory, for fuzzers. `path` is for messages and for finding other files. */
OnnxModel *onnx_read_bytes(const void *bytes, size_t length, const char *path, Arena *arena,
                           Diagnostics *diag);
/* Replaces calls of the file's functions by their nodes, removes nodes that no output needs, and
 * sorts the others so that every value is made before it is used. false after a STATUS_MODEL error:
 * a cycle, a value that no node makes, or two values of one name. */
bool onnx_order(OnnxModel *model, Arena *arena, Diagnostics *diag);
/* Makes the text and the weights of a model that was read. As onnx_import. */
bool onnx_translate(OnnxModel *model, const char *const *sizes, uint32_t size_count, Arena *arena,
                    Imported *imported, Diagnostics *diag);

const OnnxAttribute *onnx_attribute(const OnnxNode *node, const char *name); /* NULL: none */
/* "Conv '/conv1/Conv' (byte 1234)", for messages, in the arena. */
const char *onnx_node_text(const OnnxNode *node, Arena *arena);

#endif
