/* Splits: each row is in one of them, the sizes are as requested, groups stay whole, classes keep
 * their proportions, and `last` takes the last rows. */
#include "ir/ops/random.h"
#include "runtime/data/splits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { ROWS = 1000, GROUPS = 37, CLASSES = 4 };

/* A table where each row has a patient, a class, and a split as text and as a number. */
typedef struct {
    SourceData data;
    SourceField fields[4];
    void *columns[4];
    Exact exact[4]; /* the elements are exact */
    int32_t patient[ROWS], kind[ROWS], word[ROWS], number[ROWS];
    Diagnostics *diag;
} SplitTable;

static int32_t kind_of(int row) { return row < 500 ? 0 : row < 800 ? 1 : row < 999 ? 2 : 3; }

static SplitTable *table_new(void) {
    static const char *const words[] = {"Test", "TRAIN", "val"};
    SplitTable *table = calloc(1, sizeof *table);
    for (int row = 0; row < ROWS; row++) {
        table->patient[row] = (row * 7919) % GROUPS;
        table->kind[row] = kind_of(row * 13 % ROWS);
        table->word[row] = row % 10 == 3 ? 0 : row % 10 == 5 ? 2 : 1;
        table->number[row] = row % 10 == 3 ? 2 : row % 10 == 5 ? 1 : 0;
    }
    void *columns[] = {table->patient, table->kind, table->word, table->number};
    memcpy(table->columns, columns, sizeof columns);
    const char *const names[] = {"patient", "kind", "word", "number"};
    for (int i = 0; i < 4; i++)
        table->fields[i] = (SourceField){.name = names[i], .dtype = DTYPE_I32, .is_column = true};
    table->fields[2].is_text = true;
    table->fields[2].categories = words;
    table->fields[2].category_count = 3;
    table->diag = diag_new();
    table->data = (SourceData){.arena = arena_new(),
                               .fields = table->fields,
                               .data = table->columns,
                               .exact = table->exact,
                               .test_begin = ROWS};
    table->data.schema =
        (SourceSchema){.fields = table->fields, .field_count = 4, .train_rows = ROWS};
    return table;
}

static void table_free_all(SplitTable *table) {
    arena_free(table->data.arena);
    diag_free(table->diag);
    free(table);
}

static HoldOut hold(HoldKind kind, const char *field, bool is_count, double amount) {
    return (HoldOut){.kind = kind, .field = field, .is_count = is_count, .amount = amount};
}

/* Assigns the rows; every row must be in one split, and the rows of a split in the order of the
 * file. */
static Splits assign_splits(SplitTable *table, HoldOut valid, HoldOut test, uint64_t seed) {
    Splits splits;
    bool seen[ROWS] = {false};
    SplitRequest request = {.valid = valid, .test = test, .seed = seed};
    bool good = splits_assign(&table->data, &request, &splits, table->diag);
    if (!good) diag_print(table->diag, stderr);
    assert_true(good);
    for (int split = 0; split < SPLIT_COUNT; split++) {
        for (int64_t i = 0; i < splits.count[split]; i++) {
            int32_t row = splits.rows[split][i];
            assert_false(seen[row]);
            seen[row] = true;
            if (i) assert_true(row > splits.rows[split][i - 1]);
        }
    }
    assert_int_equal(
        splits.count[SPLIT_TRAIN] + splits.count[SPLIT_VALID] + splits.count[SPLIT_TEST], ROWS);
    return splits;
}

static void assert_fails(SplitTable *table, HoldOut valid, HoldOut test, Status status) {
    Splits splits;
    SplitRequest request = {.valid = valid, .test = test, .seed = 1};
    Diagnostics *diag = diag_new();
    assert_false(splits_assign(&table->data, &request, &splits, diag));
    assert_int_equal(diag_status(diag), status);
    diag_free(diag);
}

static const HoldOut none;

static void test_last(void **state) {
    (void)state;
    SplitTable *table = table_new();
    Splits splits = assign_splits(table, hold(HOLD_LAST, NULL, false, 0.1),
                                  hold(HOLD_LAST, NULL, true, 200), 1);
    assert_int_equal(splits.count[SPLIT_TRAIN], 700);
    assert_int_equal(splits.rows[SPLIT_TRAIN][699], 699);
    assert_int_equal(splits.rows[SPLIT_VALID][0], 700);
    assert_int_equal(splits.rows[SPLIT_VALID][99], 799);
    assert_int_equal(splits.rows[SPLIT_TEST][0], 800);
    splits = assign_splits(table, hold(HOLD_RANDOM, NULL, false, 0.1),
                           hold(HOLD_LAST, NULL, false, 0.2), 1);
    assert_int_equal(splits.count[SPLIT_VALID], 100);
    assert_true(splits.rows[SPLIT_VALID][99] < 800);
    table_free_all(table);
}

static void test_random_is_as_it_was(void **state) {
    (void)state;
    SplitTable *table = table_new();
    int32_t order[ROWS];
    bool valid[ROWS] = {false};
    Splits splits = assign_splits(table, hold(HOLD_RANDOM, NULL, true, 30),
                                  hold(HOLD_RANDOM, NULL, false, 0.25), 9);
    random_permutation(9, STREAM_SPLIT, 0, ROWS, order);
    for (int i = 0; i < 30; i++) valid[order[i]] = true;
    for (int i = 0; i < 30; i++) assert_true(valid[splits.rows[SPLIT_VALID][i]]);
    assert_int_equal(splits.count[SPLIT_TEST], 250);
    table_free_all(table);
}

static void test_column(void **state) {
    (void)state;
    SplitTable *table = table_new();
    const char *const fields[] = {"word", "number"};
    for (int i = 0; i < 2; i++) {
        Splits splits = assign_splits(table, none, hold(HOLD_COLUMN, fields[i], false, 0), 1);
        assert_int_equal(splits.count[SPLIT_VALID], 100);
        assert_int_equal(splits.count[SPLIT_TEST], 100);
        for (int k = 0; k < 100; k++) assert_int_equal(splits.rows[SPLIT_TEST][k] % 10, 3);
        for (int k = 0; k < 100; k++) assert_int_equal(splits.rows[SPLIT_VALID][k] % 10, 5);
    }
    assert_fails(table, hold(HOLD_RANDOM, NULL, false, 0.1), hold(HOLD_COLUMN, "word", false, 0),
                 STATUS_MODEL);
    assert_fails(table, hold(HOLD_COLUMN, "number", false, 0), hold(HOLD_COLUMN, "word", false, 0),
                 STATUS_MODEL);
    assert_fails(table, none, hold(HOLD_COLUMN, "patient", false, 0), STATUS_DATA);
    assert_fails(table, none, hold(HOLD_COLUMN, "nobody", false, 0), STATUS_MODEL);
    table->word[500] = -1;
    assert_fails(table, none, hold(HOLD_COLUMN, "word", false, 0), STATUS_DATA);
    for (int row = 0; row < ROWS; row++) table->number[row] = row < 500;
    assert_fails(table, none, hold(HOLD_COLUMN, "number", false, 0), STATUS_DATA);
    table_free_all(table);
}

static void test_groups_stay_together(void **state) {
    (void)state;
    SplitTable *table = table_new();
    for (uint64_t seed = 0; seed < 20; seed++) {
        int split_of[GROUPS];
        Splits splits = assign_splits(table, hold(HOLD_GROUP, "patient", false, 0.1),
                                      hold(HOLD_GROUP, "patient", false, 0.2), seed);
        memset(split_of, -1, sizeof split_of);
        for (int split = 0; split < SPLIT_COUNT; split++) {
            for (int64_t i = 0; i < splits.count[split]; i++) {
                int *known = &split_of[table->patient[splits.rows[split][i]]];
                assert_true(*known == -1 || *known == split);
                *known = split;
            }
        }
        assert_in_range(splits.count[SPLIT_VALID], 80, 120); /* a group has 27 or 28 rows */
        assert_in_range(splits.count[SPLIT_TEST], 180, 220);
    }
    Splits splits = assign_splits(table, none, hold(HOLD_GROUP, "patient", true, 3), 4);
    bool seen[GROUPS] = {false};
    int groups = 0;
    for (int64_t i = 0; i < splits.count[SPLIT_TEST]; i++) {
        bool *known = &seen[table->patient[splits.rows[SPLIT_TEST][i]]];
        groups += !*known;
        *known = true;
    }
    assert_int_equal(groups, 3);
    assert_fails(table, hold(HOLD_GROUP, "kind", false, 0.1),
                 hold(HOLD_GROUP, "patient", false, 0.2), STATUS_MODEL);
    assert_fails(table, none, hold(HOLD_GROUP, "patient", true, GROUPS), STATUS_DATA);
    table_free_all(table);
}

static void test_stratified(void **state) {
    (void)state;
    SplitTable *table = table_new();
    for (uint64_t seed = 0; seed < 20; seed++) {
        int count[SPLIT_COUNT][CLASSES] = {{0}};
        Splits splits = assign_splits(table, hold(HOLD_STRATIFIED, "kind", true, 100),
                                      hold(HOLD_STRATIFIED, "kind", false, 0.2), seed);
        for (int split = 0; split < SPLIT_COUNT; split++)
            for (int64_t i = 0; i < splits.count[split]; i++)
                count[split][table->kind[splits.rows[split][i]]]++;
        assert_int_equal(splits.count[SPLIT_VALID], 100);
        assert_int_equal(splits.count[SPLIT_TEST], 200);
        assert_in_range(count[SPLIT_TEST][0], 99, 101);
        assert_in_range(count[SPLIT_TEST][1], 59, 61);
        assert_in_range(count[SPLIT_VALID][0], 49, 51);
        assert_int_equal(count[SPLIT_TRAIN][3], 1); /* the only row of a class is for training */
    }
    table_free_all(table);
}

static void test_impossible(void **state) {
    (void)state;
    SplitTable *table = table_new();
    assert_fails(table, hold(HOLD_RANDOM, NULL, false, 0.0001), none, STATUS_DATA);
    assert_fails(table, hold(HOLD_LAST, NULL, false, 0.5), hold(HOLD_LAST, NULL, false, 0.5),
                 STATUS_MODEL);
    assert_fails(table, none, hold(HOLD_STRATIFIED, "kind", true, ROWS), STATUS_MODEL);
    table->data.schema.valid_rows = 3;
    assert_fails(table, hold(HOLD_LAST, NULL, true, 5), none, STATUS_MODEL);
    table_free_all(table);
}

/* Collects the validation rows of all folds: each row outside the test split is in one fold. Counts
 * the rows of each class in each fold, and returns the size of the largest fold minus that of the
 * smallest. */
static int64_t assign_folds_of(SplitTable *table, HoldOut valid, HoldOut test, uint32_t folds,
                               int count[][CLASSES], uint32_t fold_of[ROWS]) {
    int64_t least = ROWS, most = 0, tested = 0;
    memset(fold_of, 0, ROWS * sizeof *fold_of);
    for (uint32_t fold = 1; fold <= folds; fold++) {
        Splits splits;
        SplitRequest request = {
            .valid = valid, .test = test, .seed = 3, .folds = folds, .fold = fold};
        assert_true(splits_assign(&table->data, &request, &splits, table->diag));
        int64_t size = splits.count[SPLIT_VALID], expected[SPLIT_COUNT];
        for (int64_t i = 0; i < size; i++) {
            int32_t row = splits.rows[SPLIT_VALID][i];
            assert_int_equal(fold_of[row], 0);
            fold_of[row] = fold;
            count[fold - 1][table->kind[row]]++;
        }
        if (dataset_expect_rows(&table->data.schema, &request, expected))
            for (int split = 0; split < SPLIT_COUNT; split++)
                assert_int_equal(expected[split], splits.count[split]);
        assert_int_equal(splits.count[SPLIT_TRAIN] + size + splits.count[SPLIT_TEST], ROWS);
        least = size < least ? size : least;
        most = size > most ? size : most;
        tested = splits.count[SPLIT_TEST];
    }
    for (int row = 0; row < ROWS; row++) tested -= !fold_of[row];
    assert_int_equal(tested, 0);
    return most - least;
}

static void test_folds(void **state) {
    (void)state;
    enum { FOLDS = 7 };
    SplitTable *table = table_new();
    uint32_t fold_of[ROWS], fold_of_patient[GROUPS] = {0};
    int count[FOLDS][CLASSES] = {{0}}, by_class[FOLDS][CLASSES] = {{0}};
    HoldOut tenth = hold(HOLD_RANDOM, NULL, false, 0.1),
            classes = hold(HOLD_STRATIFIED, "kind", false, 0.1),
            patients = hold(HOLD_GROUP, "patient", false, 0.1);
    assert_in_range(assign_folds_of(table, none, none, FOLDS, count, fold_of), 0, 1);
    assert_in_range(assign_folds_of(table, tenth, tenth, FOLDS, count, fold_of), 0, 1);
    assert_in_range(assign_folds_of(table, classes, tenth, FOLDS, by_class, fold_of), 0, 1);
    for (int c = 0; c < 2; c++)
        for (int fold = 1; fold < FOLDS; fold++)
            assert_in_range(by_class[fold][c] - by_class[0][c] + 1, 0, 2);
    assert_in_range(assign_folds_of(table, patients, none, FOLDS, count, fold_of), 0, 60);
    for (int row = 0; row < ROWS; row++) {
        uint32_t *known = &fold_of_patient[table->patient[row]];
        assert_true(*known == 0 || *known == fold_of[row]);
        *known = fold_of[row];
    }
    SplitRequest request = {.valid = patients, .seed = 1, .folds = GROUPS + 1, .fold = GROUPS + 1};
    Splits splits;
    assert_false(splits_assign(&table->data, &request, &splits, table->diag));
    assert_int_equal(diag_status(table->diag), STATUS_DATA);
    table_free_all(table);
}

static void test_seeds(void **state) {
    (void)state;
    SplitTable *table = table_new();
    HoldOut holds[] = {hold(HOLD_RANDOM, NULL, false, 0.2), hold(HOLD_GROUP, "patient", false, 0.2),
                       hold(HOLD_STRATIFIED, "kind", false, 0.2)};
    for (int i = 0; i < 3; i++) {
        Splits a = assign_splits(table, none, holds[i], 1),
               same = assign_splits(table, none, holds[i], 1),
               other = assign_splits(table, none, holds[i], 2);
        assert_int_equal(a.count[SPLIT_TEST], same.count[SPLIT_TEST]);
        size_t bytes = (size_t)a.count[SPLIT_TEST] * sizeof(int32_t);
        assert_memory_equal(a.rows[SPLIT_TEST], same.rows[SPLIT_TEST], bytes);
        assert_true(a.count[SPLIT_TEST] != other.count[SPLIT_TEST] ||
                    memcmp(a.rows[SPLIT_TEST], other.rows[SPLIT_TEST], bytes));
    }
    table_free_all(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last),       cmocka_unit_test(test_random_is_as_it_was),
        cmocka_unit_test(test_column),     cmocka_unit_test(test_groups_stay_together),
        cmocka_unit_test(test_stratified), cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_folds),      cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
