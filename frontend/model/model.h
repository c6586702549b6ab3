/* The public header of frontend/: a .mdl text becomes a Model, and a Model becomes graphs. */
#ifndef MLC_FRONTEND_FRONTEND_H
#define MLC_FRONTEND_FRONTEND_H

#include "ir/ir.h"

typedef struct Model Model;

/* Reads the file of a `use`: its text, which model_load frees, or NULL with errno set. */
typedef char *ReadFunction(const char *path, size_t *length);

/* One --set NAME=VALUE; `text` is the whole "NAME=VALUE", errors point into it. */
typedef struct {
    const char *path;   /* for messages; "-" for stdin */
    const char *folder; /* where relative data paths start; NULL: the folder of path */
    const char *text;
    size_t length;
    const char *const *sets;
    uint32_t set_count;
    ReadFunction *read;       /* NULL: there are no other files */
    const SourceSchema *like; /* of a trained network: the schema it was trained with; else NULL */
    SchemaFunction *schema;
    ClassesFunction *classes; /* of the same context */
    void *schema_context;
    bool weights_given; /* the first weights come from elsewhere, so that layers may do without training */
} ModelOptions;

/* Parses and checks everything, for the train block's batch and for one more row (the last batch of an epoch has another size):
 * what is wrong with a model is found here. NULL after reporting errors. Names and texts live as long as the model. */
Model *model_load(const ModelOptions *options, Diagnostics *diag);
void model_free(Model *model);

/* Where whole numbers of a source's field choose one of some columns, and nothing is known of them before the data are read:
 * whoever reads them has to see to it that there are not more classes. For each element of a row: */
typedef struct {
    const char *field;
    int64_t *columns; /* that it chooses from; 0: it chooses nothing */
    Span *spans;      /* where */
} ClassUse;

/* The same of whole numbers that are computed, int(source.grade - 1): what they are is seen row by row, by GRAPH_CHOICES. */
typedef struct {
    int64_t columns;
    Span span;
} ComputedChoice;

/* What an output is compared with by subtraction, with what standardize, log, a factor... made of it undone. */
typedef struct {
    int64_t width;            /* numbers of a row; 0: the output is compared with nothing */
    const char *const *names; /* of each of them: the column or field of the source, or the field of the data block */
    bool converted;           /* there is something to undo: predictions are in other units */
} ModelTarget;

/* An input of the model's graphs, a field of the source or a derived column, and where the model speaks of it. */
typedef struct {
    const char *name;
    Span span;
} DataUse;

/* An input that is computed with in f32 although its numbers may have more digits (rounded.c). */
typedef struct {
    const char *name;
    Span span;
    bool scaled; /* it is only multiplied, or its logarithm taken: seven digits are enough for its size, but not for differences */
} RoundedUse;

typedef struct {
    const char *name;
    Span span;         /* where the model names it */
    bool classes;      /* [N, classes]: the loss or a metric compares it with a label */
    bool parts;        /* [N, ..., classes]: it compares parts of a row, such as the elements of a sequence, with labels */
    const char *label; /* the source field that this is ("label"); NULL: none, a computed one, or a part of one */
    ModelTarget target;
} ModelOutput;

/* A metric that is a matrix of counts: rows are the true classes. */
typedef struct {
    int64_t classes;   /* 0: it is a number */
    int64_t answers;   /* elements of a row that are counted; 0: not known */
    const char *label; /* the source field that knows their names; NULL: none */
} MetricCounts;

typedef struct {
    const char *name; /* of the model block */
    DataSource source;
    SourceSchema schema;
    SplitRequest split;     /* of the data block; its seed is by default train.seed */
    SourceRows looks;       /* the rows around a row that a training or an evaluation looks at */
    SourceRows field_looks; /* likewise, of all fields of the data block, also of those that nothing uses */
    const Fit *fits;        /* in an order in which each depends on earlier ones only */
    uint32_t fit_count;
    uint32_t batch, accumulate, epochs; /* accumulate: batches whose gradients make one step */
    bool shuffle;
    uint64_t seed;
    const char *weights; /* a run folder or a file, from the model's folder, that the first weights are taken from; or NULL */
    Judge keep_best;     /* by what best.safetensors is chosen */
    StopRule stop;
    const char *const *metrics; /* names, in order; each is an output of the train and eval graphs */
    const int64_t *answers;     /* of each metric that is a share (accuracy: 1): of how many of a row; 0: of another metric */
    const MetricCounts *counts; /* of each metric */
    uint32_t metric_count;
    const char *const *inputs; /* of the model block, in order: fields of the data block */
    uint32_t input_count;
    ModelOutput *outputs; /* of the model, in order; outputs of the eval and predict graphs */
    uint32_t output_count;
    const char *label_field;    /* the source field that is the first label compared with; NULL: none, or a computed one */
    const ClassUse *class_uses; /* one a field */
    uint32_t class_use_count;
    const ComputedChoice *choices; /* of the network, computed from the data alone; the outputs of GRAPH_CHOICES, in order */
    uint32_t choice_count;
    const DataUse *derived; /* columns that the runtime computes */
    uint32_t derived_count;
    const RoundedUse *rounded;
    uint32_t rounded_count;
    const DataUse *presents; /* inputs of which no number may be missing */
    uint32_t present_count;
    const char *image_field; /* the source field with u8 rows of rank 3 or 2, or NULL: for pictures */
    const char *resolved; /* the .mdl text with every --set applied and the used files in it; loading it gives the same model */
} ModelInfo;
const ModelInfo *model_info(const Model *model);
/* Says how many rows there are to train on, once that is known: a full batch has no more. Changes the graphs that are built afterwards. */
void model_set_training_rows(Model *model, int64_t rows);
/* Warns where the last batch has one row and a batch_norm that finds no variance in it. */
void model_warn_last_batch(const Model *model, Diagnostics *diag);
/* Warns of what is suspicious about the model itself, whatever its data are: what is used nowhere, losses that are given
 * something else than they compute with. */
void model_warn(const Model *model, Diagnostics *diag);
/* Warns where the model chooses its best epoch, or its last one, and nothing but test rows are there to choose by. */
void model_warn_choice(const Model *model, Diagnostics *diag);

/* The key of a block of the model that is called so, as --set BLOCK.KEY=VALUE gives it ("train" and "epochs"); NULL: there is none. */
const char *model_setting(const char *name, const char **block);

/* GRAPH_TRAIN: outputs "loss" and the metrics that are numbers (means over the batch), updates for every state; gradients as grad nodes.
 * GRAPH_EVAL: outputs "loss", the metrics of the batch, what GRAPH_METRICS needs, and the model's outputs; no updates. GRAPH_PREDICT: the
 * model's outputs only; fields that only the loss uses are no inputs of it. GRAPH_FIT: what the transforms of the data block are
 * fitted to, an output for each of the fits. GRAPH_FIELDS: all fields of the data block, as evaluation sees them, an output for each.
 * Inputs: one BATCH symbol per source field used, named by the field ("image"), or by source_columns_name; VALUE symbols "epoch"
 * (i32, from 0), "step" (i32, steps done so far over the whole run, from 0) and "steps" (i32, steps of the whole run) where used.
 * States: trainable "NAME.weight", "NAME.bias"; of an optimizer "adam.m.NAME.weight"...; of a transform
 * "FIELD.standardize.mean"...
 * GRAPH_METRICS turns means over all rows of a split into the metrics, its outputs. Its VALUE inputs are called as the outputs of
 * the eval graph of which they are the means: "accuracy" where the metric is such a mean, "rmse.1"... where it is made of some. Of
 * outputs of whole numbers they are the sums. A metric that is a matrix is an output of this graph only.
 * GRAPH_CHOICES: the whole numbers of ModelInfo.choices, an output "0", "1"... for each, with the same number of elements for each row.
 * GRAPH_UNITS is about the outputs that have a target. Of an output "price" it makes "prediction:price", in the units of the data, of the
 * VALUE input of that name, the output itself (numbers in f64 are VALUE inputs too, "number:1700000001" and "learnt:y.standardize.mean"); and of the rows of the data "target:price", what the output is compared with, and
 * "truth:price", the same in the units of the data. All are f32 and have the shape of the output.
 * GRAPH_RATE: the learning rate, output "rate", made of "epoch", "step" and "steps". */
typedef enum {
    GRAPH_TRAIN,
    GRAPH_EVAL,
    GRAPH_PREDICT,
    GRAPH_METRICS,
    GRAPH_FIT,
    GRAPH_FIELDS,
    GRAPH_UNITS,
    GRAPH_CHOICES,
    GRAPH_RATE
} GraphKind;
#define UNITS_PREDICTION "prediction"
#define UNITS_TARGET "target"
#define UNITS_TRUTH "truth"
#define UNITS_NUMBER "number"
#define UNITS_LEARNT "learnt"
/* A new graph (caller frees) for `batch` rows, or NULL after reporting errors. Spans of its nodes point into the texts of the
 * Diagnostics that model_load was given. The model is only read: several threads may build graphs at once. */
Graph *model_graph(const Model *model, GraphKind kind, uint32_t batch, Diagnostics *diag);

/* One line of `mlc summary`: a layer call of the model, in order. */
typedef struct {
    const char *name;   /* "dense1" */
    const char *op;     /* "dense", "relu", ... */
    TensorType output;  /* with the batch size in dimension 0 */
    int64_t weights;    /* trainable numbers this call made */
    int64_t operations; /* floating-point operations of the forward pass for one row: 2 k n for a matmul, 1 an elementwise op */
    uint32_t line;      /* of the model's own file; 0: in a file that it uses */
} LayerInfo;
const LayerInfo *model_layers(const Model *model, uint32_t *count);

/* Prints the syntax tree of a text, one node a line, indented (golden tests). false after reporting errors. */
bool model_print_ast(const char *name, const char *text, size_t length, FILE *out, Diagnostics *diag);

/* The library in words. One function: its signature, what it does, an example with its types, and its `def` or the ops it is made of;
 * the names of all; the manual (docs/library.md). False after reporting errors: no such function, an example that does not work. */
bool explain_function(const char *name, FILE *out, Diagnostics *diag);
bool explain_list(FILE *out, Diagnostics *diag);
bool explain_manual(FILE *out, Diagnostics *diag);

#endif
