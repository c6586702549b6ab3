/* Imports ONNX: from a file to the text of a model, as a person would write it, and its weights. */
#ifndef MLC_ONNX_IMPORT_H
#define MLC_ONNX_IMPORT_H

#include "ir/base/arena.h"
#include "ir/data/source.h"

typedef struct {
    const char *name; /* the name in the model: "dense1.weight" */
    Shape shape;
    const float *data;
} ImportedWeight;

/* Remarks for the user. */
typedef struct {
    const char **items;
    uint32_t count, capacity;
} ImportNotes;

typedef struct {
    const char *text; /* the text of the model */
    ImportedWeight *weights;
    uint32_t weight_count, weight_capacity;
    SourceSchema schema; /* the schema of the data that its data block reads */
    uint32_t layers;     /* the number of calls of layers in the text */
    ImportNotes notes;
} Imported;

/* Reads an ONNX file. `sizes`: "NAME=NUMBER" for axes that have a name instead of a size.
 * Everything lives in the arena. false after reporting errors. STATUS_FILE: the file, or one that
 * holds its weights, cannot be read or is damaged. STATUS_MODEL: the language cannot express it;
 * all unknown operations are reported at once. */
bool onnx_import(const char *path, const char *const *sizes, uint32_t size_count, Arena *arena,
                 Imported *imported, Diagnostics *diag);

#endif
