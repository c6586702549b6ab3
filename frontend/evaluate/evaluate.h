/* The evaluator: runs the model while compiling. Numbers, lists and functions are values; tensors
 * become nodes of a graph. */
#ifndef MLC_FRONTEND_EVALUATE_EVALUATE_H
#define MLC_FRONTEND_EVALUATE_EVALUATE_H

#include "frontend/evaluate/model_facts.h"
#include "frontend/evaluate/callable.h"
#include "ir/data/derived.h"

enum {
    EVALUATE_MAX_DEPTH = 1000, /* nested expressions, over all calls in progress */
    EVALUATE_MAX_CALLS = 64,   /* nested calls */
    /* evaluated expressions, loop iterations and created list items, together */
    EVALUATE_MAX_STEPS = 1000000
};

/* The part of a model that is being evaluated. Some names and functions are available in one part
 * only. */
typedef enum {
    PHASE_SETTINGS, /* params and settings of the train block */
    /* valid and test: the schema of the source is not known yet, so source.NAME is the name
     * itself */
    PHASE_SPLIT,
    PHASE_DATA,  /* fields */
    PHASE_MODEL, /* the network */
    PHASE_TRAIN  /* loss, metrics and optimizer */
} Phase;

/* Names of layers or tensors, as in `freeze = [dense1, "conv*"]`. "*" stands for any characters. */
typedef struct {
    const char **patterns;
    Span *spans;
    uint32_t count;
} LayerNames;

/* The declarations of a model. All its parts see them. */
typedef struct {
    const Library *library;
    Names *params;          /* name -> Value */
    Names *functions;       /* name -> Callable: the model's own definitions */
    Names *fields;          /* name -> Setting */
    const Setting *augment; /* the setting that changes a field in training, or NULL */
    const char *augmented;  /* the name of that field */
    const DataSource *source;
    const SplitRequest *split;
    SourceSchema *schema; /* evaluation adds the columns that the model derives */
    ClassesFunction
        *classes; /* reads the classes of a column from the data; NULL: not possible here */
    void *schema_context;
    LayerNames frozen;       /* layers that are not trained */
    const Function *network; /* NULL: not known yet */
    /* a batch size that divides no size of the model except those computed from N; 0: not known
     * yet */
    uint32_t distinct_batch;
    /* with `replicas`: the substreams of the random numbers that belong to the rows of a batch */
    const uint32_t *row_substreams;
    uint32_t row_substream_count;
    /* set where an operation pairs the rows of one operand with another axis of the other */
    bool *rows_crossed;
} Globals;

/* The variables of one function that is being evaluated. */
typedef struct {
    Names *values; /* name -> Value */
    bool in_library;
} Scope;

/* A call in progress. */
typedef struct CallFrame {
    struct CallFrame *up;
    const Callable *callee;
    Span place;
    uint32_t level;
    /* "layer_norm1": the name of a layer of the library that has made weights; else NULL */
    const char *layer;
} CallFrame;

/* The transforms that are fitted to the data: standardize, impute. The list is in reverse order of
 * evaluation. */
typedef struct FitList {
    struct FitItem {
        struct FitItem *before;
        Fit fit;
        /* the transform is fitted to `input`; standardize computes `output` from `from` */
        NodeId input, from, output;
    } * last;
    uint32_t count;
} FitList;

/* Computed whole numbers that are used as class numbers or as rows of an embedding. The list is in
 * reverse order of evaluation. */
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
    uint32_t batch;      /* N */
    uint32_t full_batch; /* the rows of a batch that is not the smaller last one of an epoch */
    /* builds the graph of a training step, not one that evaluates or predicts */
    bool training;
    bool asks_training;   /* an expression has named `training`: it may depend on it */
    bool finishing;       /* builds GRAPH_METRICS, whose inputs are means over a split */
    const char *metric;   /* the metric being evaluated; NULL: none */
    uint32_t split_means; /* calls of split_mean in that metric so far */
    /* the matrix of counts that the metric made, described by `counted`; NODE_NONE: none */
    NodeId counts;
    MetricCounts counted;
    /* the last mean of truth values, mean(a == b), over `truths` elements; NODE_NONE: none */
    NodeId fraction;
    int64_t truths;
    Scope *scope;
    CallFrame *frame;    /* innermost */
    const char *field;   /* the field that is being evaluated */
    FitList *fits;       /* transforms so far that are fitted to the data */
    ChoiceList *choices; /* class numbers that the data block and the model have computed so far */
    const char *assigned_to; /* the variable on the left of the expression being evaluated */
    uint32_t depth, steps;
    /* a limit was exceeded: every value is an error from now on, without a message */
    bool stopped;
    Names *fields;        /* name -> Value: fields evaluated so far */
    Names *layer_counts;  /* kind -> uint32_t * */
    Names *weights;       /* names in use */
    struct LayerLog *log; /* where calls in the model are recorded, or NULL */
    /* places that have an error; loops and repeated calls would report it again */
    Span reported[REPORTED_PLACES];
    uint32_t reported_count;
    size_t errors_told; /* number of errors whose chain of calls has been reported */
} Evaluator;

/* -- reporting (report.c) -- */

/* The place to report for `span`. For a place inside the library it is the call in the model that
 * led there. */
Span evaluator_place(const Evaluator *evaluator, Span span);
/* Reports an error with the chain of calls that led there. False if the place already had an error
 * and nothing was reported: then no note or help may follow. */
bool evaluator_error(Evaluator *evaluator, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Help for a name that other programs use: "Linear" is dense here. NULL if the name is not
 * known. */
const char *alias_help(const char *name);
/* Help for an unknown name: what it is called here, or the candidate that it resembles. false:
 * there is none. */
bool alias_suggest(Diagnostics *diag, const char *name, const char *const *candidates,
                   size_t count);
/* The same for an argument or a key. */
bool alias_suggest_word(Diagnostics *diag, const char *name, const char *const *candidates,
                        size_t count);
/* The value of a node that a builder of the graph returned. If it reported an error, the chain of
 * calls is added. */
Value evaluator_built(Evaluator *evaluator, Span span, NodeId node);
/* Sets the place of the nodes that are built next. */
void evaluator_at(Evaluator *evaluator, Span span);

/* Counts steps of work; false after reporting that there were too many, which ends the
 * evaluation. */
bool evaluator_charge(Evaluator *evaluator, Span span, uint32_t steps);

/* -- expressions (evaluate_expression.c), operators (operators.c, tensors.c), indexing (indexing.c)
 * -- */
Value evaluate(Evaluator *evaluator, const Expr *expr);
Value evaluate_operation(Evaluator *evaluator, const Expr *expr);
Value evaluate_index(Evaluator *evaluator, const Expr *expr);
/* VALUE_ERROR without a message if there is no such field */
Value evaluate_field(Evaluator *evaluator, const char *name);

/* -- statements (evaluate_statement.c) -- */
bool evaluate_body(Evaluator *evaluator, const StmtList *body);
void scope_put(Evaluator *evaluator, const char *name, Value value);

/* -- calls (evaluate_call.c, arguments.c) -- */
Value evaluate_call(Evaluator *evaluator, const Expr *expr);
/* A scope without variables; `in_library`: for a function of stdlib.mdl */
Scope *scope_new(Evaluator *evaluator, bool in_library);

typedef struct {
    const char *name; /* NULL: positional */
    Span name_span;
    Value value;
    Span span;
} Given;
/* Calls a function with arguments that have been evaluated. */
Value evaluate_invoke(Evaluator *evaluator, const Callable *callee, const Given *given,
                      uint32_t count, Span span);
/* Calls a function with positional arguments; `spans` says where they came from. */
Value evaluate_apply(Evaluator *evaluator, const Callable *callee, const Value *args,
                     const Span *spans, uint32_t count, Span span);
/* Checks the given arguments against the formals and assigns all formals in the scope. `spans` gets
 * the place of each formal's value. */
bool arguments_bind(Evaluator *evaluator, const Callable *callee, const Given *given,
                    uint32_t count, Span span, Scope *scope, Span *spans);
/* The owner of a checked value, as messages name it: "'x' of 'dense'" of an argument, "param
 * 'width'" without a callee. It becomes text in an error only. */
typedef struct {
    const char *name, *callee;
} ValueOwner;
const char *value_owner_text(Arena *arena, ValueOwner owner);

/* Checks a value against a declared type; a whole number becomes a float where one is declared.
 * Unknown names in the type's shape, such as C in f32[M, C], become variables with the sizes found.
 * Reports the error and returns false. */
bool type_check(Evaluator *evaluator, const Type *type, Value *value, Span span, ValueOwner owner);

/* Checks a value, or every item of a list, against the limits after `in` (NULL: no limits). Tensors
 * are not checked. `remote`: the value stands elsewhere than its limits, so the message names their
 * place. */
bool limits_check(Evaluator *evaluator, const Limits *limits, Value value, Span span,
                  ValueOwner owner, bool remote);

/* -- the data source (source_fields.c) -- */
/* A field of the source as an input of the graph, with a row for each row of the batch. */
Value source_input(Evaluator *evaluator, const SourceField *field, Span span);
Value source_member(Evaluator *evaluator, const char *name, Span span);
Value source_element(Evaluator *evaluator, const Expr *expr); /* source["a name"], source[3] */
/* The columns of text or classes that a tensor consists of; NULL if it has others. */
const SourceField **source_text(const Evaluator *evaluator, NodeId node, uint32_t *count);
/* Adds to the last error why a column is text: its first cell that is not a number, and how to get
 * numbers. */
void source_explain_text(Evaluator *evaluator, const SourceField *field);
/* The newest row of windows(...), or of what is computed from it element by element: of a tensor
 * [N, length, ...] the tensor [N, ...]. NODE_NONE for other tensors (series.c). */
NodeId series_newest(Evaluator *evaluator, NodeId node);
/* Whether a row of the tensor depends on other rows of the data, as windows(...) does. */
bool series_crosses_rows(const Evaluator *evaluator, NodeId node);
/* -- derived columns (derive.c) -- */
/* How a node is computed from columns of the source in the same row; NULL if it is computed in
 * another way. */
const Derived *derived_of(const Evaluator *evaluator, NodeId id);
/* Whether it is a list of columns side by side, or computed from lists. */
bool derived_is_list(const Derived *derived);
/* derived_of that also takes windows(...) and ahead(...): `rows` gets the rows that are read,
 * relative to the row itself. */
const Derived *derived_around(const Evaluator *evaluator, NodeId id, SourceRows *rows);
/* The input of the graph for a derived column in these rows, reshaped to `shape`. */
NodeId derived_node(Evaluator *evaluator, const Derived *derived, SourceRows rows, Shape shape);
/* derived_node as a value with a place in the model. */
Value derive_column(Evaluator *evaluator, const Derived *derived, SourceRows rows, Shape shape,
                    Span span);
/* Whether it depends on a transform that is fitted to the training rows. */
bool derived_has_fitted(const Derived *derived);
/* Whether computing it in f32 may lose digits. */
bool derived_has_digits(const SourceSchema *schema, const Derived *derived);
static const SourceRows ROW_ITSELF = {0, 0, 1};
/* An operation on columns and numbers, as a derived column; VALUE_NONE if an operand is something
 * else. */
Value derive_single(Evaluator *evaluator, DerivedKind kind, Value x, Span span);
/* A column that has whole numbers only, as i32; VALUE_NONE for others. */
Value derive_whole(Evaluator *evaluator, Value x, Span span);
Value derive_double(Evaluator *evaluator, DerivedKind kind, Value a, Value b, Span span);

/* Reports that the source has no field of that name, and lists its fields (source_fields.c). */
void source_no_field(Evaluator *evaluator, const char *name, Span span);
/* Whether a node is a number; false after reporting that it is text. */
bool source_is_number(Evaluator *evaluator, NodeId node);
/* -- tensors (tensors.c) -- */
/* The node of a value: a constant for a number or truth value, the node itself for a tensor. */
NodeId tensor_of(Evaluator *evaluator, Value value);
/* The same, converted to f32. */
NodeId tensor_f32(Evaluator *evaluator, Value value);
/* An elementwise operation with broadcasting. `verb` is for the message: "cannot add ...". */
Value tensor_binary(Evaluator *evaluator, Span span, Op op, const char *verb, NodeId a, NodeId b);
Value tensor_compare(Evaluator *evaluator, Span span, Operator op, Value a, Value b);
Value tensor_matmul(Evaluator *evaluator, Span span, NodeId a, NodeId b);
Value tensor_power(Evaluator *evaluator, Span span, Value base, Value exponent);
Value tensor_remainder(Evaluator *evaluator, Span span, Value a, Value b);
bool tensors_broadcast(Evaluator *evaluator, Span span, const char *verb, NodeId a, NodeId b);
/* Adds help if a and b are like f32[N] and f32[N,1]; false if they are not. */
bool tensors_help_column(Evaluator *evaluator, NodeId a, NodeId b);
static inline const Node *tensor_node(const Evaluator *evaluator, Value value) {
    return graph_node(evaluator->graph, value.node);
}

/* -- for functions written in C (calls.c) -- */
Value call_fail(const Call *call, uint32_t arg, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* An argument as text for messages: "f32[N,10]", "3". */
const char *call_arg_text(const Call *call, uint32_t arg);
/* Reads an axis, which counts from the end if negative. */
bool call_axis(const Call *call, uint32_t arg, int rank, int *axis);
/* Reads an axis, a list of axes, or none (all axes), as a set of bits. */
bool call_axes(const Call *call, uint32_t arg, int rank, uint32_t *axes);
/* Reads a list of sizes as a shape. */
bool call_sizes(const Call *call, uint32_t arg, Shape *shape);
/* Reads a list or range of whole numbers, or one number. */
bool call_ints(const Call *call, uint32_t arg, int64_t *ints, uint32_t limit, uint32_t *count);

/* -- names of layers in the train block (layer_names.c) -- */
/* Whether `freeze` covers the weight or state of this name. */
bool freeze_holds(const Evaluator *evaluator, const char *tensor);
/* Whether a pattern, "dense1" for a layer or "dense1.weight" for one tensor, matches the name of a
 * tensor. */
bool layer_name_covers(Arena *arena, const char *pattern, const char *tensor);
/* Whether one of the names covers the tensor. */
bool layer_names_cover(Arena *arena, const LayerNames *names, const char *tensor);

#endif
