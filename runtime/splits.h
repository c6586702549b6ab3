/* Which rows belong to which split. Private to runtime/. */
#ifndef MLC_RUNTIME_SPLITS_H
#define MLC_RUNTIME_SPLITS_H

#include "runtime/runtime.h"

typedef struct {
    int32_t *rows[SPLIT_COUNT]; /* in the order of the files */
    int64_t count[SPLIT_COUNT];
} Splits;

/* Deals the rows of a source out; test rows of its own are numbered from `test_begin`. Reports a split that is not possible at `span`. */
bool splits_deal(const SourceSchema *schema, int64_t test_begin, const SplitRequest *request, Span span, Arena *arena,
                 Splits *splits, Diagnostics *diag);

#endif
