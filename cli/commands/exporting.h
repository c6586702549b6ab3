/* The state of mlc export. export.c writes weights and export_onnx.c networks. export_inputs.c
 * finds the inputs of a network, export_training.c makes the step of a training, and export_units.c
 * adds outputs in the units of the data. */
#ifndef MLC_CLI_COMMANDS_EXPORTING_H
#define MLC_CLI_COMMANDS_EXPORTING_H

#include "cli/session/build.h"
#include "onnx/export.h"

#include <jansson.h>

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Graph *graph; /* the graph of the predictions: it has all weights */
    CheckpointInfo checkpoint;
} Exporting;

/* An ONNX file that is being made. */
typedef struct {
    const Exporting *exporting;
    Arena *arena;
    Graph *graph, *other; /* owned */
    OnnxExport wanted;
    /* the arrays of `wanted`, which grow */
    ExportInput *inputs;
    ExportEntry *entries;
    uint32_t input_capacity, entry_capacity;
} OnnxFile;

/* Writes the network as an ONNX file. false after reporting errors. */
bool export_onnx(const Exporting *exporting);
/* Builds the graph of a step, whose states become inputs and outputs. false after reporting
 * errors. */
bool export_training(OnnxFile *file);
/* Lists the inputs of the file, and the columns that it computes from them. false after reporting
 * errors. */
bool export_inputs(OnnxFile *file);
/* Adds outputs in the units of the data to a graph of the predictions of so many rows. false after
 * reporting errors. */
bool export_units(OnnxFile *file, Graph *graph, uint32_t rows, Diagnostics *diag);
/* Adds a pair to the metadata. The value becomes JSON, and is released. */
void export_entry(OnnxFile *file, const char *key, json_t *value);

#endif
