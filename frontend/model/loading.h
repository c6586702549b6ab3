/* A loaded model from inside, and the steps of loading it. */
#ifndef MLC_FRONTEND_MODEL_LOADING_H
#define MLC_FRONTEND_MODEL_LOADING_H

#include "frontend/evaluate/evaluate.h"
#include "frontend/evaluate/summary.h"
#include "frontend/model/model.h"

/* One --set: which expression it exchanges, and what is written in its place in the resolved text. */
typedef struct Override {
    Name name;
    Expr *value;
    Span value_span;
    const char *value_text;
    const char *replacement; /* for the resolved text; NULL: value_text */
    Span written;            /* the "= value" that it stands for; empty: where a new setting is to be put */
    bool used, adds;
} Override;

/* A text, and the place that asked for it. */
struct SourceText {
    const SourceText *user; /* NULL: the model's own file */
    Span place;             /* of the `use` */
    const char *path, *folder;
    const char *text;
    uint32_t length, file, depth;
    uint32_t header_end; /* where the line `mdl 1` ends */
};

/* Something suspicious, in the order in which it was found. */
typedef struct Warning {
    struct Warning *next;
    Span span, note_span;
    Span covers;                       /* of a variable that is used nowhere: what is computed for it */
    const char *message, *note, *help; /* note, help: NULL where there is none */
} Warning;

struct Model {
    Arena *arena;
    Diagnostics *diag;
    const ModelOptions *options; /* while loading */
    SourceText *own_text;
    Names *texts;      /* of all files: identity -> SourceText */
    size_t text_bytes; /* of all of them together */
    ItemList items;    /* of all of them, each in the place of its `use` */
    Globals globals;
    Names *overrides; /* name -> Override */
    const Callable *network;
    Item *data, *train;
    ModelInfo info;
    int64_t training_rows; /* 0: not known yet */
    Warning *warnings;
    double clip_norm, clip_value; /* 0: not clipped */
    LayerLog *log;
};

/* A fresh evaluator that builds into `graph`. */
Evaluator *model_evaluator(const Model *model, Arena *arena, Graph *graph, uint32_t batch, Diagnostics *diag);
Setting *item_setting(const Item *item, const char *name);

/* -- the steps of loading; each reports its errors and returns false -- */
const char *path_folder_of(Arena *arena, const char *path); /* "." where it names none (use.c) */
bool texts_read(Model *model);                              /* use.c */
const char *texts_resolve(const Model *model);              /* resolve.c */
bool overrides_read(Model *model);                          /* overrides.c */
Override *override_find(const Model *model, const char *name);
bool params_evaluate(Model *model, Evaluator *evaluator); /* params.c */
bool settings_known_key(ItemKind block, const char *name);
bool settings_check_names(Model *model); /* settings.c */
bool settings_read(Model *model, Evaluator *evaluator);
bool outputs_name(Model *model); /* outputs.c */
bool augment_read(Model *model); /* augment.c */
/* Whether each row of a field is made of its own row of the data only (field_rows.c). */
bool fields_check_rows(const Model *model);
/* Finds what is suspicious about the model; `graph` is that of the training (warnings.c). */
void warnings_find(Model *model, const Graph *graph);
/* Finds the inputs that are computed with in f32 (rounded.c). */
void rounded_find(Model *model, const Graph *graph);
Warning *warning_add(Model *model, Span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Losses that are given something else than they compute with (loss_inputs.c). */
void loss_inputs_find(Model *model, const Graph *graph);
/* A label that the network reads (leak.c). */
void leak_find(Model *model, const Graph *graph);
/* Params, fields, inputs, variables and weights that nothing uses (unused.c). */
void unused_find(Model *model);
void idle_weights_find(Model *model, const Graph *graph);
bool judging_read(Model *model, Evaluator *evaluator); /* judging.c */
bool freeze_read(Model *model, Evaluator *evaluator);  /* freeze_read.c */
/* Whether the training leaves the weight of this name as it is. */
bool freeze_covers(const Model *model, const char *tensor);
/* Reports every name in `freeze` that no weight or state of the graph has. */
bool freeze_check(Evaluator *evaluator);
bool source_read(Model *model, Evaluator *evaluator); /* source.c */
/* The field of the source that the loss compares with, by the text alone; NULL: none, or several (loss_label.c). */
const char *loss_label(const Model *model);

/* Makes GRAPH_UNITS in the evaluator's graph, in which the loss and the metrics have been built, of the outputs' nodes; tells the target of
 * each output, if `told` is not NULL (targets.c). */
void targets_lower(const Model *model, Evaluator *evaluator, const NodeId *outputs, ModelInfo *told);
/* Makes GRAPH_CHOICES likewise, and tells the choices (choices.c). */
const ComputedChoice *choices_lower(Evaluator *evaluator, uint32_t *count);
/* Tells the model's choices (lower.c). */
void choices_find(Model *model);
/* Tells the targets of the model's outputs (lower.c). */
void targets_find(Model *model);

/* Tells of each output in the graph of the training whether it has classes, and which label it is compared with (labels.c). */
void labels_find(Model *model, const Graph *graph);

/* The value of a metric whose expression gave `node`, in the graph that makes metrics of means over a split (metrics.c). */
NodeId metric_finish(Evaluator *evaluator, const Expr *expr, NodeId node);
bool metrics_check(Model *model);

/* -- building graphs (lower.c) -- */
/* NULL after reporting errors. log: where to record the model's calls, or NULL. */
Graph *lower(const Model *model, GraphKind kind, uint32_t batch, LayerLog *log, Diagnostics *diag);
/* reached[id]: the node is, or depends on, node id */
bool *graph_ancestors(Arena *arena, const Graph *graph, NodeId node);
/* Gradients of the loss and updates of all weights (lower_updates.c). The loss may be NODE_NONE: then only checks. */
bool lower_updates(const Model *model, Evaluator *evaluator, NodeId loss);
/* The learning rate alone, as the output "rate". */
bool lower_rate(const Model *model, Evaluator *evaluator);

#endif
