/* The functions of the language. Those written in C have a row in library.def, or are elementwise
 * ops of ir/ops/ops.def; the others are the `def`s of stdlib.mdl and of the model. All are called
 * in the same way. */
#ifndef MLC_FRONTEND_EVALUATE_CALLABLE_H
#define MLC_FRONTEND_EVALUATE_CALLABLE_H

#include "ir/base/names.h"
#include "frontend/evaluate/value.h"

struct Evaluator;

typedef enum {
    KIND_FUNCTION,
    KIND_LAYER,
    KIND_OPTIMIZER,
    KIND_INITIALIZER,
    KIND_SOURCE,
    KIND_RULE,
    KIND_SPLIT
} FunctionKind;

/* A call of a function written in C: its arguments are checked against the signature and
 * complete. */
typedef struct {
    struct Evaluator *evaluator;
    const struct Callable *callee;
    const Value *args;       /* one for each formal, in order */
    const Span *spans;       /* where each was written; a default has the place of the call */
    Span span;               /* of the call */
    const char *assigned_to; /* the variable that the result goes to, or NULL */
} Call;

struct Bound;
/* Fan-in of a weight: how many inputs one output is computed from. Fan-out: how many outputs one
 * input reaches. */
typedef struct {
    double in, out;
} Fan;

/* The update of one weight by its gradient. */
typedef struct {
    struct Evaluator *evaluator;
    const struct Bound *optimizer;
    const char *name; /* the name of the weight */
    NodeId weight, gradient;
} Optimization;

typedef struct {
    const char *name, *signature, *doc;
    FunctionKind kind;
    int line; /* the line of its row in library.def; 0: it is an elementwise op of ops.def */
    Op op;    /* if line is 0 */
    Value (*call)(const Call *call);
    Init (*initial)(const struct Bound *bound, Fan fan);
    /* returns the weight's new value; NODE_NONE after an error */
    NodeId (*optimize)(const Optimization *optimization);
} Builtin;

typedef struct Callable {
    const char *name;
    const FormalList *formals;
    const Builtin *builtin;     /* NULL: it is written in the language */
    const Function *definition; /* its `def`; NULL: it is written in C */
    bool in_library; /* its body sees the library only, not the model's params and functions */
    bool is_network; /* it is the model block, which nothing calls */
    Span span;       /* of its name */
} Callable;

/* A call that is kept with its arguments and used later: an optimizer, initializer, source, rule or
 * split. */
typedef struct Bound {
    const Callable *callee;
    const Value *args;
    const Span *spans;
    Span span;
} Bound;

typedef struct {
    Names *functions; /* name -> Callable */
    uint32_t signature_file,
        stdlib_file;    /* texts of the diagnostics: signatures of library.def, and stdlib.mdl */
    const char *stdlib; /* the text of stdlib.mdl */
} Library;

/* The declaration of a function of the library: "dense(x: tensor, width: int)" (arguments.c). */
const char *callable_signature(Arena *arena, const Library *library, const Callable *callee);
static inline bool library_owns(const Library *library, Span span) {
    return span.file == library->signature_file || span.file == library->stdlib_file;
}

#endif
