/* From a model file to a compilation: load the model, lower a graph, run the passes. */
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
    Path path, folder; /* folder: relative data paths start in it */
    char *text;
    size_t length;
    Model *model;
    const ModelInfo *info;
    const SourceSchema *like; /* the schema of a trained network's data; else NULL */
    DataCache *data_cache;    /* the data that the loading of the model has opened */
    /* What build_graph does to the graphs of the model; NULL: nothing. It frees the graph
     * that it does not return. NULL after reporting errors. */
    Graph *(*rewrite)(void *context, Graph *graph);
    void *rewrite_context;
} Build;

/* The text of a model file, which the caller frees; NULL after reporting errors. */
char *build_read_text(const char *path, size_t *length, Diagnostics *diag);
/* The rates that --find-lr tries. */
#define RATES_FROM 1e-7
#define RATES_TO 10.0

/* Reads and checks the model file `path`, with the --set options applied. false after reporting
 * errors. */
bool build_open(Build *build, const char *path, const Options *options, Diagnostics *diag);
/* The same for a copy of a model in a run folder: relative data paths start at `folder`. `like`:
 * the schema of the data that it was trained on, so that these are not needed; or NULL. */
bool build_open_copy(Build *build, const char *path, const char *folder, const SourceSchema *like,
                     const Options *options, Diagnostics *diag);
/* The same for one of several trainings, whose data are in `data`; the build becomes an owner. */
bool build_open_shared(Build *build, const char *path, const char *folder, DataCache *data,
                       const Options *options, Diagnostics *diag);
void build_close(Build *build);
/* BLAKE3 of the resolved text. A checkpoint stores it to identify its model. It is computed with
 * train.epochs = 1, so that a run can be continued for more epochs. false after reporting
 * errors. */
bool build_hash_model(const Build *build, char hash[65]);

int build_threads(const Options *options);
GraphKind build_graph_kind(const Options *options); /* of --kind */
PassOptions build_pass_options(const Options *options);
/* *cache receives the path of the code cache, and must live as long as the options. */
CodegenOptions build_codegen_options(const Options *options, Path *cache);

/* Lowers one of the model's graphs, and rewrites it. NULL after reporting errors. */
Graph *build_graph(const Build *build, GraphKind kind, uint32_t batch);
/* Lowers one of the model's graphs and runs the passes up to `last`. false after reporting
 * errors. */
bool build_compilation(const Build *build, GraphKind kind, uint32_t batch, PassId last,
                       Compilation *compilation);
/* Finds a pass by name. false after reporting a STATUS_USAGE error with a suggestion. */
bool build_find_pass(const char *name, PassId *pass, Diagnostics *diag);

/* The sum of the bytes of all states that are weights (trainable), or of all others. */
int64_t graph_state_bytes(const Graph *graph, bool trainable);

#endif
