/* A list of suspicious findings about data. */
#ifndef MLC_RUNTIME_DATA_FINDINGS_H
#define MLC_RUNTIME_DATA_FINDINGS_H

#include "runtime/data/statistics.h"

/* A finding. runtime/data/inspect.c lists the rules. */
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
/* Adds the missing and infinite elements of a field. */
void findings_missing(Findings *findings, const FieldFacts *facts);

#endif
