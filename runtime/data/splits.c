/* Assigns rows to splits. Rows chosen by a column and the last rows come first. Other held-out rows
 * are random: they are taken in the order of a permutation that depends only on the seed and the
 * number of rows. */
#include "ir/base/memory.h"
#include "ir/ops/random.h"
#include "runtime/data/split_assignment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* The rows of the separate file of a split. */
static int64_t own_rows(const SourceSchema *schema, Split split) {
    return split == SPLIT_TRAIN ? 0 : split == SPLIT_VALID ? schema->valid_rows : schema->test_rows;
}

/* The number of rows to hold out of `rows`. For a column or a number of groups it is only known
 * from the data. */
int64_t hold_rows(const HoldOut *hold, int64_t rows) {
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
        int64_t held = holds(hold) ? hold_rows(hold, schema->train_rows) : 0,
                own = own_rows(schema, split);
        rows[SPLIT_TRAIN] -= held;
        rows[split] = held + own;
        good &= held >= 0 && !(holds(hold) && (own || !held));
    }
    if (request->folds) {
        int64_t assigned = rows[SPLIT_TRAIN] + rows[SPLIT_VALID];
        rows[SPLIT_VALID] = fold_rows(request, assigned);
        rows[SPLIT_TRAIN] = assigned - rows[SPLIT_VALID];
        good &= is_exact(fold_hold(request)) && !schema->valid_rows;
    }
    return good && rows[SPLIT_TRAIN] > 0;
}

/* -- assigning rows -- */

const int32_t *assignment_order(SplitAssignment *assignment) {
    if (assignment->order) return assignment->order;
    assignment->order =
        memory_new((size_t)assignment->rows * sizeof *assignment->order, "the splits");
    random_permutation(assignment->request->seed, STREAM_SPLIT, 0, (uint32_t)assignment->rows,
                       assignment->order);
    return assignment->order;
}

int64_t assignment_count(const SplitAssignment *assignment, Split split) {
    int64_t count = 0;
    for (int64_t row = 0; row < assignment->rows; row++)
        count += assignment->split_of[row] == split;
    return count;
}

/* Gives the split its rows among those that are still for training: the last ones of the data, or
 * random ones. */
static void assign_some(SplitAssignment *assignment, Split split) {
    const HoldOut *hold = hold_of(assignment->request, split);
    const int32_t *order = hold->kind == HOLD_RANDOM ? assignment_order(assignment) : NULL;
    int64_t left = hold_rows(hold, assignment->rows);
    for (int64_t i = 0; i < assignment->rows && left > 0; i++) {
        int64_t row = order ? order[i] : assignment->rows - 1 - i;
        if (assignment->split_of[row] != SPLIT_TRAIN) continue;
        assignment->split_of[row] = (uint8_t)split;
        left--;
    }
}

/* -- all splits -- */

bool splits_check_own(const SourceSchema *schema, const SplitRequest *request, Span span,
                      Diagnostics *diag) {
    if (request->folds && schema->valid_rows) {
        diag_error(
            diag, STATUS_MODEL, request->folds_span.end ? request->folds_span : span,
            "the data have %lld validation rows in a file of their own, so 'folds' cannot hold out others",
            (long long)schema->valid_rows);
        return false;
    }
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (!holds(hold) || !own_rows(schema, split)) continue;
        diag_error(
            diag, STATUS_MODEL, hold->span.end ? hold->span : span,
            "the data have %lld %s rows in a file of their own, so '%s' cannot hold out others",
            (long long)own_rows(schema, split), split_of_rows(split), split_name(split));
        diag_help(diag, "leave out '%s'", split_name(split));
        return false;
    }
    return true;
}

static bool check_request(const SplitAssignment *assignment, Span span) {
    const SourceSchema *schema = &assignment->data->schema;
    const SplitRequest *request = assignment->request;
    int64_t held[SPLIT_COUNT] = {0};
    if (!splits_check_own(schema, request, span, assignment->diag)) return false;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        Span place = hold->span.end ? hold->span : span;
        if (!counts_rows(hold)) continue;
        held[split] = hold_rows(hold, assignment->rows);
        if (held[split] || hold->kind == HOLD_GROUP) continue;
        diag_error(assignment->diag, STATUS_DATA, place, "'%s' holds out none of the %lld rows",
                   split_name(split), (long long)assignment->rows);
        diag_help(assignment->diag, "%g of them is less than half a row", hold->amount);
        return false;
    }
    int64_t valid = held[SPLIT_VALID], test = held[SPLIT_TEST];
    if (valid >= 0 && test >= 0 && valid < assignment->rows && test < assignment->rows - valid)
        return true;
    diag_error(
        assignment->diag, STATUS_MODEL, span,
        "holding out %lld rows for 'valid' and %lld for 'test' leaves none of the %lld rows to train on",
        (long long)valid, (long long)test, (long long)assignment->rows);
    return false;
}

/* If two columns grouped the rows, each would divide groups of the other. */
static bool check_groups(const SplitAssignment *assignment) {
    const HoldOut *valid = &assignment->request->valid, *test = &assignment->request->test;
    bool both =
        holds(valid) && holds(test) && valid->kind == HOLD_GROUP && test->kind == HOLD_GROUP;
    if (!both || !strcmp(valid->field, test->field)) return true;
    diag_error(
        assignment->diag, STATUS_MODEL, test->span,
        "'test' groups the rows by '%.100s' and 'valid' by '%.100s', which would divide groups",
        test->field, valid->field);
    diag_help(assignment->diag, "group both by the same column");
    return false;
}

/* Assigns the last rows first, so that random rows come from the rest. The very last rows are for
 * the test split. */
static bool assign_rows(SplitAssignment *assignment) {
    const SplitRequest *request = assignment->request;
    if (!check_groups(assignment) || !assign_columns(assignment)) return false;
    for (Split split = SPLIT_TEST; split >= SPLIT_VALID; split--)
        if (hold_of(request, split)->kind == HOLD_LAST) assign_some(assignment, split);
    bool good = true;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST && good; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (!holds(hold)) continue;
        if (hold->kind == HOLD_RANDOM) assign_some(assignment, split);
        if (hold->kind == HOLD_GROUP) good = assign_groups(assignment, split);
        if (hold->kind == HOLD_STRATIFIED) good = assign_stratified(assignment, split);
    }
    return good && (!request->folds || assign_folds(assignment));
}

/* Checks that no split is empty. For columns and groups only the data tell. */
static bool check_splits(const SplitAssignment *assignment) {
    const SplitRequest *request = assignment->request;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (split == SPLIT_VALID && request->folds) {
            if (!check_folds(assignment, request->folds_span)) return false;
            continue;
        }
        if (!holds(hold) || assignment_count(assignment, split)) continue;
        diag_error(assignment->diag, STATUS_DATA, hold->span, "no row is held out for '%s'",
                   split_name(split));
        if (hold->kind == HOLD_COLUMN)
            diag_help(assignment->diag,
                      "'%s' must call some of them %s, or %d; 0 is train, 1 valid and 2 test",
                      hold->field, split_name(split), (int)split);
        return false;
    }
    if (assignment_count(assignment, SPLIT_TRAIN)) return true;
    const HoldOut *hold = holds(&request->test) ? &request->test : &request->valid;
    diag_error(assignment->diag, STATUS_DATA, hold->span,
               "no row is left to train on: %lld are for 'valid' and %lld for 'test'",
               (long long)assignment_count(assignment, SPLIT_VALID),
               (long long)assignment_count(assignment, SPLIT_TEST));
    return false;
}

/* Lists the rows of each split in the order of the files; rows of a separate file follow. */
static void fill_splits(const SplitAssignment *assignment, Splits *splits) {
    const SourceData *data = assignment->data;
    const SourceSchema *schema = &data->schema;
    int64_t begins[SPLIT_COUNT] = {
        [SPLIT_VALID] = schema->train_rows, [SPLIT_TEST] = data->test_begin};
    for (Split split = 0; split < SPLIT_COUNT; split++)
        splits->rows[split] =
            ARENA_ARRAY(data->arena, int32_t, assignment->rows + own_rows(schema, split));
    for (int64_t row = 0; row < assignment->rows; row++) {
        uint8_t split = assignment->split_of[row];
        splits->rows[split][splits->count[split]++] = (int32_t)row;
    }
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++)
        for (int64_t i = 0; i < own_rows(schema, split); i++)
            splits->rows[split][splits->count[split]++] = (int32_t)(begins[split] + i);
}

bool splits_assign(const SourceData *data, const SplitRequest *request, Splits *splits,
                   Diagnostics *diag) {
    SplitAssignment assignment = {
        .data = data, .request = request, .rows = data->schema.train_rows, .diag = diag};
    *splits = (Splits){0};
    if (!check_request(&assignment, data->span)) return false;
    assignment.split_of = memory_new((size_t)assignment.rows, "the splits");
    bool good = assign_rows(&assignment) && check_splits(&assignment);
    if (good) fill_splits(&assignment, splits);
    free(assignment.split_of);
    free(assignment.order);
    return good;
}
