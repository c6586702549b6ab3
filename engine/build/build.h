/* From a model file to a compilation: load the model, lower a graph, run the passes. */
#ifndef MLC_ENGINE_BUILD_BUILD_H
#define MLC_ENGINE_BUILD_BUILD_H

#include "engine/files/files.h"
#include "codegen/codegen.h"
#include "frontend/model/model.h"
#include "passes/passes.h"
#include "runtime/data/data_cache.h"
#include "runtime/device/device.h"

/* How a model is loaded and compiled. */
typedef struct {
    const char *const *sets; /* other values of settings and params, each "NAME=VALUE" */
    uint32_t set_count;
    int level;          /* -O */
    int threads;        /* 0: one for each core that this process may use */
    const char *cpu;    /* as in CodegenOptions */
    bool external_gemm; /* OpenBLAS multiplies matrices */
    bool no_cache;      /* compiled code is neither taken from the cache nor put there */
    bool verbose;       /* times and sizes on stderr */
    bool alone;         /* everything is compiled on the caller's thread */
    bool given_weights; /* as in ModelOptions */
    bool no_vectors;    /* as in PassOptions */
    const char *device; /* "cpu", "cuda", "cuda:N" or "auto": where programs run; NULL: "cpu" */
    bool on_device;     /* set by build_open_device: they run on a GPU */
    bool tries_rates;   /* the learning rates of --find-lr replace those of the model */
} BuildOptions;

/* What a device is to run: a graph of the model for so many rows, so many times. */
typedef struct {
    GraphKind kind;
    uint32_t batch;
    double steps; /* 0: not known, and few */
} DeviceWork;

/* A loaded model and how it is to be compiled. */
typedef struct {
    BuildOptions options;
    const struct Options *given; /* the command line, for the caller; not read here */
    Diagnostics *diag;
    Path path, folder; /* folder: relative data paths start in it */
    char *text;
    size_t length;
    Model *model;
    const ModelInfo *info;
    const SourceSchema *like; /* the schema of a trained network's data; else NULL */
    Device *device;           /* where the programs run; NULL: on the CPU */
    DeviceWork work;          /* of "auto", which compares devices by it */
    char choice[300];         /* of "auto": the device, and why; "" before the choice */
    DataCache *data_cache;    /* the data that the loading of the model has opened */
    /* What build_graph does to the graphs of the model; NULL: nothing. It frees the graph
     * that it does not return. NULL after reporting errors. */
    Graph *(*rewrite)(void *context, Graph *graph);
    void *rewrite_context;
} Build;

/* The rates that --find-lr tries. */
#define RATES_FROM 1e-7
#define RATES_TO 10.0

/* Reads and checks the model file `path`; relative data paths start at `folder`. `like`: the schema
 * of the data that a network was trained on, so that these are not needed; or NULL. false after
 * reporting errors. */
bool build_load(Build *build, const char *path, const char *folder, const SourceSchema *like,
                const BuildOptions *options, Diagnostics *diag);
/* build_load for one of several trainings, whose data are in `data`; the build becomes an owner of
 * them. */
bool build_load_shared(Build *build, const char *path, const char *folder, DataCache *data,
                       const BuildOptions *options, Diagnostics *diag);
void build_close(Build *build);
/* BLAKE3 of the resolved text. A checkpoint stores it to identify its model. It is computed with
 * train.epochs = 1, so that a run can be continued for more epochs. false after reporting
 * errors. */
bool build_hash_model(const Build *build, char hash[65]);

int build_threads(const BuildOptions *options);
PassOptions build_pass_options(const BuildOptions *options);
/* *cache receives the path of the code cache, and must live as long as the options. */
CodegenOptions build_codegen_options(const BuildOptions *options, Path *cache);

/* Lowers one of the model's graphs, and rewrites it. NULL after reporting errors. */
Graph *build_graph(const Build *build, GraphKind kind, uint32_t batch);
/* Lowers one of the model's graphs and runs the passes up to `last`. false after reporting
 * errors. */
bool build_compilation(const Build *build, GraphKind kind, uint32_t batch, PassId last,
                       Compilation *compilation);

/* The sum of the bytes of all states that are weights (trainable), or of all others. */
int64_t graph_state_bytes(const Graph *graph, bool trainable);

#endif
