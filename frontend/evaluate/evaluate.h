/* The evaluator: runs the model while compiling. Numbers, lists and functions are values; tensors become nodes of a graph. */
#ifndef MLC_FRONTEND_EVALUATE_EVALUATE_H
#define MLC_FRONTEND_EVALUATE_EVALUATE_H

#include "frontend/evaluate/model_facts.h"
#include "frontend/evaluate/callable.h"
#include "ir/data/derived.h"

enum {
    EVALUATE_MAX_DEPTH = 1000,   /* expressions inside expressions, over all calls in progress */
    EVALUATE_MAX_CALLS = 64,     /* functions in functions */
    EVALUATE_MAX_STEPS = 1000000 /* expressions evaluated, turns of loops, items of lists made */
};

/* Which part of a model is being evaluated: some names and functions belong to one only. SPLIT: valid and test; nothing is known of the
 * source yet, and its fields are their names. */
typedef enum { PHASE_SETTINGS, PHASE_SPLIT, PHASE_DATA, PHASE_MODEL, PHASE_TRAIN } Phase;

/* The names of layers and tensors that `freeze` gives, and where; "*" in them stands for any characters. */
typedef struct {
    const char **patterns;
    Span *spans;
    uint32_t count;
} Frozen;

/* What the whole model sees. */
typedef struct {
    const Library *library;
    Names *params;          /* name -> Value */
    Names *functions;       /* name -> Callable: the model's own definitions */
    Names *fields;          /* name -> Setting */
    const Setting *augment; /* what changes a field in training, or NULL */
    const char *augmented;  /* the field */
    const DataSource *source;
    const SplitRequest *split;
    SourceSchema *schema;     /* only the columns that the model derives are added to it */
    ClassesFunction *classes; /* asked while the model is loaded */
    void *schema_context;
    Frozen frozen;           /* what the training leaves as it is */
    const Function *network; /* NULL: not known yet */
    uint32_t distinct_batch; /* no size of the model has it as a factor but those made of N; 0: not known yet */
    bool *rows_crossed;      /* set where the rows of one operand met another axis of the other */
} Globals;

/* The names of one function that is being evaluated. */
typedef struct {
    Names *values; /* name -> Value */
    bool in_library;
} Scope;

/* A call in progress. */
typedef struct Frame {
    struct Frame *up;
    const Callable *callee;
    Span place;
    uint32_t level;
    const char *layer; /* "layer_norm1": of a function of the library that has made weights */
} Frame;

/* The transforms of the data that learn from it, and what each is fitted to; in order of evaluation, the last one first. */
typedef struct FitList {
    struct FitItem {
        struct FitItem *before;
        Fit fit;
        NodeId input, from, output; /* standardize makes the output of `from`; it learns from the input */
    } * last;
    uint32_t count;
} FitList;

/* Whole numbers that are computed and then choose one of some columns, or rows of an embedding; the last one first. */
typedef struct ChoiceList {
    struct ChoiceItem {
        struct ChoiceItem *before;
        ComputedChoice choice;
        NodeId node;
    } * last;
    uint32_t count;
} ChoiceList;

enum { REPORTED_PLACES = 32 };

typedef struct Evaluator {
    const Globals *globals;
    Arena *arena;
    Diagnostics *diag;
    Graph *graph;
    Phase phase;
    uint32_t batch;       /* N */
    uint32_t full_batch;  /* the rows of a batch that is not the smaller last one of an epoch */
    bool training;        /* the graph of a training step is built, not one that evaluates or predicts */
    bool finishing;       /* the graph that makes metrics of means over a split: these means are its inputs */
    const char *metric;   /* the metric being evaluated; NULL: none */
    uint32_t split_means; /* asked for by that metric so far */
    MetricCounts counted; /* by that metric, and the node that they are */
    NodeId counts;
    NodeId fraction; /* the last mean of truth values, mean(a == b); NODE_NONE: none */
    int64_t truths;  /* how many it averages */
    Scope *scope;
    Frame *frame;            /* innermost */
    const char *field;       /* the field that is being evaluated */
    FitList *fits;           /* transforms so far that learn from the data */
    ChoiceList *choices;     /* so far, of the data block and the model */
    const char *assigned_to; /* the variable on the left of the expression being evaluated */
    uint32_t depth, steps;
    bool stopped;                   /* a limit is reached: everything is an error, silently */
    Names *fields;                  /* name -> Value: fields evaluated so far; NULL value while being evaluated */
    Names *layer_counts;            /* kind -> uint32_t * */
    Names *weights;                 /* names in use */
    struct LayerLog *log;           /* where calls in the model are recorded, or NULL */
    Span reported[REPORTED_PLACES]; /* one error a place is enough: loops and repeated calls would say it again */
    uint32_t reported_count;
    size_t errors_told; /* errors of the diagnostics that have their chain of calls */
} Evaluator;

/* -- reporting (report.c) -- */

/* Where to point for something at `span`: inside the library, the model's call that led there. */
Span evaluator_place(const Evaluator *evaluator, Span span);
/* Reports an error with the chain of calls that led there. False if nothing was said because this place has had its error:
 * then no notes or remedies may follow. */
bool evaluator_error(Evaluator *evaluator, Span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What is meant by a name that other programs have, or NULL. */
const char *foreign_help(const char *name);
/* "did you mean 'x'?", if one of the names is near; false: nothing is said. */
bool evaluator_suggest(Evaluator *evaluator, const char *name, const char *const *candidates, size_t count);
/* The value of a node that the graph's builders made; adds the chain of calls to the error they reported. */
Value evaluator_built(Evaluator *evaluator, Span span, NodeId node);
/* Gives the nodes built next the place `span`. */
void evaluator_at(Evaluator *evaluator, Span span);

/* Counts `steps` of work; false, after an error that ends the evaluation, if there have been too many. */
bool evaluator_charge(Evaluator *evaluator, Span span, uint32_t steps);

/* -- expressions (evaluate_expression.c), operators (operators.c, tensors.c), indexing (indexing.c) -- */
Value evaluate(Evaluator *evaluator, const Expr *expr);
Value evaluate_name(Evaluator *evaluator, const char *name, Span span);
Value evaluate_operation(Evaluator *evaluator, const Expr *expr);
Value evaluate_index(Evaluator *evaluator, const Expr *expr);
Value evaluate_field(Evaluator *evaluator, const char *name); /* error without a report if there is no such field */

/* -- statements (evaluate_statement.c) -- */
bool evaluate_body(Evaluator *evaluator, const StmtList *body);
void scope_put(Evaluator *evaluator, const char *name, Value value);

/* -- calls (evaluate_call.c, arguments.c) -- */
Value evaluate_call(Evaluator *evaluator, const Expr *expr);
Scope *scope_new(Evaluator *evaluator, bool in_library); /* without variables; in_library: of a function of stdlib.mdl */

typedef struct {
    const char *name; /* NULL: positional */
    Span name_span;
    Value value;
    Span span;
} Given;
/* Calls a function with arguments that have been evaluated. */
Value evaluate_invoke(Evaluator *evaluator, const Callable *callee, const Given *given, uint32_t count, Span span);
/* The same with positional arguments; `spans` says where they came from. */
Value evaluate_apply(Evaluator *evaluator, const Callable *callee, const Value *args, const Span *spans, uint32_t count,
                     Span span);
/* Checks the given arguments against the formals and puts all into the scope; `spans` gets one place for each formal. */
bool arguments_bind(Evaluator *evaluator, const Callable *callee, const Given *given, uint32_t count, Span span, Scope *scope,
                    Span *spans);
/* Checks a value against a written type, converting a whole number to a number. Binds names in the type's shape that have no
 * meaning yet to the sizes found. `what` begins the message: "'x' of dense". */
bool type_check(Evaluator *evaluator, const Type *type, Value *value, Span span, const char *what);

/* Checks a value, or every item of a list, against what stands after `in` (NULL: anything goes); a tensor has no value yet. A
 * `remote` value is told where its limits are written. */
bool limits_check(Evaluator *evaluator, const Limits *limits, Value value, Span span, const char *what, bool remote);

/* -- the data source (source_fields.c) -- */
/* The whole field as an input, with a row for each row of the batch. */
Value source_input(Evaluator *evaluator, const SourceField *field, Span span);
Value source_member(Evaluator *evaluator, const char *name, Span span);
Value source_element(Evaluator *evaluator, const Expr *expr); /* source["a name"], source[3] */
/* The columns of text, or of classes, that a tensor holds side by side, or NULL: then it holds none. */
const SourceField **source_text(const Evaluator *evaluator, NodeId node, uint32_t *count);
/* To the last error: the first cell that makes a column one of text, and what makes numbers of it. */
void source_explain_text(Evaluator *evaluator, const SourceField *field);
/* What stands in the newest row of windows: of windows(...) and what is computed of it element by element, [N, length, ...], a
 * tensor [N, ...]; else NODE_NONE (series.c). */
NodeId series_newest(Evaluator *evaluator, NodeId node);
/* Whether other rows than its own have a part in a tensor. */
bool series_looks_around(const Evaluator *evaluator, NodeId node);
/* -- derived columns (derive.c) -- */
/* What a node is, computed of columns of the source, in the row itself; NULL: it is computed otherwise. */
const Derived *derived_of(const Evaluator *evaluator, NodeId id);
/* Columns side by side, or what is computed of each of several. */
bool derived_is_list(const Derived *derived);
/* Likewise, also in the rows around it, as windows(...) and ahead(...) give it. */
const Derived *derived_around(const Evaluator *evaluator, NodeId id, SourceRows *rows);
/* The input that a column is, in the row itself or in those around it, under a shape. */
NodeId derived_node(Evaluator *evaluator, const Derived *derived, SourceRows rows, Shape shape);
/* Likewise, with a place in the model. */
Value derive_column(Evaluator *evaluator, const Derived *derived, SourceRows rows, Shape shape, Span span);
/* Whether a transform that learns from the training rows has a part in it. */
bool derived_has_learnt(const Derived *derived);
/* Whether computing in f32 may lose digits of a column. */
bool derived_has_digits(const SourceSchema *schema, const Derived *derived);
static const SourceRows ROW_ITSELF = {0, 0, 1};
/* An operation on columns, and numbers, as a column; VALUE_NONE where an operand is something else. */
Value derive_single(Evaluator *evaluator, DerivedKind kind, Value x, Span span);
/* A column whose numbers are whole for certain as i32; else VALUE_NONE. */
Value derive_whole(Evaluator *evaluator, Value x, Span span);
Value derive_double(Evaluator *evaluator, DerivedKind kind, Value a, Value b, Span span);

/* Reports that the source has no field of that name, and which ones it has (source_fields.c). */
void source_no_field(Evaluator *evaluator, const char *name, Span span);
/* Reports text where numbers are needed. */
bool source_is_number(Evaluator *evaluator, NodeId node);
/* -- tensors (tensors.c) -- */
/* A number or truth value as a constant, a tensor as it is. */
NodeId tensor_of(Evaluator *evaluator, Value value);
/* Likewise, converted to f32. */
NodeId tensor_f32(Evaluator *evaluator, Value value);
/* Elementwise with broadcasting; the verb is for the message: "cannot add ...". */
Value tensor_binary(Evaluator *evaluator, Span span, Op op, const char *verb, NodeId a, NodeId b);
Value tensor_compare(Evaluator *evaluator, Span span, Operator op, Value a, Value b);
Value tensor_matmul(Evaluator *evaluator, Span span, NodeId a, NodeId b);
Value tensor_power(Evaluator *evaluator, Span span, Value base, Value exponent);
Value tensor_remainder(Evaluator *evaluator, Span span, Value a, Value b);
bool tensors_broadcast(Evaluator *evaluator, Span span, const char *verb, NodeId a, NodeId b);
/* Says how f32[N] and f32[N,1] are made one shape, if a and b are such a pair; false: they are not. */
bool tensors_help_column(Evaluator *evaluator, NodeId a, NodeId b);
static inline const Node *tensor_node(const Evaluator *evaluator, Value value) {
    return graph_node(evaluator->graph, value.node);
}

/* -- for functions written in C (calls.c) -- */
Value call_fail(const Call *call, uint32_t arg, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* An axis given as a whole number, negative from the end. */
bool call_axis(const Call *call, uint32_t arg, int rank, int *axis);
/* An axis, a list of axes, or none for all of them, as a set of bits. */
bool call_axes(const Call *call, uint32_t arg, int rank, uint32_t *axes);
/* A list of sizes as a shape. */
bool call_sizes(const Call *call, uint32_t arg, Shape *shape);
/* A list of whole numbers (or one), as read from a list or range. */
bool call_ints(const Call *call, uint32_t arg, int64_t *ints, uint32_t limit, uint32_t *count);

/* -- weights that `freeze` names (freeze.c) -- */
/* Whether the training leaves the weight or state of this name as it is; also for a name that begins with the layer's. */
bool freeze_holds(const Evaluator *evaluator, const char *tensor);
/* A pattern stands for a layer ("dense1"), or for one of its tensors ("dense1.weight"). */
bool freeze_stands_for(Arena *arena, const char *pattern, const char *tensor);
bool freeze_any_stands_for(Arena *arena, const Frozen *frozen, const char *tensor);

#endif
