/* What is known of every function of the library: where it is listed, what it does, and an example with what comes of it. */
#ifndef MLC_FRONTEND_MANUAL_DOC_ENTRIES_H
#define MLC_FRONTEND_MANUAL_DOC_ENTRIES_H

#include "frontend/library/library.h"

typedef struct {
    const Callable *callee;
    const char *section;           /* "Layers" */
    const char *signature;         /* "dense(x: tensor, width: int, ...)" */
    const char *text;              /* what it does */
    const char *formula, *example; /* NULL: none is given */
    const char *helper;            /* what only the library itself needs it for; NULL: users call it */
    const char *source;            /* its `def`, or NULL */
} Entry;

/* All functions: section by section, and in each in the order of the files. Lives in the arena. */
const Entry *reference_entries(Arena *arena, const Library *library, uint32_t *count);

/* An example as it was tried: "x f32[N,8]", "f32[N,3]", and the ops that it is made of. */
typedef struct {
    const char *inputs, *result;
    bool ops[OP_COUNT];
} Trial;

typedef struct Laboratory Laboratory; /* a model whose fields the examples use */
Laboratory *laboratory_open(Diagnostics *diag);
void laboratory_close(Laboratory *laboratory);
const Library *laboratory_library(const Laboratory *laboratory);
/* False after reporting what is wrong with the example. */
bool laboratory_try(const Laboratory *laboratory, Arena *arena, const Entry *entry, Trial *trial);
/* "x f32[N,8], label u8[N], ...": what examples can use. */
const char *laboratory_inputs(Arena *arena);

#endif
