/* Assigns rows to splits. Rows chosen by a column and the last rows come first. Other held-out rows
 * are random: they are taken in the order of a permutation that depends only on the seed and the
 * number of rows. */
#include "runtime/data/splits.h"
#include "ir/ops/random.h"
#include "ir/base/memory.h"
#include "runtime/data/derive.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *split_of_rows(Split split) {
    static const char *const words[SPLIT_COUNT] = {"training", "validation", "test"};
    return words[split];
}

const char *split_name(Split split) {
    static const char *const names[SPLIT_COUNT] = {
        [SPLIT_TRAIN] = "train", [SPLIT_VALID] = "valid", [SPLIT_TEST] = "test"};
    return names[split];
}

/* -- numbers of rows -- */

static const HoldOut *hold_of(const SplitRequest *request, Split split) {
    return split == SPLIT_VALID ? &request->valid : &request->test;
}

static bool holds(const HoldOut *hold) { return hold->kind == HOLD_COLUMN || hold->amount > 0; }

/* The rows of the separate file of a split. */
static int64_t own_rows(const SourceSchema *schema, Split split) {
    return split == SPLIT_TRAIN ? 0 : split == SPLIT_VALID ? schema->valid_rows : schema->test_rows;
}

/* The number of rows to hold out of `rows`. For a column or a number of groups it is only known
 * from the data. */
static int64_t wanted_rows(const HoldOut *hold, int64_t rows) {
    double wanted = hold->is_count ? hold->amount : floor(hold->amount * (double)rows + 0.5);
    return wanted < 0 ? -1 : wanted < (double)rows ? (int64_t)wanted : rows;
}

/* Whether the number of rows is known before the data are read. */
static bool is_exact(const HoldOut *hold) {
    return !holds(hold) || hold->kind == HOLD_RANDOM || hold->kind == HOLD_LAST;
}

/* Whether the amount counts rows. */
static bool counts_rows(const HoldOut *hold) {
    return holds(hold) && hold->kind != HOLD_COLUMN &&
           !(hold->kind == HOLD_GROUP && hold->is_count);
}

bool dataset_expect_rows(const SourceSchema *schema, const SplitRequest *request,
                         int64_t rows[SPLIT_COUNT]) {
    bool good = is_exact(&request->valid) && is_exact(&request->test);
    rows[SPLIT_TRAIN] = schema->train_rows;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        int64_t held = holds(hold) ? wanted_rows(hold, schema->train_rows) : 0,
                own = own_rows(schema, split);
        rows[SPLIT_TRAIN] -= held;
        rows[split] = held + own;
        good &= held >= 0 && !(holds(hold) && (own || !held));
    }
    return good && rows[SPLIT_TRAIN] > 0;
}

/* -- assigning rows -- */

typedef struct {
    const SourceData *data;
    const SplitRequest *request;
    int64_t rows;      /* training rows of the source */
    uint8_t *split_of; /* [rows] */
    int32_t *order;    /* [rows]: the permutation; NULL until it is needed */
    Diagnostics *diag;
} Dealing;

static const int32_t *drawn_order(Dealing *dealing) {
    if (dealing->order) return dealing->order;
    dealing->order = memory_new((size_t)dealing->rows * sizeof *dealing->order, "the splits");
    random_permutation(dealing->request->seed, STREAM_SPLIT, 0, (uint32_t)dealing->rows,
                       dealing->order);
    return dealing->order;
}

static int64_t count_rows(const Dealing *dealing, Split split) {
    int64_t count = 0;
    for (int64_t row = 0; row < dealing->rows; row++) count += dealing->split_of[row] == split;
    return count;
}

/* -- the column of a split -- */

/* One number per row; for text the index of its category. */
typedef struct {
    const SourceData *data;
    const SourceField *field;
    /* whole numbers beyond f64: the sorted distinct numbers; else NULL */
    const int64_t *ranked;
    int64_t ranked_count;
    /* of text, the different cells in the order of their bytes, and the place of each there. A
     * checkpoint knows only the categories of the training rows; other rows have other cells. */
    const char *const *texts;
    const int32_t *text_places;
} Marks;

static int by_whole(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static const Exact *exact_of(const Marks *marks) {
    return &marks->data->exact[marks->field - marks->data->fields];
}

/* Whole numbers beyond 2^53, such as identifiers of 19 digits, are replaced by their rank. */
static void rank_marks(const Dealing *dealing, Marks *marks) {
    const Exact *exact = exact_of(marks);
    const int64_t *whole = exact->elements;
    bool large = false;
    if (exact->kind != EXACT_WHOLE || !whole) return;
    for (int64_t row = 0; row < dealing->rows; row++)
        large |= whole[row] != WHOLE_MISSING &&
                 (whole[row] > INT64_C(1) << 53 || whole[row] < -(INT64_C(1) << 53));
    if (!large) return;
    int64_t *ranked = ARENA_ARRAY(dealing->data->arena, int64_t, dealing->rows);
    memcpy(ranked, whole, (size_t)dealing->rows * sizeof *ranked);
    qsort(ranked, (size_t)dealing->rows, sizeof *ranked, by_whole);
    for (int64_t i = 0; i < dealing->rows; i++)
        if (!marks->ranked_count || ranked[i] != ranked[marks->ranked_count - 1])
            ranked[marks->ranked_count++] = ranked[i];
    marks->ranked = ranked;
}

typedef struct {
    const char *text;
    int32_t number;
} NumberedText;

static int by_text(const void *a, const void *b) {
    return strcmp(((const NumberedText *)a)->text, ((const NumberedText *)b)->text);
}

static void rank_texts(const Dealing *dealing, Marks *marks) {
    const Exact *exact = exact_of(marks);
    const int32_t *cells = exact->elements;
    Arena *arena = dealing->data->arena;
    int32_t count = 0;
    if (exact->kind != EXACT_TEXT || !cells) return;
    for (int64_t row = 0; row < dealing->rows; row++)
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
    marks->texts = texts;
    marks->text_places = places;
}

static bool find_marks(const Dealing *dealing, const HoldOut *hold, Marks *marks) {
    const SourceSchema *schema = &dealing->data->schema;
    const SourceField *field = source_field(schema, hold->field);
    const char **names = ARENA_ARRAY(dealing->data->arena, const char *, schema->field_count);
    for (uint32_t i = 0; i < schema->field_count; i++) names[i] = schema->fields[i].name;
    if (!field) {
        diag_error(dealing->diag, STATUS_MODEL, hold->span, "the source has no field '%.100s'",
                   hold->field);
        diag_suggest(dealing->diag, hold->field, names, schema->field_count);
        return false;
    }
    *marks = (Marks){.data = dealing->data, .field = field};
    if (field->row.rank == 0 && dealing->data->data[field - schema->fields])
        return rank_marks(dealing, marks), rank_texts(dealing, marks), true;
    diag_error(dealing->diag, STATUS_MODEL, hold->span,
               "'%.100s' must have one value a row to split the rows by it", hold->field);
    return false;
}

/* NaN where it is missing. */
static double mark_of(const Marks *marks, int64_t row) {
    uint32_t field = (uint32_t)(marks->field - marks->data->fields);
    const void *exact = exact_of(marks)->elements;
    if (marks->texts) {
        int32_t cell = ((const int32_t *)exact)[row];
        return cell < 0 ? (double)NAN : marks->text_places[cell];
    }
    if (!marks->ranked) return derive_value(marks->data, field, row);
    int64_t whole = ((const int64_t *)exact)[row];
    const int64_t *rank =
        bsearch(&whole, marks->ranked, (size_t)marks->ranked_count, sizeof whole, by_whole);
    return whole == WHOLE_MISSING ? (double)NAN : (double)(rank - marks->ranked);
}

static bool report_missing(const Dealing *dealing, const HoldOut *hold, const char *what,
                           int64_t row) {
    char place[PLACE_TEXT];
    diag_error(dealing->diag, STATUS_DATA, hold->span,
               "'%.100s' is missing in %s, so this row belongs to no %s", hold->field,
               source_place_text(dealing->data, hold->field, (int32_t)row, place), what);
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

static bool split_of_text(const char *text, Split *split) {
    return split_of_word(text, strlen(text), split);
}

/* NULL: it is a number. */
static const char *mark_text(const Marks *marks, double mark) {
    if (marks->texts) return marks->texts[(uint32_t)mark];
    return marks->field->is_text ? marks->field->categories[(uint32_t)mark] : NULL;
}

static bool split_of_mark(const Marks *marks, double mark, Split *split) {
    const char *text = mark_text(marks, mark);
    if (text) return split_of_text(text, split);
    if (!(mark >= 0 && mark < (int)SPLIT_COUNT) || mark != floor(mark)) return false;
    *split = (Split)mark;
    return true;
}

static bool report_mark(const Dealing *dealing, const HoldOut *hold, const Marks *marks,
                        int64_t row) {
    char place[PLACE_TEXT], number[32];
    double mark = mark_of(marks, row);
    const char *text = mark_text(marks, mark);
    snprintf(number, sizeof number, "%.7g", mark);
    diag_error(dealing->diag, STATUS_DATA, hold->span,
               "'%.100s' has '%.60s' in %s, which names no split", hold->field,
               text ? text : number,
               source_place_text(dealing->data, hold->field, (int32_t)row, place));
    diag_help(dealing->diag, "splits are called train, valid (or val) and test, or 0, 1 and 2");
    return false;
}

/* One column assigns both splits. */
static bool deal_column(Dealing *dealing, const HoldOut *hold) {
    Marks marks;
    if (!find_marks(dealing, hold, &marks)) return false;
    for (int64_t row = 0; row < dealing->rows; row++) {
        double mark = mark_of(&marks, row);
        Split split = SPLIT_TRAIN;
        if (isnan(mark)) return report_missing(dealing, hold, "split", row);
        if (!split_of_mark(&marks, mark, &split)) return report_mark(dealing, hold, &marks, row);
        dealing->split_of[row] = (uint8_t)split;
    }
    return true;
}

/* The column may also name a split that another key assigns. */
static bool check_other_key(const Dealing *dealing, Split split) {
    const HoldOut *hold = hold_of(dealing->request, split);
    if (!holds(hold) || hold->kind == HOLD_COLUMN || !count_rows(dealing, split)) return true;
    const HoldOut *column =
        hold_of(dealing->request, split == SPLIT_VALID ? SPLIT_TEST : SPLIT_VALID);
    diag_error(dealing->diag, STATUS_MODEL, hold->span, "'%.100s' names rows for '%s' already",
               column->field, split_name(split));
    diag_help(dealing->diag, "leave '%s' out, or write %s = column(source.%s)", split_name(split),
              split_name(split), column->field);
    return false;
}

static bool deal_columns(Dealing *dealing) {
    const HoldOut *valid = &dealing->request->valid, *test = &dealing->request->test;
    bool by_valid = valid->kind == HOLD_COLUMN, by_test = test->kind == HOLD_COLUMN;
    if (by_valid && by_test && strcmp(valid->field, test->field)) {
        const SplitRequest *request = dealing->request;
        diag_error(dealing->diag, STATUS_MODEL, request->test.span,
                   "'test' and 'valid' must be said by the same column, not by "
                   "'%.100s' and '%.100s'",
                   request->test.field, request->valid.field);
        return false;
    }
    if (!by_valid && !by_test) return true;
    return deal_column(dealing, by_test ? test : valid) && check_other_key(dealing, SPLIT_VALID) &&
           check_other_key(dealing, SPLIT_TEST);
}

/* -- last(0.2) -- */

/* -- random rows -- */

static void deal_random(Dealing *dealing, Split split) {
    int64_t left = wanted_rows(hold_of(dealing->request, split), dealing->rows);
    const int32_t *order = drawn_order(dealing);
    for (int64_t i = 0; i < dealing->rows && left > 0; i++) {
        if (dealing->split_of[order[i]] != SPLIT_TRAIN) continue;
        dealing->split_of[order[i]] = (uint8_t)split;
        left--;
    }
}

/* Rows with the same value. */
typedef struct {
    int32_t *group_of; /* [row]: the index of its value */
    int64_t *size;     /* [group]: its rows that are still in training */
    uint32_t count;
} RowGroups;

int valued_row_compare(const void *a, const void *b) {
    const ValuedRow *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

static void groups_free(RowGroups *groups) {
    free(groups->group_of);
    free(groups->size);
}

static bool groups_find(const Dealing *dealing, const HoldOut *hold, RowGroups *groups) {
    Marks marks;
    if (!find_marks(dealing, hold, &marks)) return false;
    for (int64_t row = 0; row < dealing->rows; row++)
        if (isnan(mark_of(&marks, row)))
            return report_missing(dealing, hold, hold->kind == HOLD_GROUP ? "group" : "class", row);
    ValuedRow *sorted = memory_new((size_t)dealing->rows * sizeof *sorted, "the splits");
    for (int64_t row = 0; row < dealing->rows; row++)
        sorted[row] = (ValuedRow){mark_of(&marks, row), (int32_t)row};
    qsort(sorted, (size_t)dealing->rows, sizeof *sorted, valued_row_compare);
    *groups = (RowGroups){
        .group_of = memory_new((size_t)dealing->rows * sizeof *groups->group_of, "the splits"),
        .size = memory_new((size_t)dealing->rows * sizeof *groups->size, "the splits")};
    for (int64_t i = 0; i < dealing->rows; i++) {
        groups->count += i == 0 || sorted[i].value > sorted[i - 1].value;
        groups->group_of[sorted[i].row] = (int32_t)groups->count - 1;
        groups->size[groups->count - 1] += dealing->split_of[sorted[i].row] == SPLIT_TRAIN;
    }
    free(sorted);
    return true;
}

/* -- group(source.patient, 0.2) -- */

enum { GROUP_UNSEEN, GROUP_LEFT, GROUP_TAKEN };

/* Takes whole groups in the order of the permutation. A fraction takes at least one group, and
 * further groups as long as they bring the number of rows closer to the wanted one. */
static uint8_t *choose_groups(Dealing *dealing, const HoldOut *hold, const RowGroups *groups) {
    const int32_t *order = drawn_order(dealing);
    uint8_t *chosen = memory_new(groups->count, "the splits");
    int64_t wanted = wanted_rows(hold, dealing->rows), taken = 0;
    int32_t first = -1;
    for (int64_t i = 0; i < dealing->rows && taken < wanted; i++) {
        int32_t group = groups->group_of[order[i]];
        int64_t size = hold->is_count ? 1 : groups->size[group];
        if (chosen[group] != GROUP_UNSEEN || !groups->size[group]) continue;
        if (first < 0) first = group;
        bool take = 2 * taken + size <= 2 * wanted;
        chosen[group] = take ? GROUP_TAKEN : GROUP_LEFT;
        if (take) taken += size;
    }
    if (!taken && first >= 0) chosen[first] = GROUP_TAKEN;
    return chosen;
}

static bool deal_groups(Dealing *dealing, Split split) {
    const HoldOut *hold = hold_of(dealing->request, split);
    RowGroups groups;
    if (!groups_find(dealing, hold, &groups)) return false;
    uint8_t *chosen = choose_groups(dealing, hold, &groups);
    for (int64_t row = 0; row < dealing->rows; row++)
        if (chosen[groups.group_of[row]] == GROUP_TAKEN && dealing->split_of[row] == SPLIT_TRAIN)
            dealing->split_of[row] = (uint8_t)split;
    free(chosen);
    groups_free(&groups);
    return true;
}

/* -- stratified(source.y, 0.2) -- */

typedef struct {
    int32_t class;
    double rest; /* the fraction lost by rounding down */
} Part;

static int by_rest(const void *a, const void *b) {
    const Part *x = a, *y = b;
    return x->rest != y->rest ? (x->rest < y->rest) - (x->rest > y->rest)
                              : (x->class > y->class) - (x->class < y->class);
}

/* The held-out rows of each class: its fraction, rounded so that the sum is the wanted number. No
 * class loses its last training row. */
static int64_t *class_quotas(const RowGroups *groups, int64_t wanted, int64_t rows) {
    int64_t *quotas = memory_new(groups->count * sizeof *quotas, "the splits"),
            left = wanted < rows ? wanted : rows;
    Part *parts = memory_new(groups->count * sizeof *parts, "the splits");
    for (uint32_t i = 0; i < groups->count; i++) {
        double part =
            (double)groups->size[i] * (double)(wanted < rows ? wanted : rows) / (double)rows;
        quotas[i] = (int64_t)part;
        left -= quotas[i];
        parts[i] = (Part){(int32_t)i, part - (double)quotas[i]};
    }
    qsort(parts, groups->count, sizeof *parts, by_rest);
    for (uint32_t i = 0; i < groups->count && left > 0; i++) {
        int64_t *quota = &quotas[parts[i].class];
        if (*quota + 1 >= groups->size[parts[i].class]) continue;
        ++*quota;
        left--;
    }
    free(parts);
    return quotas;
}

static bool deal_stratified(Dealing *dealing, Split split) {
    const HoldOut *hold = hold_of(dealing->request, split);
    const int32_t *order = drawn_order(dealing);
    RowGroups classes;
    if (!groups_find(dealing, hold, &classes)) return false;
    int64_t *quotas =
        class_quotas(&classes, wanted_rows(hold, dealing->rows), count_rows(dealing, SPLIT_TRAIN));
    for (int64_t i = 0; i < dealing->rows; i++) {
        int64_t *quota = &quotas[classes.group_of[order[i]]];
        if (dealing->split_of[order[i]] != SPLIT_TRAIN || !*quota) continue;
        dealing->split_of[order[i]] = (uint8_t)split;
        --*quota;
    }
    free(quotas);
    groups_free(&classes);
    return true;
}

/* -- all splits -- */

bool splits_check_own(const SourceSchema *schema, const SplitRequest *request, Span span,
                      Diagnostics *diag) {
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (!holds(hold) || !own_rows(schema, split)) continue;
        diag_error(diag, STATUS_MODEL, hold->span.end ? hold->span : span,
                   "the data bring %lld %s rows of their own, so '%s' cannot hold out others",
                   (long long)own_rows(schema, split), split_of_rows(split), split_name(split));
        diag_help(diag, "leave out '%s'", split_name(split));
        return false;
    }
    return true;
}

static bool check_request(const Dealing *dealing, Span span) {
    const SourceSchema *schema = &dealing->data->schema;
    const SplitRequest *request = dealing->request;
    int64_t held[SPLIT_COUNT] = {0};
    if (!splits_check_own(schema, request, span, dealing->diag)) return false;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        Span place = hold->span.end ? hold->span : span;
        if (!counts_rows(hold)) continue;
        held[split] = wanted_rows(hold, dealing->rows);
        if (held[split]) continue;
        diag_error(dealing->diag, STATUS_DATA, place, "'%s' holds out none of the %lld rows",
                   split_name(split), (long long)dealing->rows);
        diag_help(dealing->diag, "%g of them is less than half a row", hold->amount);
        return false;
    }
    int64_t valid = held[SPLIT_VALID], test = held[SPLIT_TEST];
    if (valid >= 0 && test >= 0 && valid < dealing->rows && test < dealing->rows - valid)
        return true;
    diag_error(
        dealing->diag, STATUS_MODEL, span,
        "holding out %lld rows for 'valid' and %lld for 'test' leaves none of the %lld rows to train on",
        (long long)valid, (long long)test, (long long)dealing->rows);
    return false;
}

static bool both_group(const SplitRequest *request) {
    const HoldOut *valid = &request->valid, *test = &request->test;
    return holds(valid) && holds(test) && valid->kind == HOLD_GROUP && test->kind == HOLD_GROUP;
}

static bool report_two_groups(const Dealing *dealing) {
    const SplitRequest *request = dealing->request;
    diag_error(
        dealing->diag, STATUS_MODEL, request->test.span,
        "'test' groups the rows by '%.100s' and 'valid' by '%.100s', so groups would be torn",
        request->test.field, request->valid.field);
    diag_help(dealing->diag, "group both by the same column");
    return false;
}

/* Assigns the last rows first, so that random rows come from the rest. The very last rows are for
 * the test split. */
static bool deal_rows(Dealing *dealing) {
    const SplitRequest *request = dealing->request;
    if (both_group(request) && strcmp(request->valid.field, request->test.field))
        return report_two_groups(dealing);
    if (!deal_columns(dealing)) return false;
    for (Split split = SPLIT_TEST; split >= SPLIT_VALID; split--)
        if (hold_of(request, split)->kind == HOLD_LAST) {
            int64_t left = wanted_rows(hold_of(dealing->request, split), dealing->rows);
            for (int64_t row = dealing->rows - 1; row >= 0 && left > 0; row--) {
                if (dealing->split_of[row] != SPLIT_TRAIN) continue;
                dealing->split_of[row] = (uint8_t)split;
                left--;
            }
        }
    bool good = true;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST && good; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (!holds(hold)) continue;
        if (hold->kind == HOLD_RANDOM) deal_random(dealing, split);
        if (hold->kind == HOLD_GROUP) good = deal_groups(dealing, split);
        if (hold->kind == HOLD_STRATIFIED) good = deal_stratified(dealing, split);
    }
    return good;
}

/* Checks that need the data. */
static bool check_splits(const Dealing *dealing) {
    const SplitRequest *request = dealing->request;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (!holds(hold) || count_rows(dealing, split)) continue;
        diag_error(dealing->diag, STATUS_DATA, hold->span, "no row is held out for '%s'",
                   split_name(split));
        if (hold->kind == HOLD_COLUMN)
            diag_help(dealing->diag,
                      "'%s' must call some of them %s, or %d; 0 is train, 1 valid and 2 test",
                      hold->field, split_name(split), (int)split);
        return false;
    }
    if (count_rows(dealing, SPLIT_TRAIN)) return true;
    const HoldOut *hold = holds(&request->test) ? &request->test : &request->valid;
    diag_error(dealing->diag, STATUS_DATA, hold->span,
               "no row is left to train on: %lld are for 'valid' and %lld for 'test'",
               (long long)count_rows(dealing, SPLIT_VALID),
               (long long)count_rows(dealing, SPLIT_TEST));
    return false;
}

/* Lists the rows of each split in the order of the files; rows of a separate file follow. */
static void fill_splits(const Dealing *dealing, Splits *splits) {
    const SourceData *data = dealing->data;
    const SourceSchema *schema = &data->schema;
    int64_t begins[SPLIT_COUNT] = {
        [SPLIT_VALID] = schema->train_rows, [SPLIT_TEST] = data->test_begin};
    for (Split split = 0; split < SPLIT_COUNT; split++)
        splits->rows[split] =
            ARENA_ARRAY(data->arena, int32_t, dealing->rows + own_rows(schema, split));
    for (int64_t row = 0; row < dealing->rows; row++) {
        uint8_t split = dealing->split_of[row];
        splits->rows[split][splits->count[split]++] = (int32_t)row;
    }
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++)
        for (int64_t i = 0; i < own_rows(schema, split); i++)
            splits->rows[split][splits->count[split]++] = (int32_t)(begins[split] + i);
}

bool splits_deal(const SourceData *data, const SplitRequest *request, Splits *splits,
                 Diagnostics *diag) {
    Dealing dealing = {
        .data = data, .request = request, .rows = data->schema.train_rows, .diag = diag};
    *splits = (Splits){0};
    if (!check_request(&dealing, data->span)) return false;
    dealing.split_of = memory_new((size_t)dealing.rows, "the splits");
    bool good = deal_rows(&dealing) && check_splits(&dealing);
    if (good) fill_splits(&dealing, splits);
    free(dealing.split_of);
    free(dealing.order);
    return good;
}
