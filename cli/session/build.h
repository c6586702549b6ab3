/* From a model file to a compilation: load, lower, run the passes; the steps that every command
 * shares. */
#ifndef MLC_CLI_SESSION_BUILD_H
#define MLC_CLI_SESSION_BUILD_H

#include "cli/session/files.h"
#include "cli/session/options.h"
#include "codegen/codegen.h"
#include "frontend/model/model.h"
#include "passes/passes.h"
#include "runtime/data/data_cache.h"

/* A loaded model and how it is to be compiled. */
typedef struct {
    const Options *options;
    Diagnostics *diag;
    Path path, folder; /* folder: where relative data paths start */
    char *text;
    size_t length;
    Model *model;
    const ModelInfo *info;
    const SourceSchema *like; /* of a trained network: the schema of its data; else NULL */
    DataCache *data_cache;    /* of the data that the model was loaded with */
} Build;

/* The text of a model file, which the caller frees; NULL after reporting errors. */
char *build_read_text(const char *path, size_t *length, Diagnostics *diag);
/* Reads and checks the model file `path`, with the --set options applied. false after reporting
 * errors. */
bool build_open(Build *build, const char *path, const Options *options, Diagnostics *diag);
/* The same for a copy of a model in a run folder: relative data paths start at `folder`. `like`:
 * the schema of the data that it was trained on, so that these are not needed; or NULL. */
bool build_open_copy(Build *build, const char *path, const char *folder, const SourceSchema *like,
                     const Options *options, Diagnostics *diag);
void build_close(Build *build);
/* BLAKE3 of the resolved text with train.epochs = 1: by it a checkpoint knows its model, and a run
 * may go on for more epochs than it was begun for. false after reporting errors. */
bool build_hash_model(const Build *build, char hash[65]);

int build_threads(const Options *options);
GraphKind build_graph_kind(const Options *options); /* of --kind */
PassOptions build_pass_options(const Options *options);
/* `cache` is given room for the name of the folder of compiled code, and must live as long as the
 * options. */
CodegenOptions build_codegen_options(const Options *options, Path *cache);

/* Lowers one of the model's graphs and runs the passes up to `last`. false after reporting
 * errors. */
bool build_compilation(const Build *build, GraphKind kind, uint32_t batch, PassId last,
                       Compilation *compilation);
/* Finds the pass of that name; false after reporting a STATUS_USAGE error that suggests another. */
bool build_find_pass(const char *name, PassId *pass, Diagnostics *diag);

/* The sum of the bytes of all states that are weights (trainable), or of all others. */
int64_t graph_state_bytes(const Graph *graph, bool trainable);

#endif
