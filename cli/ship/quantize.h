/* Networks of bytes: every product by weights in a trained network becomes a product of bytes, as
 * docs/numerics.md defines it. Operations between such products stay in f32, except those that only
 * move or compare numbers. */
#ifndef MLC_CLI_SHIP_QUANTIZE_H
#define MLC_CLI_SHIP_QUANTIZE_H

#include "cli/session/build.h"
#include "runtime/train/evaluate.h"

/* The range of a product's left operand on the calibration rows. use: the number of the product
 * among those of the weight, in the order of the graph. */
typedef struct {
    const char *weight;
    uint32_t use;
    float low, high; /* 0 is between them */
} ProductRange;

/* A state of the new network, such as the bytes of a weight; data in row-major order. */
typedef struct {
    const char *name;
    DType dtype;
    Shape shape;
    void *data;
} QuantizedState;

typedef struct {
    Options options; /* those of the command, but with all threads */
    Session session; /* of the trained network and its data */
    Diagnostics *diag;
    Arena *arena; /* that of the session */
    CheckpointInfo checkpoint;
    ProductRange *ranges;
    uint32_t range_count;
    QuantizedState *states;
    uint32_t state_count, state_capacity;
    int64_t calibration; /* the number of rows */
    Split split;         /* the rows on which both networks are measured */
    uint32_t batch;
    /* of the calibration; of the new network, for full batches and the last one */
    Program *programs[3];
    uint32_t program_count;
    Evaluation before, after;
} Quantization;

/* Opens the run with its data, calibrates, and measures both networks. false after reporting
 * errors. The caller calls quantization_close in either case. */
bool quantization_open(Quantization *quantization, const Options *options, Diagnostics *diag);
void quantization_close(Quantization *quantization);

/* The graph with products of bytes, for Build.rewrite; the context is the Quantization. Frees
 * `from`. NULL after reporting errors. */
Graph *quantization_rewrite(void *context, Graph *from);
/* Writes the new states, as far as `states` has them. */
void quantization_write(const Quantization *quantization, States *states);

/* Whether --max-loss is a number; false after reporting that it is not. */
bool quantization_check_options(const Options *options, Diagnostics *diag);
/* The metric that is a percentage of right answers; metric_count if there is none. */
uint32_t quantization_metric(const Quantization *quantization);
/* By how many percentage points such a metric grows; below 0 if it falls. */
double quantization_points(const Quantization *quantization, uint32_t metric);
/* false after reporting that the metric falls by more than --max-loss. */
bool quantization_check_loss(const Quantization *quantization);

#endif
