/* What is suspicious in data, as a list. */
#ifndef MLC_RUNTIME_DATA_FINDINGS_H
#define MLC_RUNTIME_DATA_FINDINGS_H

#include "runtime/data/statistics.h"

/* Something suspicious (runtime/data/inspect.c, which states the rules). */
typedef struct {
    const char *kind;  /* "missing", "outlier"... */
    const char *field; /* NULL: whole rows */
    int64_t count;     /* of elements, rows or classes */
    const char *text;
} Finding;
typedef struct {
    Arena *arena;
    Finding *items;
    uint32_t count, capacity;
} Findings;
void findings_add(Findings *findings, const char *kind, const char *field, int64_t count,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* elements that are missing or infinite */
void findings_missing(Findings *findings, const FieldFacts *facts);

#endif
