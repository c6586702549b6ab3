/* Inspects data before the training: statistics of every field and suspicious findings. The rules:
 *   unreadable          an array that cannot be a field: a model that reads it is wrong
 *   missing, infinite   elements that are NaN, empty or infinite
 *   constant            one value in all training rows
 *   identifier          whole numbers or text of a table, no two rows alike, in 20 rows or more:
 *                       they number the rows
 *   outlier             farther from the quartiles of the training rows than ten times their
 *                       distance
 *   unseen              a class or category that held-out rows have and no training row has
 *   empty               a class that no row has
 *   uneven              the label's most frequent class has ten times the training rows of the
 *                       rarest, or more
 *   duplicate           a row that is equal to an earlier row of its split
 *   leak                a held-out row that is equal to a training row */
#include "runtime/data/duplicates.h"
#include "ir/data/derived.h"
#include "ir/base/memory.h"
#include "runtime/data/inspect.h"
#include "runtime/data/moments.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IDENTIFIER_ROWS = 20, OUTLIER_ROWS = 20, OUTLIER_DISTANCES = 10, UNEVEN = 10 };

/* One element position of a field, over all rows. */
typedef struct {
    const Dataset *dataset;
    uint32_t field; /* of the source */
    const FieldFacts *facts;
    int64_t element;
    const char *name; /* "x", or "x[3]" */
} Column;

static ExactNumber value_of(const Column *column, int32_t row) {
    return dataset_number(column->dataset, column->field, row, column->element);
}

/* The sorted finite values of a split; the caller frees them. */
static ExactNumber *sorted_values(const Column *column, Split split, int64_t *count) {
    int64_t rows = dataset_rows(column->dataset, split);
    ExactNumber *values = memory_new(sizeof *values * (size_t)(rows + 1), "the values of a column");
    *count = 0;
    for (int64_t i = 0; i < rows; i++) {
        ExactNumber value = value_of(column, dataset_split(column->dataset, split)[i]);
        if (isfinite(value.number)) values[(*count)++] = value;
    }
    exact_sort(values, *count);
    return values;
}

/* -- rules about a column -- */

static void find_constant(const Column *column, Findings *findings) {
    const Statistics *train = &column->facts->columns[SPLIT_TRAIN][column->element];
    const SourceField *field = &column->facts->field;
    if (train->moments.count < 2 || exact_compare(train->min, train->max)) return;
    const char *value = field->is_text ? field->categories[(uint32_t)train->min.number]
                                       : arena_format(findings->arena, "%g", train->min.number);
    findings_add(findings, "constant", field->name, train->moments.count,
                 "'%s' is %s in all training rows%s", column->name, value,
                 train->missing ? " where it is not missing" : "");
}

static void find_identifier(const Column *column, Findings *findings) {
    const SourceField *field = &column->facts->field;
    /* dtype does not tell: whole numbers beyond 32 bits are f32 too */
    bool fractions = column->facts->columns[SPLIT_TRAIN][column->element].moments.has_fractions;
    if (!field->is_column || fractions) return;
    int64_t rows = dataset_rows(column->dataset, SPLIT_TRAIN), count;
    ExactNumber *values = sorted_values(column, SPLIT_TRAIN, &count);
    bool differ = count >= IDENTIFIER_ROWS && count == rows;
    for (int64_t i = 1; i < count && differ; i++)
        differ = exact_compare(values[i], values[i - 1]) != 0;
    free(values);
    if (!differ) return;
    findings_add(findings, "identifier", field->name, rows,
                 "'%s' looks like an identifier: no two training rows have the same %s",
                 column->name, field->is_text ? "text" : "whole number");
}

/* Finite values outside of [low, high]; *example: the row of the first. */
static int64_t count_outside(const Column *column, double low, double high, int32_t *example) {
    int64_t count = 0;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        for (int64_t i = 0; i < dataset_rows(column->dataset, split); i++) {
            int32_t row = dataset_split(column->dataset, split)[i];
            double value = value_of(column, row).number;
            if (isfinite(value) && (value < low || value > high) && !count++) *example = row;
        }
    }
    return count;
}

static void find_outliers(const Column *column, Findings *findings) {
    int64_t count;
    ExactNumber *values = sorted_values(column, SPLIT_TRAIN, &count);
    double lower = count ? values[count / 4].number : 0,
           upper = count ? values[count - 1 - count / 4].number : 0;
    double far = (double)OUTLIER_DISTANCES * (upper - lower);
    int32_t example = 0;
    free(values);
    if (count < OUTLIER_ROWS || !(far > 0)) return;
    int64_t outside = count_outside(column, lower - far, upper + far, &example);
    char place[PLACE_TEXT];
    if (outside)
        findings_add(
            findings, "outlier", column->facts->field.name, outside,
            "'%s': %" PRId64
            " value%s far from the others, such as %g in %s (half of the training rows: %g to %g)",
            column->name, outside, outside == 1 ? "" : "s", value_of(column, example).number,
            dataset_place_brief(column->dataset, example, place), lower, upper);
}

static bool has_classes(const DataFacts *facts, const char *name) {
    for (uint32_t i = 0; i < facts->class_count; i++)
        if (!strcmp(facts->classes[i].field->name, name)) return true;
    return false;
}

static void inspect_unseen(const SourceField *field, Findings *findings) {
    if (field->unseen)
        findings_add(
            findings, "unseen", field->name, field->unseen,
            "'%s': %" PRId64
            " held-out row%s a category that no training row has, such as '%.60s'; it counts as missing",
            field->name, field->unseen, field->unseen == 1 ? " has" : "s have", field->unseen_text);
}

static void inspect_field(const Dataset *dataset, uint32_t number, bool used, DataFacts *facts) {
    const FieldFacts *field = facts->fields[number];
    findings_missing(&facts->findings, field);
    if (field->dates) return;
    /* group(source.patient, 0.2) and names of rows have such categories, and do no harm */
    if (used) inspect_unseen(&field->field, &facts->findings);
    Column column = {.dataset = dataset, .field = number, .facts = field};
    bool classes = has_classes(facts, field->field.name), bytes = field->field.dtype == DTYPE_U8;
    for (column.element = 0; column.element < field->width; column.element++) {
        const char *name = field->field.name;
        column.name = field->field.row.rank ? arena_format(facts->findings.arena, "%s[%" PRId64 "]",
                                                           name, column.element)
                                            : name;
        find_constant(&column, &facts->findings);
        if (!classes || field->field.is_text) find_identifier(&column, &facts->findings);
        if (!classes && !bytes) find_outliers(&column, &facts->findings);
    }
}

/* -- rules about classes -- */

static const char *class_name(Arena *arena, const ClassCounts *counts, int64_t category) {
    bool named = (uint64_t)category < counts->field->category_count;
    return named ? arena_format(arena, "%" PRId64 " ('%.60s')", category,
                                counts->field->categories[category])
                 : arena_format(arena, "%" PRId64, category);
}

static int64_t held_out(const ClassCounts *counts, int64_t category) {
    return counts->counts[SPLIT_VALID][category] + counts->counts[SPLIT_TEST][category];
}

/* Finds classes without training rows, whose rows are all held out, and classes without any row. */
static void inspect_untrained(const ClassCounts *counts, Findings *findings) {
    int64_t unseen = 0, empty = 0, first_unseen = 0, first_empty = 0;
    const char *field = counts->field->name;
    for (int64_t i = counts->classes - 1; i >= 0; i--) {
        if (counts->counts[SPLIT_TRAIN][i]) continue;
        if (held_out(counts, i))
            unseen += held_out(counts, i), first_unseen = i;
        else
            empty++, first_empty = i;
    }
    if (unseen)
        findings_add(findings, "unseen", field, unseen,
                     "'%s': %" PRId64
                     " held-out row%s a class that no training row has, such as %s",
                     field, unseen, unseen == 1 ? " has" : "s have",
                     class_name(findings->arena, counts, first_unseen));
    if (empty)
        findings_add(findings, "empty", field, empty,
                     "'%s': %" PRId64 " of %" PRId64 " classes ha%s no row, such as %s", field,
                     empty, counts->classes, empty == 1 ? "s" : "ve",
                     class_name(findings->arena, counts, first_empty));
}

static void inspect_balance(const ClassCounts *counts, Findings *findings) {
    int64_t rarest = -1, most = -1;
    const int64_t *train = counts->counts[SPLIT_TRAIN];
    for (int64_t i = 0; i < counts->classes; i++) {
        if (train[i] && (rarest < 0 || train[i] < train[rarest])) rarest = i;
        if (train[i] && (most < 0 || train[i] > train[most])) most = i;
    }
    if (rarest < 0 || train[most] / train[rarest] < UNEVEN) return;
    findings_add(findings, "uneven", counts->field->name, train[most],
                 "'%s': the classes are uneven: %" PRId64 " training rows of class %s, but %" PRId64
                 " of class %s",
                 counts->field->name, train[most], class_name(findings->arena, counts, most),
                 train[rarest], class_name(findings->arena, counts, rarest));
}

/* -- rules about whole rows -- */

static void inspect_rows(const Dataset *dataset, Findings *findings) {
    Duplicates duplicates;
    duplicates_find(dataset, &duplicates);
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        int64_t repeated = duplicates.repeated[split], trained = duplicates.trained[split];
        const int32_t *pair = duplicates.repeated_pair[split],
                      *leak = duplicates.trained_pair[split];
        char place[PLACE_TEXT], before[PLACE_TEXT];
        if (repeated)
            findings_add(findings, "duplicate", NULL, repeated,
                         "%" PRId64 " %s row%s of another, such as %s, which equals %s", repeated,
                         split_name(split), repeated == 1 ? " is a copy" : "s are copies",
                         dataset_place_brief(dataset, pair[0], place),
                         dataset_place_brief(dataset, pair[1], before));
        if (trained)
            findings_add(findings, "leak", NULL, trained,
                         "%" PRId64 " %s row%s in train too, such as %s, which equals %s", trained,
                         split_name(split), trained == 1 ? " is" : "s are",
                         dataset_place_brief(dataset, leak[0], place),
                         dataset_place_brief(dataset, leak[1], before));
    }
}

/* -- all rules -- */

static FieldFacts *facts_of(const Dataset *dataset, uint32_t field, Arena *arena) {
    FieldFacts *facts = field_facts_new(arena, &dataset_fields(dataset)->fields[field]);
    int64_t elements = shape_elements(facts->field.row);
    for (Split split = 0; split < SPLIT_COUNT; split++)
        for (int64_t i = 0; i < dataset_rows(dataset, split) * elements; i++) {
            int32_t row = dataset_split(dataset, split)[i / elements];
            ExactNumber number = dataset_number(dataset, field, row, i % elements);
            if (facts->field.is_text && isnan(number.number) && dataset_text(dataset, field, row))
                number = exact_of_real(facts->field.category_count); /* unseen, and not missing */
            field_facts_number(facts, split, i % elements, number);
        }
    return facts;
}

/* The facts of a column that is read as dates: statistics of their seconds. */
static FieldFacts *date_facts(const Dataset *dataset, uint32_t field, const char *format,
                              Arena *arena) {
    const SourceSchema *schema = dataset_fields(dataset);
    FieldFacts *facts = field_facts_new(arena, &schema->fields[field]);
    const DatePart part = DATE_seconds;
    const Derived date = {
        .kind = DERIVED_DATE, .fields = &field, .count = 1, .format = format, .parts = &part};
    const char *name = derived_name(arena, schema, &date);
    facts->dates = format;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        int64_t rows = dataset_rows(dataset, split);
        ExactNumber *seconds = dataset_numbers(dataset, name, dataset_split(dataset, split), rows);
        for (int64_t i = 0; i < rows && seconds; i++)
            field_facts_number(facts, split, 0, seconds[i]);
        free(seconds);
    }
    return facts;
}

DataFacts *dataset_inspect(const Dataset *dataset, const FieldUses *uses, Arena *arena) {
    const SourceSchema *schema = dataset_fields(dataset);
    DataFacts *facts = ARENA_NEW(arena, DataFacts);
    facts->findings.arena = arena;
    facts->classes = class_counts(dataset, uses->label, uses->dates, arena, &facts->class_count);
    facts->fields = ARENA_ARRAY(arena, FieldFacts *, schema->field_count);
    for (uint32_t i = 0; i < schema->unreadable_count; i++)
        findings_add(&facts->findings, "unreadable", schema->unreadable[i].name, 1,
                     "%s; it is left out", schema->unreadable[i].finding);
    for (; facts->field_count < schema->field_count; facts->field_count++) {
        const char *format = uses->dates ? uses->dates[facts->field_count] : NULL;
        FieldFacts *field = format ? date_facts(dataset, facts->field_count, format, arena)
                                   : facts_of(dataset, facts->field_count, arena);
        facts->fields[facts->field_count] = field;
        inspect_field(dataset, facts->field_count, !uses->used || uses->used[facts->field_count],
                      facts);
    }
    for (uint32_t i = 0; i < facts->class_count; i++) {
        if (facts->classes[i].field->numbers)
            inspect_unseen(facts->classes[i].field, &facts->findings);
        const ClassCounts *counts = &facts->classes[i];
        Findings *findings = &facts->findings;
        inspect_untrained(counts, findings);
        if (counts->is_label) inspect_balance(counts, findings);
    }
    inspect_rows(dataset, &facts->findings);
    return facts;
}
