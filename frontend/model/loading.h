/* The inside of a loaded model, and the steps of loading it. */
#ifndef MLC_FRONTEND_MODEL_LOADING_H
#define MLC_FRONTEND_MODEL_LOADING_H

#include "frontend/evaluate/evaluate.h"
#include "frontend/evaluate/summary.h"
#include "frontend/model/clip.h"
#include "frontend/model/model.h"

/* One --set NAME=VALUE: the expression that replaces another, and the text for it in
 * ModelInfo.resolved. */
typedef struct Override {
    Name name;
    Expr *value;
    Span value_span;
    const char *value_text;
    const char *replacement; /* the text to write instead of value_text; NULL: value_text */
    Span written;    /* the "= value" that is replaced; empty: where a new setting is inserted */
    bool used, adds; /* adds: it is a new setting */
} Override;

/* The text of a file, and the `use` that imported it. */
struct SourceText {
    const SourceText *user; /* NULL: the model's own file */
    Span place;             /* the place of the `use` */
    const char *path, *folder;
    const char *text;
    uint32_t length, file, depth;
    uint32_t header_end; /* where the line `mdl 1` ends */
};

/* Something suspicious about the model. Warnings are listed in the order in which they are
 * found. */
typedef struct Warning {
    struct Warning *next;
    Span span, note_span;
    /* for an unused variable: its assignment, in which further warnings are left out */
    Span covers;
    const char *message, *note, *help; /* note, help: may be NULL */
} Warning;

struct Model {
    Arena *arena;
    Diagnostics *diag;
    const ModelOptions *options; /* NULL after loading */
    SourceText *own_text;
    Names *texts;      /* the files by normalized path: Names of SourceText */
    size_t text_bytes; /* of all files together */
    ItemList items;    /* of all files; those of an imported file follow its `use` */
    Globals globals;
    Names *overrides; /* name -> Override */
    const Callable *network;
    Item *data, *train;
    ModelInfo info;
    int64_t training_rows; /* 0: not known yet */
    Warning *warnings;
    int rank, processes;          /* of the training: see model_set_process */
    double clip_norm, clip_value; /* 0: gradients are not clipped */
    double rates_from, rates_to;  /* the rates of a test (--find-lr); 0: no test */
    LayerLog *log;
};

/* A new evaluator that builds into `graph`. */
Evaluator *model_evaluator(const Model *model, Arena *arena, Graph *graph, uint32_t batch,
                           Diagnostics *diag);
/* The setting of that name in a data or train block, or NULL (settings.c). */
Setting *item_setting(const Item *item, const char *name);

/* -- the steps of loading, in their order; each returns false after reporting errors -- */
/* reads the file and its imports (imports.c) */
bool texts_read(Model *model);
bool overrides_read(Model *model); /* applies --set (overrides.c) */
/* the keys of data and train (settings.c) */
bool settings_check_names(Model *model);
/* names of outputs and metrics (outputs.c) */
bool outputs_name(Model *model);
bool augment_read(Model *model);                          /* which field is augmented (augment.c) */
bool params_evaluate(Model *model, Evaluator *evaluator); /* params.c */
/* the values of data and train (settings.c) */
bool settings_read(Model *model, Evaluator *evaluator);
/* which layers are not trained (layer_names_read.c) */
bool freeze_read(Model *model, Evaluator *evaluator);
/* asks for the schema of the data (source.c) */
bool source_read(Model *model, Evaluator *evaluator);
/* each row of a field comes from its own row of the data only (field_rows.c) */
bool fields_check_rows(const Model *model);
bool metrics_check(Model *model); /* metrics over a whole split (metrics.c) */
/* keep_best and stop_when (early_stopping.c) */
bool early_stopping_read(Model *model, Evaluator *evaluator);

/* -- facts that are found in the graphs; `graph` is GRAPH_TRAIN -- */
/* Finds which label belongs to which output: ModelInfo.outputs (labels.c). */
void labels_find(Model *model, const Graph *graph);
/* Finds whether outputs have logits or probabilities, and outputs of one number for two classes
 * (class_numbers.c). After labels_find. */
void class_numbers_find(Model *model, const Graph *graph);
/* Find the targets of the outputs and ModelInfo.choices, by building GRAPH_UNITS and GRAPH_CHOICES
 * (lower.c). */
void targets_find(Model *model);
void choices_find(Model *model);
/* Fills ModelInfo.rounded (rounded.c). */
void rounded_find(Model *model, const Graph *graph);
/* Finds all warnings (warnings.c). */
void warnings_find(Model *model, const Graph *graph);
/* Finds which random numbers belong to the rows of a batch, for `replicas` (random_rows.c). `graph`
 * is GRAPH_TRAIN for Globals.distinct_batch rows. false after reporting errors. */
bool random_rows_find(Model *model, const Graph *graph);
void leak_find(Model *model, const Graph *graph); /* the network reads the label (leak.c) */
/* a loss gets the wrong kind of numbers (loss_inputs.c) */
void loss_inputs_find(Model *model, const Graph *graph);
/* params, fields, inputs and variables (unused.c) */
void unused_find(Model *model);
/* layers that are not trained (unused.c) */
void idle_weights_find(Model *model, const Graph *graph);
Warning *warning_add(Model *model, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The text with every --set written in and every `use` replaced by the file (resolve.c). */
const char *texts_resolve(const Model *model);

/* -- helpers of these steps -- */
const char *path_folder_of(Arena *arena, const char *path); /* "." for a bare name (imports.c) */
Override *override_find(const Model *model, const char *name);
bool settings_known_key(ItemKind block, const char *name);
/* Whether the model block has an input of that name (outputs.c). */
bool network_has_input(const Model *model, const char *name);

/* The field of the source that the loss compares with, by the text alone; NULL: none or several
 * (loss_label.c). */
const char *loss_label(const Model *model);

/* -- names of layers in the train block (layer_names_read.c) -- */
/* Where names of layers stand, for messages: a setting, and an example of it. */
typedef struct {
    const char *setting, *example;
} NamesUse;
/* Reads `count` names of layers, from the expression `first` on, into the arena. */
bool layer_names_read(Evaluator *evaluator, const NamesUse *use, const Expr *first, uint32_t count,
                      Arena *arena, LayerNames *names);
/* Reports every name that no weight or state of the graph has. */
bool layer_names_check(Evaluator *evaluator, const char *setting, const LayerNames *names);

/* -- the optimizers of the train block (optimizers.c) -- */
typedef struct {
    LayerNames names;
    const Bound *optimizer;
} OptimizerGroup;
typedef struct {
    const Bound *optimizer; /* the optimizer of the weights in no group */
    OptimizerGroup *groups; /* `groups = [["conv*", sgd(0.1)]]`, in their order */
    uint32_t group_count;
} Optimizers;
/* Reads `optimizer` and `groups`. */
bool optimizers_read(const Model *model, Evaluator *evaluator, Optimizers *optimizers);
/* Reports names of groups that no weight has. */
bool optimizers_check(Evaluator *evaluator, const Optimizers *optimizers);
/* The optimizer of a weight: that of the first group that names it. */
const Bound *optimizer_of(Arena *arena, const Optimizers *optimizers, const char *weight);

/* -- building graphs (lower.c) -- */
/* NULL after reporting errors. log: where to record the model's calls, or NULL. */
Graph *lower(const Model *model, GraphKind kind, uint32_t batch, LayerLog *log, Diagnostics *diag);
/* reached[id]: `node` is computed from node id, or is that node. */
bool *graph_ancestors(Arena *arena, const Graph *graph, NodeId node);
/* The nodes to which a gradient of `node` passes. Comparisons, argmax, roundings and detach stop
 * it. */
bool *gradient_reach(Arena *arena, const Graph *graph, NodeId node);
/* Gradients of the loss and updates of all weights (lower_updates.c). With NODE_NONE as the loss it
 * only checks. */
bool lower_updates(const Model *model, Evaluator *evaluator, GraphKind kind, NodeId loss);
/* The next value of a weight, from its gradient. Adds the states of its optimizer. */
NodeId optimizer_next(Evaluator *evaluator, const Optimizers *optimizers, const Trained *trained);
/* GRAPH_LARGEST, GRAPH_SQUARES or GRAPH_UPDATE: the part of the update that this process makes.
 * trained: all weights (lower_own_part.c). */
void lower_own_part(const Model *model, Evaluator *evaluator, GraphKind kind,
                    const Optimizers *optimizers, const Trained *trained, uint32_t count);
/* Makes the part of a training step that `kind` is from the evaluator's whole graph, which is
 * freed. NULL after reporting errors (lower_parts.c). */
Graph *step_part(Graph *graph, GraphKind kind, Arena *arena);
/* The learning rate alone, as the output "rate". */
bool lower_rate(const Model *model, Evaluator *evaluator);
/* Turns the evaluator's graph, which has the outputs, the loss and the metrics, into GRAPH_UNITS.
 * Sets the targets in `info`, if that is not NULL (targets.c). */
void targets_lower(const Model *model, Evaluator *evaluator, const NodeId *outputs,
                   ModelInfo *info);
/* Turns it into GRAPH_CHOICES, and returns the choices (choices.c). */
const ComputedChoice *choices_lower(Evaluator *evaluator, uint32_t *count);
/* The value in GRAPH_METRICS of a metric whose expression gave `node` (metrics.c). */
NodeId metric_finish(Evaluator *evaluator, const Expr *expr, NodeId node);

#endif
