/* Models: a .mdl text becomes a Model, and a Model becomes graphs. */
#ifndef MLC_FRONTEND_MODEL_MODEL_H
#define MLC_FRONTEND_MODEL_MODEL_H

#include "frontend/evaluate/model_facts.h"

typedef struct Model Model;

/* Reads the file of a `use "FILE"`. Returns its text, which model_load frees, or NULL with errno
 * set. */
typedef char *ReadFunction(const char *path, size_t *length);

typedef struct {
    const char *path;   /* for messages; "-" for stdin */
    const char *folder; /* where relative data paths start; NULL: the folder of path */
    const char *text;
    size_t length;
    const char *const *sets; /* the --set options, each "NAME=VALUE"; errors point into them */
    uint32_t set_count;
    ReadFunction *read; /* NULL: the model may not use other files */
    /* the schema that a trained network was trained with; NULL: a new network */
    const SourceSchema *like;
    SchemaFunction *schema;
    ClassesFunction *classes;
    void *schema_context; /* for `schema` and `classes` */
    bool weights_given;   /* the initial weights are given, so a layer may stay untrained */
    /* the rates of a test, in place of those of the model; 0: no test */
    double rates_from, rates_to;
} ModelOptions;

/* Parses the text and checks the whole model by building its graphs: for the batch of the train
 * block, and for another number of rows because the last batch of an epoch is smaller. NULL after
 * reporting errors. Names and texts live as long as the model. */
Model *model_load(const ModelOptions *options, Diagnostics *diag);
void model_free(Model *model);

/* The target that the loss subtracts from an output, as mse(price, y) does. Predictions are shown
 * in the units of the data: standardize, log or a factor in the target are inverted. */
typedef struct {
    int64_t width; /* numbers in a row; 0: the output has no target */
    /* for each number its column or field of the source, or its field of the data block */
    const char *const *names;
    bool converted; /* the target has other units than the data */
} ModelTarget;

/* An input on which f32 arithmetic is done although its numbers may have more digits
 * (rounded.c). */
typedef struct {
    const char *name;
    Span span;
    /* it is only scaled, or its logarithm is taken: seven digits are enough unless its values
     * differ by less */
    bool scaled;
} RoundedUse;

/* The numbers of an output with classes. UNKNOWN: probabilities if those of every row are at least
 * 0 and have the sum 1, or else logits. */
typedef enum { NUMBERS_UNKNOWN, NUMBERS_LOGITS, NUMBERS_PROBABILITIES } ClassNumbers;

typedef struct {
    const char *name;
    Span span;    /* where the model names it */
    bool classes; /* [N, classes]: the loss or a metric compares each row with a label */
    /* [N, ..., classes]: each part of a row, such as a word of a sentence, is compared with a
     * label */
    bool parts;
    ClassNumbers numbers; /* of the classes */
    /* `classes` are two, 0 and 1, and the output has one number a row: that of class 1. Then
     * `label` may be f32. */
    bool is_binary;
    /* the source field that is the label; NULL: there is no label, or it is computed or a part of a
     * field */
    const char *label;
    ModelTarget target;
} ModelOutput;

typedef struct {
    const char *name; /* of the model block */
    DataSource source;
    SourceSchema schema;
    SplitRequest split; /* of the data block; its seed is train.seed unless data.seed is set */
    /* the rows around a row that training and evaluation read: windows(...), ahead(...) */
    SourceRows looks;
    SourceRows field_looks; /* the same over all fields of the data block, used or not */
    const Fit *fits;        /* each depends on earlier ones only */
    uint32_t fit_count;
    uint32_t batch, accumulate, epochs; /* accumulate: batches whose gradients make one step */
    uint32_t replicas;                  /* the shares of a batch; each has its own gradients */
    bool updates_states; /* the model updates states of its own, such as running means */
    bool clips_norm;     /* clip_norm limits the norm of all gradients together */
    uint32_t log_every;  /* steps between two lines about the loss; 0: one line an epoch */
    bool shuffle;
    uint64_t seed;
    /* the run folder or file with the initial weights, relative to the model's folder; or NULL */
    const char *weights;
    Score keep_best; /* chooses the epoch of best.safetensors */
    StopRule stop;
    /* names, in order; each is an output of the train and eval graphs */
    const char *const *metrics;
    /* of each metric that is a fraction: how many truth values of a row it averages (accuracy: 1);
     * else 0 */
    const int64_t *answers;
    const MetricCounts *counts; /* for each metric the matrix of counts that it makes */
    uint32_t metric_count;
    const char *const *inputs; /* of the model block, in order: fields of the data block */
    uint32_t input_count;
    ModelOutput *outputs; /* of the model, in order; outputs of the eval and predict graphs */
    uint32_t output_count;
    /* the source field that is the first label; NULL: there is none, or it is computed */
    const char *label_field;
    const ClassUse *class_uses; /* one for each field */
    uint32_t class_use_count;
    /* of the network, computed from the data alone: the outputs of GRAPH_CHOICES, in order */
    const ComputedChoice *choices;
    uint32_t choice_count;
    const DataUse *derived; /* columns that the runtime computes */
    uint32_t derived_count;
    const RoundedUse *rounded;
    uint32_t rounded_count;
    const DataUse *presents; /* inputs in which no number may be missing: labels and indices */
    uint32_t present_count;
    /* the source field with u8 rows of rank 3 or 2, which can be drawn; or NULL */
    const char *image_field;
    /* the .mdl text with every --set applied and used files inserted; loading it gives the same
     * model */
    const char *resolved;
} ModelInfo;
const ModelInfo *model_info(const Model *model);
/* Sets the number of training rows, once it is known: a full batch has at most that many. Changes
 * the graphs that are built afterwards. */
void model_set_training_rows(Model *model, int64_t rows);
/* Sets which one of several processes this is: it owns a part of the weights. Changes the graphs
 * that are built afterwards. */
void model_set_process(Model *model, int rank, int processes);
/* Warns if the last batch of an epoch has one row: batch_norm finds no variance in it. */
void model_warn_last_batch(const Model *model, Diagnostics *diag);
/* Prints the warnings about the model itself, such as unused names, or a loss that gets the wrong
 * kind of numbers. */
void model_warn(const Model *model, Diagnostics *diag);
/* Warns that keep_best or stop_when use the test rows, as there are no validation rows. */
void model_warn_choice(const Model *model, Diagnostics *diag);

/* The text of the --set option that makes `rate` the learning rate, or the highest rate of a
 * schedule: "lr=0.01", or "train.optimizer=adam(0.01)". In the arena; NULL: the model computes its
 * rate. */
const char *model_rate_setting(const Model *model, double rate, Arena *arena);

/* The key of that name in --set BLOCK.KEY=VALUE: for "epochs" it returns "epochs" and sets *block
 * to "train". NULL if no block has it. */
const char *model_setting(const char *name, const char **block);

/* The graphs of a model, with the names of their symbols.
 *
 * Inputs: a BATCH symbol for each source field that is used, named "image" or by
 * source_columns_name. VALUE symbols, all i32: "epoch" (from 0), "step" (steps done so far in the
 * run) and "steps" (of the whole run).
 *
 * States: the weights "NAME.weight" and "NAME.bias", those of an optimizer, "adam.m.NAME.weight",
 * and those of a transform, "FIELD.standardize.mean".
 *
 * GRAPH_METRICS: its VALUE inputs have the names of outputs of GRAPH_EVAL. They are the means of
 * these over all rows, or the sums where the outputs are whole numbers. A plain metric has one,
 * "accuracy"; others have several, "rmse.1".
 *
 * GRAPH_UNITS: an output with a target, say "price", has the VALUE input "prediction:price", the
 * output of the network. Its outputs are "prediction:price" (in the units of the data),
 * "target:price" (the number in the loss) and "truth:price" (the target in the units of the data).
 * All are f32 with the shape of the network's output. Other VALUE inputs are numbers in f64,
 * "number:1700000001", and fitted values, "fitted:y.standardize.mean". */
typedef enum {
    /* outputs: "loss" and the metrics that are numbers, as means over the batch; with grad nodes
     * and the updates of all states */
    GRAPH_TRAIN,
    /* outputs: "loss", the metrics of the batch, the inputs of GRAPH_METRICS and the model's
     * outputs; no updates */
    GRAPH_EVAL,
    GRAPH_PREDICT, /* outputs: those of the model; fields that only the loss uses are not inputs */
    /* outputs: the metrics of a split, also those that are matrices; inputs: means over the split,
     * as above */
    GRAPH_METRICS,
    /* outputs: what each transform of the data block is fitted to, one for each of
     * ModelInfo.fits */
    GRAPH_FIT,
    GRAPH_FIELDS, /* outputs: all fields of the data block, as evaluation sees them */
    GRAPH_UNITS,  /* outputs: predictions and targets in the units of the data, as above */
    /* outputs: "0", "1"..., the whole numbers of ModelInfo.choices, with the same number of
     * elements for each row */
    GRAPH_CHOICES,
    /* outputs as GRAPH_EVAL without those of the model; these are BATCH inputs "given:NAME", for
     * predictions that several networks have made together */
    GRAPH_GIVEN,
    GRAPH_RATE, /* output: "rate", the learning rate, from "epoch", "step" and "steps" */
    /* The step of a training on several processes, in three parts, whose names fit together
     * (ir/data/step_parts.h):
     *
     * GRAPH_SHARE, of a share of a batch. Outputs: "loss"; "gradient:NAME" for each trained weight,
     * the gradient times the rows of the share; "carried:0", "carried:1"..., what the next graph
     * needs. No updates.
     *
     * GRAPH_STATISTICS, after a share: the updates of the states that the model itself updates,
     * such as running means. VALUE inputs: those that were carried. No outputs.
     *
     * GRAPH_UPDATE, after the last share of a step: the update of the weights that this process
     * owns (ir/data/weight_parts.h), and of the optimizer's states for them. NAME is a weight of
     * which it owns a piece, n elements. VALUE inputs, f32: "gradient:NAME" [n], the sum over the
     * shares; "weight:NAME" [n]; "step:rows", the rows of the step. Outputs: "weight:NAME" [n].
     * States: "adam.m.NAME" [n].
     *
     * With clip_norm, two graphs before it with the same inputs. GRAPH_LARGEST has the output
     * "norm:largest", the largest gradient of the process; the other two have it as an input [P],
     * from all P processes. GRAPH_SQUARES has the output "norm:squares", the sum of the squares of
     * each of its blocks, in their order; the update has it as an input, of all blocks. */
    GRAPH_SHARE,
    GRAPH_STATISTICS,
    GRAPH_LARGEST,
    GRAPH_SQUARES,
    GRAPH_UPDATE
} GraphKind;
/* Whether a graph of that kind is a step of the training, or a part of one. */
bool graph_trains(GraphKind kind);
#define GIVEN_OUTPUT "given"
#define UNITS_PREDICTION "prediction"
#define UNITS_TARGET "target"
#define UNITS_TRUTH "truth"
#define UNITS_NUMBER "number"
#define UNITS_FITTED "fitted"
/* The rows of a full batch as graphs of that kind see them: those of a training see a share of
 * it. */
uint32_t model_batch(const ModelInfo *info, GraphKind kind);
/* A new graph (caller frees) for `batch` rows, or NULL after reporting errors. Spans of its nodes
 * point into texts of the Diagnostics that model_load got. The model is only read: several threads
 * may build graphs at once. */
Graph *model_graph(const Model *model, GraphKind kind, uint32_t batch, Diagnostics *diag);

/* The layer calls of the model, in order. */
const LayerInfo *model_layers(const Model *model, uint32_t *count);

#endif
