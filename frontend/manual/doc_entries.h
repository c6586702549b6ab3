/* The entries of the manual: for every function of the library its section, its text, and an
 * example with the types of its result. */
#ifndef MLC_FRONTEND_MANUAL_DOC_ENTRIES_H
#define MLC_FRONTEND_MANUAL_DOC_ENTRIES_H

#include "frontend/library/library.h"

typedef struct {
    const Callable *callee;
    const char *section;           /* "Layers" */
    const char *signature;         /* "dense(x: tensor, width: int, ...)" */
    const char *text;              /* what it does */
    const char *formula, *example; /* NULL: none is given */
    const char *helper;            /* what the library itself uses it for; NULL: it is for users */
    const char *source;            /* its `def`; NULL: it is written in C */
} DocEntry;

/* All functions: section by section, and in each in the order of the files. Lives in the arena. */
const DocEntry *doc_entries(Arena *arena, const Library *library, uint32_t *count);

/* An example that has been evaluated. */
typedef struct {
    const char *inputs, *result; /* "x f32[N,8]" and "f32[N,3]" */
    bool ops[OP_COUNT];          /* the ops of its graph */
} DocExample;

/* The model whose fields the examples use. */
typedef struct DocExamples DocExamples;
DocExamples *doc_examples_open(Diagnostics *diag); /* NULL after reporting errors */
void doc_examples_close(DocExamples *examples);
const Library *doc_examples_library(const DocExamples *examples);
/* Evaluates the example of an entry; false after reporting what is wrong with it. */
bool doc_example_evaluate(const DocExamples *examples, Arena *arena, const DocEntry *entry,
                          DocExample *example);

#endif
