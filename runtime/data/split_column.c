/* The column that splits or groups the rows, and column(source.split). */
#include "ir/base/memory.h"
#include "runtime/data/split_assignment.h"
#include "runtime/data/faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- one number a row -- */

static int by_whole(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static const Exact *exact_of(const SplitColumn *column) {
    return &column->data->exact[column->field - column->data->fields];
}

/* Whole numbers beyond 2^53, such as identifiers of 19 digits, are replaced by their rank. */
static void rank_numbers(const SplitAssignment *assignment, SplitColumn *column) {
    const Exact *exact = exact_of(column);
    const int64_t *whole = exact->elements;
    bool large = false;
    if (exact->kind != EXACT_WHOLE || !whole) return;
    for (int64_t row = 0; row < assignment->rows; row++)
        large |= whole[row] != WHOLE_MISSING &&
                 (whole[row] > INT64_C(1) << 53 || whole[row] < -(INT64_C(1) << 53));
    if (!large) return;
    int64_t *ranked = ARENA_ARRAY(assignment->data->arena, int64_t, assignment->rows);
    memcpy(ranked, whole, (size_t)assignment->rows * sizeof *ranked);
    qsort(ranked, (size_t)assignment->rows, sizeof *ranked, by_whole);
    for (int64_t i = 0; i < assignment->rows; i++)
        if (!column->ranked_count || ranked[i] != ranked[column->ranked_count - 1])
            ranked[column->ranked_count++] = ranked[i];
    column->ranked = ranked;
}

typedef struct {
    const char *text;
    int32_t number;
} NumberedText;

static int by_text(const void *a, const void *b) {
    return strcmp(((const NumberedText *)a)->text, ((const NumberedText *)b)->text);
}

static void rank_texts(const SplitAssignment *assignment, SplitColumn *column) {
    const Exact *exact = exact_of(column);
    const int32_t *cells = exact->elements;
    Arena *arena = assignment->data->arena;
    int32_t count = 0;
    if (exact->kind != EXACT_TEXT || !cells) return;
    for (int64_t row = 0; row < assignment->rows; row++)
        if (cells[row] >= count) count = cells[row] + 1;
    NumberedText *sorted = ARENA_ARRAY(arena, NumberedText, count);
    const char **texts = ARENA_ARRAY(arena, const char *, count);
    int32_t *places = ARENA_ARRAY(arena, int32_t, count);
    for (int32_t i = 0; i < count; i++) sorted[i] = (NumberedText){exact->texts[i], i};
    qsort(sorted, (size_t)count, sizeof *sorted, by_text);
    for (int32_t i = 0; i < count; i++) {
        texts[i] = sorted[i].text;
        places[sorted[i].number] = i;
    }
    column->texts = texts;
    column->text_places = places;
}

bool split_column_find(const SplitAssignment *assignment, const HoldOut *hold,
                       SplitColumn *column) {
    const SourceSchema *schema = &assignment->data->schema;
    const SourceField *field = source_field(schema, hold->field);
    const char **names = ARENA_ARRAY(assignment->data->arena, const char *, schema->field_count);
    for (uint32_t i = 0; i < schema->field_count; i++) names[i] = schema->fields[i].name;
    if (!field) {
        diag_error(assignment->diag, STATUS_MODEL, hold->span, "the source has no field '%.100s'",
                   hold->field);
        diag_suggest(assignment->diag, hold->field, names, schema->field_count);
        return false;
    }
    *column = (SplitColumn){.data = assignment->data, .field = field};
    if (shape_elements(field->row) == 1 && assignment->data->data[field - schema->fields])
        return rank_numbers(assignment, column), rank_texts(assignment, column), true;
    diag_error(assignment->diag, STATUS_MODEL, hold->span,
               "'%.100s' must have one value a row to split the rows by it", hold->field);
    return false;
}

double split_column_value(const SplitColumn *column, int64_t row) {
    uint32_t field = (uint32_t)(column->field - column->data->fields);
    const void *exact = exact_of(column)->elements;
    if (column->texts) {
        int32_t cell = ((const int32_t *)exact)[row];
        return cell < 0 ? (double)NAN : column->text_places[cell];
    }
    if (!column->ranked) return derive_value(column->data, field, row).number;
    int64_t whole = ((const int64_t *)exact)[row];
    const int64_t *rank =
        bsearch(&whole, column->ranked, (size_t)column->ranked_count, sizeof whole, by_whole);
    return whole == WHOLE_MISSING ? (double)NAN : (double)(rank - column->ranked);
}

bool split_column_missing(const SplitAssignment *assignment, const HoldOut *hold, const char *what,
                          int64_t row) {
    report_unassigned(assignment->data, hold->field, (int32_t)row, what, hold->span,
                      assignment->diag);
    return false;
}

/* -- column(source.split) -- */

bool split_of_word(const char *word, size_t length, Split *split) {
    static const struct {
        const char *word;
        Split split;
    } words[] = {{"train", SPLIT_TRAIN}, {"training", SPLIT_TRAIN},   {"valid", SPLIT_VALID},
                 {"val", SPLIT_VALID},   {"validation", SPLIT_VALID}, {"dev", SPLIT_VALID},
                 {"test", SPLIT_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].word) != length || strncasecmp(words[i].word, word, length)) continue;
        *split = words[i].split;
        return true;
    }
    return false;
}

/* The word for a value; NULL: it is a number. */
static const char *value_text(const SplitColumn *column, double value) {
    if (column->texts) return column->texts[(uint32_t)value];
    return column->field->is_text ? column->field->categories[(uint32_t)value] : NULL;
}

static bool split_of_value(const SplitColumn *column, double value, Split *split) {
    const char *text = value_text(column, value);
    if (text) return split_of_word(text, strlen(text), split);
    if (!(value >= 0 && value < (int)SPLIT_COUNT) || value != floor(value)) return false;
    *split = (Split)value;
    return true;
}

static bool report_value(const SplitAssignment *assignment, const HoldOut *hold,
                         const SplitColumn *column, int64_t row) {
    char place[PLACE_TEXT], number[32];
    double value = split_column_value(column, row);
    const char *text = value_text(column, value);
    snprintf(number, sizeof number, "%.7g", value);
    diag_error(assignment->diag, STATUS_DATA, hold->span,
               "'%.100s' has '%.60s' in %s, which names no split", hold->field,
               text ? text : number,
               source_place_text(assignment->data, hold->field, (int32_t)row, place));
    diag_help(assignment->diag, "splits are called train, valid (or val) and test, or 0, 1 and 2");
    return false;
}

/* One column assigns both splits. */
static bool assign_column(SplitAssignment *assignment, const HoldOut *hold) {
    SplitColumn column;
    if (!split_column_find(assignment, hold, &column)) return false;
    for (int64_t row = 0; row < assignment->rows; row++) {
        double value = split_column_value(&column, row);
        Split split = SPLIT_TRAIN;
        if (isnan(value)) return split_column_missing(assignment, hold, "split", row);
        if (!split_of_value(&column, value, &split))
            return report_value(assignment, hold, &column, row);
        assignment->split_of[row] = (uint8_t)split;
    }
    return true;
}

/* Reports that the column assigns rows to a split that another key holds out. */
static bool check_other_key(const SplitAssignment *assignment, Split split) {
    const HoldOut *hold = hold_of(assignment->request, split);
    if (!holds(hold) || hold->kind == HOLD_COLUMN || !assignment_count(assignment, split))
        return true;
    const HoldOut *column =
        hold_of(assignment->request, split == SPLIT_VALID ? SPLIT_TEST : SPLIT_VALID);
    diag_error(assignment->diag, STATUS_MODEL, hold->span, "'%.100s' names rows for '%s' already",
               column->field, split_name(split));
    diag_help(assignment->diag, "leave '%s' out, or write %s = column(source.%s)",
              split_name(split), split_name(split), column->field);
    return false;
}

bool assign_columns(SplitAssignment *assignment) {
    const HoldOut *valid = &assignment->request->valid, *test = &assignment->request->test;
    bool by_valid = valid->kind == HOLD_COLUMN, by_test = test->kind == HOLD_COLUMN;
    if (by_valid && by_test && strcmp(valid->field, test->field)) {
        const SplitRequest *request = assignment->request;
        diag_error(
            assignment->diag, STATUS_MODEL, request->test.span,
            "'test' and 'valid' must be given by the same column, not by '%.100s' and '%.100s'",
            request->test.field, request->valid.field);
        return false;
    }
    if (!by_valid && !by_test) return true;
    return assign_column(assignment, by_test ? test : valid) &&
           check_other_key(assignment, SPLIT_VALID) && check_other_key(assignment, SPLIT_TEST);
}
