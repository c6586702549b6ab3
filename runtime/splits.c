/* Which rows belong to which split: the first rows of a permutation drawn from the seed are held out. */
#include "runtime/splits.h"

#include <stdlib.h>

const char *split_name(Split split) {
    static const char *const names[SPLIT_COUNT] = {[SPLIT_TRAIN] = "train", [SPLIT_VALID] = "valid", [SPLIT_TEST] = "test"};
    return names[split];
}

static int64_t held_out(bool is_count, double amount, int64_t rows) {
    double wanted = is_count ? amount : amount * (double)rows + 0.5;
    return wanted < 0 ? -1 : wanted < (double)rows ? (int64_t)wanted : rows;
}

bool dataset_expect_rows(const SourceSchema *schema, const SplitRequest *request, int64_t rows[SPLIT_COUNT]) {
    int64_t valid = held_out(request->valid_is_count, request->valid, schema->train_rows);
    int64_t test = held_out(request->test_is_count, request->test, schema->train_rows);
    rows[SPLIT_TRAIN] = schema->train_rows - valid - test;
    rows[SPLIT_VALID] = valid;
    rows[SPLIT_TEST] = test + schema->test_rows;
    return rows[SPLIT_TRAIN] > 0 && valid >= 0 && test >= 0 && !(test && schema->test_rows);
}

static bool check_split(const SourceSchema *schema, int64_t valid, int64_t test, Span span, Diagnostics *diag) {
    int64_t rows = schema->train_rows;
    if (test && schema->test_rows) {
        diag_error(diag, STATUS_MODEL, span, "the data bring %lld test rows of their own, so 'test' cannot hold out others",
                   (long long)schema->test_rows);
        diag_help(diag, "leave out 'test'");
        return false;
    }
    if (valid >= 0 && test >= 0 && valid < rows && test < rows - valid) return true;
    diag_error(diag, STATUS_MODEL, span,
               "holding out %lld rows for 'valid' and %lld for 'test' leaves none of the %lld rows to train on",
               (long long)valid, (long long)test, (long long)rows);
    return false;
}

/* Which split each training row belongs to: the first rows of a permutation are held out. */
static uint8_t *deal_rows(uint64_t seed, int64_t rows, int64_t valid, int64_t test) {
    uint8_t *split = calloc((size_t)rows, 1);
    int32_t *order = malloc((size_t)rows * sizeof *order);
    if (!split || !order) abort();
    if (valid || test) random_permutation(seed, STREAM_SPLIT, 0, (uint32_t)rows, order);
    for (int64_t i = 0; i < valid + test; i++) split[order[i]] = i < valid ? SPLIT_VALID : SPLIT_TEST;
    free(order);
    return split;
}

/* Each split lists its rows in the order of the files. */
static void fill_splits(Splits *splits, const SourceSchema *schema, int64_t test_begin, const uint8_t *split_of, Arena *arena) {
    int64_t rows = schema->train_rows, own_test = schema->test_rows;
    for (int split = 0; split < SPLIT_COUNT; split++) splits->rows[split] = ARENA_ARRAY(arena, int32_t, rows + own_test);
    for (int64_t row = 0; row < rows; row++) splits->rows[split_of[row]][splits->count[split_of[row]]++] = (int32_t)row;
    for (int64_t i = 0; i < own_test; i++) splits->rows[SPLIT_TEST][splits->count[SPLIT_TEST]++] = (int32_t)(test_begin + i);
}

bool splits_deal(const SourceSchema *schema, int64_t test_begin, const SplitRequest *request, Span span, Arena *arena,
                 Splits *splits, Diagnostics *diag) {
    int64_t rows = schema->train_rows;
    int64_t valid = held_out(request->valid_is_count, request->valid, rows);
    int64_t test = held_out(request->test_is_count, request->test, rows);
    *splits = (Splits){0};
    if (!check_split(schema, valid, test, span, diag)) return false;
    uint8_t *split_of = deal_rows(request->seed, rows, valid, test);
    fill_splits(splits, schema, test_begin, split_of, arena);
    free(split_of);
    return true;
}
