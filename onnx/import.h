/* ONNX in: a file becomes the text of a model, as a person would have written it, and its
 * weights. */
#ifndef MLC_ONNX_IMPORT_H
#define MLC_ONNX_IMPORT_H

#include "ir/base/arena.h"
#include "ir/data/source.h"

typedef struct {
    const char *name; /* in the model: "dense1.weight" */
    Shape shape;
    const float *data;
} ImportedWeight;

/* Remarks for the user. */
typedef struct {
    const char **items;
    uint32_t count, capacity;
} ImportNotes;

typedef struct {
    const char *text; /* of the model */
    ImportedWeight *weights;
    uint32_t weight_count, weight_capacity;
    SourceSchema schema; /* of the data that its data block asks for */
    uint32_t layers;     /* calls of layers in the text */
    ImportNotes notes;
} Imported;

/* Reads an ONNX file. `sizes`: "NAME=NUMBER" for axes that have a name instead of a size.
 * Everything lives in the arena. false after reporting errors: STATUS_FILE, the file or one of
 * those with its weights cannot be read or is damaged; STATUS_MODEL, it has what the language
 * cannot say: all unknown operations at once. */
bool onnx_import(const char *path, const char *const *sizes, uint32_t size_count, Arena *arena,
                 Imported *imported, Diagnostics *diag);

#endif
