/* Which rows belong to which split. Private to runtime/. */
#ifndef MLC_RUNTIME_SPLITS_H
#define MLC_RUNTIME_SPLITS_H

#include "runtime/reader.h"
#include "runtime/runtime.h"

typedef struct {
    int32_t *rows[SPLIT_COUNT]; /* in the order of the files */
    int64_t count[SPLIT_COUNT];
} Splits;

/* Deals the rows of a source out, whose elements are there. Reports a split that is not possible. */
bool splits_deal(const SourceData *data, const SplitRequest *request, Splits *splits, Diagnostics *diag);

#endif
