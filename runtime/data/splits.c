/* Assigns rows to splits. Rows chosen by a column and the last rows come first. Other held-out rows
 * are random: they are taken in the order of a permutation that depends only on the seed and the
 * number of rows. */
#include "ir/base/memory.h"
#include "ir/ops/random.h"
#include "runtime/data/dealing.h"

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
        int64_t dealt = rows[SPLIT_TRAIN] + rows[SPLIT_VALID];
        rows[SPLIT_VALID] = fold_rows(request, dealt);
        rows[SPLIT_TRAIN] = dealt - rows[SPLIT_VALID];
        good &= is_exact(fold_hold(request)) && !schema->valid_rows;
    }
    return good && rows[SPLIT_TRAIN] > 0;
}

/* -- assigning rows -- */

const int32_t *dealing_order(Dealing *dealing) {
    if (dealing->order) return dealing->order;
    dealing->order = memory_new((size_t)dealing->rows * sizeof *dealing->order, "the splits");
    random_permutation(dealing->request->seed, STREAM_SPLIT, 0, (uint32_t)dealing->rows,
                       dealing->order);
    return dealing->order;
}

int64_t dealing_count(const Dealing *dealing, Split split) {
    int64_t count = 0;
    for (int64_t row = 0; row < dealing->rows; row++) count += dealing->split_of[row] == split;
    return count;
}

/* Gives the split its rows among those that are still for training: the last ones of the data, or
 * random ones. */
static void deal_some(Dealing *dealing, Split split) {
    const HoldOut *hold = hold_of(dealing->request, split);
    const int32_t *order = hold->kind == HOLD_RANDOM ? dealing_order(dealing) : NULL;
    int64_t left = hold_rows(hold, dealing->rows);
    for (int64_t i = 0; i < dealing->rows && left > 0; i++) {
        int64_t row = order ? order[i] : dealing->rows - 1 - i;
        if (dealing->split_of[row] != SPLIT_TRAIN) continue;
        dealing->split_of[row] = (uint8_t)split;
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

static bool check_request(const Dealing *dealing, Span span) {
    const SourceSchema *schema = &dealing->data->schema;
    const SplitRequest *request = dealing->request;
    int64_t held[SPLIT_COUNT] = {0};
    if (!splits_check_own(schema, request, span, dealing->diag)) return false;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        Span place = hold->span.end ? hold->span : span;
        if (!counts_rows(hold)) continue;
        held[split] = hold_rows(hold, dealing->rows);
        if (held[split] || hold->kind == HOLD_GROUP) continue;
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

/* If two columns grouped the rows, each would divide groups of the other. */
static bool check_groups(const Dealing *dealing) {
    const HoldOut *valid = &dealing->request->valid, *test = &dealing->request->test;
    bool both =
        holds(valid) && holds(test) && valid->kind == HOLD_GROUP && test->kind == HOLD_GROUP;
    if (!both || !strcmp(valid->field, test->field)) return true;
    diag_error(
        dealing->diag, STATUS_MODEL, test->span,
        "'test' groups the rows by '%.100s' and 'valid' by '%.100s', which would divide groups",
        test->field, valid->field);
    diag_help(dealing->diag, "group both by the same column");
    return false;
}

/* Assigns the last rows first, so that random rows come from the rest. The very last rows are for
 * the test split. */
static bool deal_rows(Dealing *dealing) {
    const SplitRequest *request = dealing->request;
    if (!check_groups(dealing) || !deal_columns(dealing)) return false;
    for (Split split = SPLIT_TEST; split >= SPLIT_VALID; split--)
        if (hold_of(request, split)->kind == HOLD_LAST) deal_some(dealing, split);
    bool good = true;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST && good; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (!holds(hold)) continue;
        if (hold->kind == HOLD_RANDOM) deal_some(dealing, split);
        if (hold->kind == HOLD_GROUP) good = deal_groups(dealing, split);
        if (hold->kind == HOLD_STRATIFIED) good = deal_stratified(dealing, split);
    }
    return good && (!request->folds || deal_folds(dealing));
}

/* Checks that no split is empty. For columns and groups only the data tell. */
static bool check_splits(const Dealing *dealing) {
    const SplitRequest *request = dealing->request;
    for (Split split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        const HoldOut *hold = hold_of(request, split);
        if (split == SPLIT_VALID && request->folds) {
            if (!check_folds(dealing, request->folds_span)) return false;
            continue;
        }
        if (!holds(hold) || dealing_count(dealing, split)) continue;
        diag_error(dealing->diag, STATUS_DATA, hold->span, "no row is held out for '%s'",
                   split_name(split));
        if (hold->kind == HOLD_COLUMN)
            diag_help(dealing->diag,
                      "'%s' must call some of them %s, or %d; 0 is train, 1 valid and 2 test",
                      hold->field, split_name(split), (int)split);
        return false;
    }
    if (dealing_count(dealing, SPLIT_TRAIN)) return true;
    const HoldOut *hold = holds(&request->test) ? &request->test : &request->valid;
    diag_error(dealing->diag, STATUS_DATA, hold->span,
               "no row is left to train on: %lld are for 'valid' and %lld for 'test'",
               (long long)dealing_count(dealing, SPLIT_VALID),
               (long long)dealing_count(dealing, SPLIT_TEST));
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
