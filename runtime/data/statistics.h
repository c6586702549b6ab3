/* Statistics of the values of a field: counts, means, extremes. */
#ifndef MLC_RUNTIME_DATA_STATISTICS_H
#define MLC_RUNTIME_DATA_STATISTICS_H

#include "runtime/data/dataset.h"
#include "runtime/data/moments.h"

typedef struct {
    Moments moments; /* of finite values */
    ExactNumber min, max;
    int64_t missing, infinite; /* missing: NaN; text without a category */
} Statistics;
double statistics_deviation(const Statistics *statistics); /* NaN without a value */

/* The statistics of a field. */
enum { FACTS_COLUMNS = 64 };
typedef struct {
    SourceField field; /* a field of the source, or one that the data block computes */
    /* elements of a row with separate statistics; 0 if a row is not a list, or has more than
     * FACTS_COLUMNS elements */
    int64_t width;
    Statistics whole[SPLIT_COUNT], *columns[SPLIT_COUNT];
    /* the date format of a column read as dates, whose statistics are seconds; else NULL */
    const char *dates;
} FieldFacts;
FieldFacts *field_facts_new(Arena *arena, const SourceField *field);
/* Adds `count` rows. */
void field_facts_add(FieldFacts *facts, Split split, const void *rows, int64_t count);
void field_facts_number(FieldFacts *facts, Split split, int64_t element, ExactNumber number);

#endif
