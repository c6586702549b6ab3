/* The parts of a network of the interface. Private to lib/network. */
#ifndef MLC_LIB_NETWORK_NETWORK_H
#define MLC_LIB_NETWORK_NETWORK_H

#include "engine/session/session.h"
#include "ir/base/boundary.h"
#include "lib/mlc.h"
#include "runtime/train/trainer.h"

#include <locale.h>
#include <sys/types.h>

enum { MESSAGE_BYTES = 4096 };

/* The arrays that one kind of calls gives: those of predictions, or of steps. */
typedef struct {
    uint32_t count; /* of the inputs, from the first one on */
    int64_t rows;   /* of a batch */
    /* [fields of the schema]: the rows of a batch; NULL: the field is not read */
    void **elements;
    /* of these rows; NULL: an input is computed, and every batch gets a data set of its own */
    Dataset *dataset;
    const Graph *graph; /* whose inputs they are */
    /* what the graph demands of the inputs: [class_use_count] and [present_count] of ModelInfo */
    bool *checks_classes, *checks_present;
} Feed;

struct mlc_network {
    Boundary *boundary;
    Diagnostics *texts; /* with the texts of the model, for the places of errors */
    char message[MESSAGE_BYTES];
    /* The network was not opened, or its boundary is lost: the status of all further calls. */
    mlc_status failed;
    bool is_lost;
    locale_t locale; /* of its calls */
    pid_t process;   /* its threads exist in this process only */

    mlc_options options;
    Path path;
    Session session;
    const FittedColumn *fitted; /* the transforms of columns */
    uint32_t fitted_count;

    mlc_tensor *inputs, *outputs, *weights;
    int input_count, network_input_count, output_count, weight_count;
    const SourceField **fields; /* [input_count] */

    Graph *predict_graph, *step_graph; /* for the names of what they read; NULL: no training */
    Feed predict_feed, step_feed;
    Runner *predict;
    CheckpointInfo info; /* the position of the training at the beginning */
    TrainOptions training;
    Trainer trainer; /* options NULL: it is not open */
};

/* What a call does, inside of the boundary. false after reporting errors to `diag`. */
typedef bool Body(mlc_network *network, void *arguments, Diagnostics *diag);
mlc_status network_call(mlc_network *network, BoundaryUse use, Body *body, void *arguments);

/* -- inputs.c -- */

/* Finds the inputs and outputs, for mlc_input and mlc_output. false after reporting errors. */
bool network_describe(mlc_network *network, const Graph *predict, const Graph *step,
                      Diagnostics *diag);
/* graph: reads the first `count` inputs; it must live as long as the feed. */
void feed_open(mlc_network *network, Feed *feed, const Graph *graph, int count);
/* Binds runners to the data set of a plain feed, for all batches; NULL runners are left out. */
bool feed_bind(const Feed *feed, Runner *const *runners, uint32_t count, Diagnostics *diag);
/* Copies rows into the feed and checks them. If the feed is not plain, the runners are bound
 * to its data set. Returns the data set, for feed_end. NULL after reporting errors. */
Dataset *feed_begin(mlc_network *network, const Feed *feed, int64_t first, int64_t rows,
                    const void *const *inputs, Runner *const *runners, uint32_t runner_count,
                    Diagnostics *diag);
void feed_end(const Feed *feed, Dataset *dataset);

/* -- steps.c -- */

/* Requests the programs of a training, before they are compiled; then opens it. */
bool steps_want(mlc_network *network, Diagnostics *diag);
bool steps_open(mlc_network *network, Diagnostics *diag);

/* -- weights.c -- */

const CheckpointInfo *network_position(const mlc_network *network);

#endif
