/* What the values of a field are like: counts, means, extremes. */
#ifndef MLC_RUNTIME_DATA_STATISTICS_H
#define MLC_RUNTIME_DATA_STATISTICS_H

#include "runtime/data/dataset.h"
#include "runtime/data/moments.h"

typedef struct {
    Moments moments; /* of finite values */
    double min, max;
    bool has_fractions;        /* a value is no whole number */
    int64_t missing, infinite; /* missing: NaN; text without a category */
} Statistics;
double statistics_deviation(const Statistics *statistics); /* NaN without a value */

/* What a field's elements are like. */
enum { FACTS_COLUMNS = 64 };
typedef struct {
    SourceField field; /* of the source, or made of it by a model */
    int64_t
        width; /* elements of a row, each with statistics of its own; 0 where they are no list, or one of more than FACTS_COLUMNS */
    Statistics whole[SPLIT_COUNT], *columns[SPLIT_COUNT];
    const char *
        dates; /* the format by which a column is read as dates: its statistics are of their seconds; NULL: it is none */
} FieldFacts;
FieldFacts *field_facts_new(Arena *arena, const SourceField *field);
/* one row after the other */
void field_facts_add(FieldFacts *facts, Split split, const void *rows, int64_t count);
void field_facts_number(FieldFacts *facts, Split split, int64_t element, double number);

#endif
