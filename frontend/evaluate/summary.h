/* The log of a model's calls: its layers for `mlc summary`, its labels and losses, and what it
 * expects of the data. */
#ifndef MLC_FRONTEND_EVALUATE_SUMMARY_H
#define MLC_FRONTEND_EVALUATE_SUMMARY_H

#include "frontend/evaluate/evaluate.h"

/* Class numbers in the loss or in a metric: `label` in cross_entropy(logits, label). */
typedef struct {
    NodeId node;
    const char
        *field;      /* the name of its field; NULL: the label is computed, or a part of a field */
    int64_t columns; /* the number of classes; 0: not known */
    /* the first argument of the call: `logits`; NODE_NONE: the loss is written out, without such a
     * call */
    NodeId compared;
} ClassLabel;

/* A call of a library function in the train block: cross_entropy(logits, label). */
typedef struct {
    const char *callee;
    Span span;
    /* the first and the second argument; NODE_NONE: it is missing, or no tensor */
    NodeId node, other;
} LossCall;

typedef struct LayerLog {
    uint32_t file;         /* the model's own text */
    const uint32_t *lines; /* where each line of the text begins */
    uint32_t line_count;
    LayerInfo *layers;
    uint32_t count, capacity;
    Names *counts;
    ClassUse *class_uses;
    uint32_t class_use_count, class_use_capacity;
    DataUse *presents;
    uint32_t present_count, present_capacity;
    int64_t numbers_followed; /* labels in order of evaluation */
    ClassLabel *labels;       /* in order of evaluation */
    uint32_t label_count, label_capacity;
    Span zero_rate; /* the place of a learning rate of 0; no place: it is not 0 */
    LossCall *loss_calls;
    uint32_t loss_call_count, loss_call_capacity;
    NodeId *outputs;             /* for each output of the model its node */
    MetricCounts *metric_counts; /* for each metric the matrix of counts that it makes */
    /* for each metric that is a fraction, how many truth values of a row it averages; else 0 */
    int64_t *answers;
    FitList *fits; /* the fitted transforms of the data block */
    ChoiceList *choices;
} LayerLog;

/* Records the inputs that a label or an index is computed from: no number in them may be missing
 * (present.c). */
void present_keep(Evaluator *evaluator, NodeId node, Span span);
/* The same for numbers that the loss compares but the network does not read: select(y > 3, 1, 0)
 * would turn a missing y into 0. */
void present_keep_compared(Evaluator *evaluator, NodeId loss, uint32_t output_count, Span span);

/* Records a label, once for each call; a few dozen at most. */
void label_add(LayerLog *log, Arena *arena, ClassLabel label);
/* The first argument of the library call in the train block that is being evaluated; NODE_NONE:
 * there is no such call. */
NodeId loss_call_compared(const Evaluator *evaluator);

/* Records a call of a library function in the train block. */
void loss_call_keep(Evaluator *evaluator, const Callable *callee, const Given *given,
                    uint32_t count, Span span);

LayerLog *layer_log_new(Arena *arena, uint32_t file, const char *text);

/* The sizes of the graph before a call. */
typedef struct {
    uint32_t nodes, symbols;
} LayerMark;
LayerMark summary_mark(const Evaluator *evaluator);
/* Called after each call, and with callee NULL after a matrix product: adds a line if the model's
 * own text calls the library. */
void summary_record(Evaluator *evaluator, const LayerMark *mark, const Callable *callee,
                    Value value, Span span);

#endif
