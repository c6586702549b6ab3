/* ONNX out: the graph of a network, with its weights, becomes the bytes of an ONNX file. */
#ifndef MLC_ONNX_EXPORT_H
#define MLC_ONNX_EXPORT_H

#include "ir/base/arena.h"
#include "ir/data/derived.h"
#include "onnx/wire/fields.h"

/* A pair of the file's metadata. */
typedef struct {
    const char *key, *value;
} ExportEntry;

/* An input of the file. */
typedef struct {
    const char *name;
    const char *key; /* the key made by onnx_input_key, or the name of the symbol itself */
    NodeId like;     /* the node of the symbol that has the shape of the input */
    OnnxType type;
} ExportInput;

/* A BATCH symbol of the graph that is computed from inputs of the file. */
typedef struct {
    const char *symbol;
    const Derived *derived;
} ExportColumn;

/* A VALUE symbol that is a number, or the input of that key. VALUE symbols that are neither this
 * nor an input are 0. */
typedef struct {
    const char *symbol, *key; /* key NULL: the number */
    int32_t number;
} ExportValue;

/* The numbers that a transform of a column was fitted to, with the shape `row`. */
typedef struct {
    const char *name;
    Shape row;
    const double *values, *deviation; /* deviation: NULL, or values are means */
} ExportFitted;

typedef struct {
    /* `graph` and `other` are one network for two numbers of rows. Sizes that differ between them
     * are multiples of the batch size, which the file leaves open. `other` NULL: the file has the
     * batch size of `graph`. Layers are recognized by building them again, so `graph` gets further
     * nodes, which nothing reads. */
    Graph *graph;
    const Graph *other;
    /* The values of a state in row-major order, which live as long as the arena. */
    const void *(*state)(void *context, const char *name);
    void *context;
    const ExportInput *inputs;
    uint32_t input_count;
    /* The states that are inputs too; the file holds their first values. */
    const char *const *carried;
    uint32_t carried_count;
    const ExportColumn *columns; /* the BATCH symbols that are not inputs themselves */
    uint32_t column_count;
    const ExportValue *values;
    uint32_t value_count;
    const ExportFitted *fitted;
    uint32_t fitted_count;
    const SourceSchema *schema; /* the schema of the columns */
    const char *name;           /* the name of the network */
    const ExportEntry *entries;
    uint32_t entry_count;
} OnnxExport;

typedef struct {
    char *bytes; /* to be freed */
    size_t length;
    uint32_t nodes, tensors;
    int opset;
} Exported;

OnnxType onnx_type(DType dtype);
/* Whether the file can compute the column. Dates, classes and columns of other rows cannot be
 * computed in ONNX: such a column is an input, with the values that mlc computes. */
bool onnx_can_derive(const Derived *derived);
/* The key of an input from which a symbol is computed: `leaf`, one of the columns that it reads. */
const char *onnx_input_key(Arena *arena, const SourceSchema *schema, const char *symbol,
                           const Derived *leaf);

/* Whether the graphs differ only in the number of rows. If not, *differs is the first place in the
 * model where they differ. */
bool onnx_rows_free(const Graph *graph, const Graph *other, Arena *arena, Span *differs);
/* Makes the file. false after reporting errors: STATUS_MODEL lists all operations that ONNX does
 * not have; STATUS_FILE means that the file would have more than 2 GB. */
bool onnx_export(const OnnxExport *wanted, Arena *arena, Exported *exported, Diagnostics *diag);

#endif
