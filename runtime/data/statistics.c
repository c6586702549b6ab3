/* Statistics of the elements of a field for each split: missing elements, minimum, maximum, mean
 * and deviation. Sums are in double, in the order of the rows. */
#include "runtime/data/statistics.h"

#include <math.h>

ExactNumber moments_exact_mean(const Moments *moments) {
    return exact_plus(moments->first, moments->from_first);
}

double moments_deviation(const Moments *moments) {
    return moments->count ? sqrt(moments->square / (double)moments->count) : NAN;
}

double statistics_deviation(const Statistics *statistics) {
    return moments_deviation(&statistics->moments);
}

double element_value(DType dtype, bool is_text, const void *data, int64_t at) {
    double value = dtype_element(dtype, data, at);
    return is_text && value < 0 ? (double)NAN : value;
}

static void add_value(Statistics *statistics, ExactNumber value) {
    bool first = statistics->moments.count == 0;
    if (isnan(value.number)) {
        statistics->missing++;
    } else if (isinf(value.number)) {
        statistics->infinite++;
    } else {
        if (first || exact_compare(value, statistics->min) < 0) statistics->min = value;
        if (first || exact_compare(value, statistics->max) > 0) statistics->max = value;
        moments_add(&statistics->moments, value);
    }
}

FieldFacts *field_facts_new(Arena *arena, const SourceField *field) {
    FieldFacts *facts = ARENA_NEW(arena, FieldFacts);
    int64_t elements = shape_elements(field->row);
    *facts = (FieldFacts){
        .field = *field, .width = field->row.rank <= 1 && elements <= FACTS_COLUMNS ? elements : 0};
    for (int split = 0; split < SPLIT_COUNT; split++)
        facts->columns[split] = ARENA_ARRAY(arena, Statistics, facts->width);
    return facts;
}

void field_facts_number(FieldFacts *facts, Split split, int64_t element, ExactNumber number) {
    add_value(&facts->whole[split], number);
    if (facts->width) add_value(&facts->columns[split][element], number);
}

void field_facts_add(FieldFacts *facts, Split split, const void *rows, int64_t count) {
    int64_t elements = shape_elements(facts->field.row);
    for (int64_t i = 0; i < count * elements; i++) {
        double value = element_value(facts->field.dtype, facts->field.is_text, rows, i);
        field_facts_number(facts, split, i % elements, exact_of_real(value));
    }
}
