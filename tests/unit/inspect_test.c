/* Looking at data: statistics of fields, and the rules by which something is suspicious. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/data/inspect.h"
#include "temporary.h"

#include <math.h>

/* A table and the findings about it. */
typedef struct {
    Diagnostics *diag;
    Arena *arena;
    Dataset *dataset;
    DataFacts *facts;
} Look;

static Look look_at(const char *text, SplitRequest request, const char *label) {
    Look look = {diag_new(), arena_new(), NULL, NULL};
    const SourceArg arg = {.name = "path", .kind = SOURCE_ARG_STRING, .text = "table.csv"};
    const DataSource source = {
        .reader = "csv", .folder = temporary_folder, .args = &arg, .arg_count = 1};
    temporary_write("table.csv", text, strlen(text));
    look.dataset = dataset_open(&source, &request, look.diag);
    assert_non_null(look.dataset);
    look.facts = dataset_inspect(look.dataset, &(FieldUses){.label = label}, look.arena);
    return look;
}

static void look_free(Look *look) {
    dataset_free(look->dataset);
    arena_free(look->arena);
    diag_free(look->diag);
}

/* The only finding of a kind, or NULL: there is none. */
static const Finding *find(const Look *look, const char *kind) {
    const Finding *found = NULL;
    for (uint32_t i = 0; i < look->facts->findings.count; i++) {
        if (strcmp(look->facts->findings.items[i].kind, kind)) continue;
        assert_null(found);
        found = &look->facts->findings.items[i];
    }
    return found;
}

static void assert_found(const Look *look, const char *kind, const char *field, int64_t count,
                         const char *words) {
    const Finding *finding = find(look, kind);
    assert_non_null(finding);
    assert_int_equal(finding->count, count);
    if (field)
        assert_string_equal(finding->field, field);
    else
        assert_null(finding->field);
    if (!strstr(finding->text, words)) fail_msg("'%s' does not say '%s'", finding->text, words);
}

/* A table of one column `name` with the values `first` to `last`, and what follows. */
static const char *numbered(const char *name, int first, int last, const char *more) {
    static char text[4096];
    int length = snprintf(text, sizeof text, "%s\n", name);
    for (int i = first; i <= last; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%d\n", i);
    snprintf(text + length, sizeof text - (size_t)length, "%s", more);
    return text;
}

static void test_statistics(void **state) {
    (void)state;
    Look look = look_at("size,kind\n1,a\n,b\n4,\ninf,a\n7,b\n", (SplitRequest){0}, NULL);
    const Statistics *size = &look.facts->fields[0]->whole[SPLIT_TRAIN],
                     *kind = &look.facts->fields[1]->whole[SPLIT_TRAIN];
    assert_int_equal(size->moments.count, 3);
    assert_int_equal(size->missing, 1);
    assert_int_equal(size->infinite, 1);
    assert_true(size->min.number == 1 && size->max.number == 7 && size->moments.mean == 4);
    assert_true(fabs(statistics_deviation(size) - sqrt(6)) < 1e-15);
    assert_int_equal(kind->moments.count, 4);
    assert_int_equal(kind->missing, 1);
    assert_true(isnan(statistics_deviation(&look.facts->fields[0]->whole[SPLIT_TEST])));
    assert_found(&look, "infinite", "size", 1, "1 of 5 in train");
    look_free(&look);
}

/* Each element of a short row has statistics of its own. */
static void test_statistics_of_elements(void **state) {
    (void)state;
    Arena *arena = arena_new();
    const SourceField pair = {.name = "pair", .dtype = DTYPE_F32, .row = {1, {2}}},
                      wide = {.name = "wide", .dtype = DTYPE_U8, .row = {1, {65}}};
    FieldFacts *facts = field_facts_new(arena, &pair);
    field_facts_add(facts, SPLIT_VALID, (const float[]){1, 10, 3, NAN, 5, 30}, 3);
    assert_int_equal(facts->width, 2);
    assert_true(facts->columns[SPLIT_VALID][0].moments.mean == 3 &&
                facts->columns[SPLIT_VALID][1].moments.mean == 20);
    assert_int_equal(facts->columns[SPLIT_VALID][1].missing, 1);
    assert_int_equal(facts->whole[SPLIT_VALID].moments.count, 5);
    assert_int_equal(facts->whole[SPLIT_TRAIN].moments.count, 0);
    assert_int_equal(field_facts_new(arena, &wide)->width, 0);
    arena_free(arena);
}

static void test_nothing_suspicious(void **state) {
    (void)state;
    Look look = look_at("size,kind\n1,a\n2,b\n4,a\n2,a\n7,b\n", (SplitRequest){0}, "kind");
    assert_int_equal(look.facts->findings.count, 0);
    assert_int_equal(look.facts->class_count, 1);
    assert_true(look.facts->classes[0].is_label);
    assert_int_equal(look.facts->classes[0].counts[SPLIT_TRAIN][0], 3);
    look_free(&look);
}

static void test_constant(void **state) {
    (void)state;
    Look look = look_at("size,kind\n3,a\n,b\n3,a\n", (SplitRequest){0}, NULL);
    assert_found(&look, "constant", "size", 2, "is 3 in all training rows where it is not missing");
    look_free(&look);
    look = look_at("size,kind\n1,a\n2,a\n3,a\n", (SplitRequest){0}, NULL);
    assert_found(&look, "constant", "kind", 3, "is a in all");
    look_free(&look);
}

static void test_identifier(void **state) {
    (void)state;
    Look look = look_at(numbered("id", 1, 20, ""), (SplitRequest){0}, NULL);
    assert_found(&look, "identifier", "id", 20, "whole number");
    look_free(&look);
    const char *long_ids = numbered("id", 1, 20, "9007199254740993\n9007199254740992\n");
    /* whole numbers beyond 32 bits, and beyond the whole numbers of f64 */
    look = look_at(long_ids, (SplitRequest){0}, NULL);
    assert_found(&look, "identifier", "id", 22, "whole number");
    look_free(&look);
    look = look_at(numbered("id", 1, 20, "20\n"), (SplitRequest){0}, NULL); /* one twice */
    assert_null(find(&look, "identifier"));
    look_free(&look);
    look = look_at(numbered("id", 1, 19, ""), (SplitRequest){0}, NULL); /* too few to tell */
    assert_null(find(&look, "identifier"));
    look_free(&look);
    /* fractions are measurements, not identifiers */
    look = look_at(numbered("id", 1, 20, "1.5\n"), (SplitRequest){0}, NULL);
    assert_null(find(&look, "identifier"));
    look_free(&look);
}

/* The quartiles of 0 to 22 are about 6 and 17. The limits for outliers are ten times their distance
 * away. */
static void test_outlier(void **state) {
    (void)state;
    Look look = look_at(numbered("size", 0, 22, "900\n"), (SplitRequest){0}, NULL);
    assert_found(&look, "outlier", "size", 1, "such as 900 in line 25");
    look_free(&look);
    look = look_at(numbered("size", 0, 22, "120\n"), (SplitRequest){0}, NULL);
    assert_null(find(&look, "outlier"));
    look_free(&look);
}

static void test_classes(void **state) {
    (void)state;
    static char text[512];
    int length = snprintf(text, sizeof text, "x,kind\n");
    for (int i = 0; i < 22; i++)
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "%d,%d\n", i % 7, i < 20 ? 0 : 3);
    Look look = look_at(text, (SplitRequest){0}, "kind");
    assert_found(&look, "uneven", "kind", 20, "20 training rows of class 0, but 2 of class 3");
    assert_found(&look, "empty", "kind", 2, "2 of 4 classes have no row, such as 1");
    look_free(&look);
    /* the column is not the label, so its classes are not inspected */
    look = look_at(text, (SplitRequest){0}, NULL);
    assert_null(find(&look, "uneven"));
    assert_int_equal(look.facts->class_count, 0);
    look_free(&look);
}

/* The seed holds out the only row of a class. */
static void test_unseen(void **state) {
    (void)state;
    bool whole = false, text = false;
    for (uint64_t seed = 0; seed < 20; seed++) {
        SplitRequest request = {.test = {.is_count = true, .amount = 1}, .seed = seed};
        Look look = look_at("x,kind,name\n1,0,a\n2,0,a\n3,0,a\n4,1,b\n", request, "kind");
        if (dataset_split(look.dataset, SPLIT_TEST)[0] == 3) {
            for (uint32_t i = 0; i < look.facts->findings.count; i++) {
                const Finding *finding = &look.facts->findings.items[i];
                whole |= !strcmp(finding->kind, "unseen") && !strcmp(finding->field, "kind") &&
                         finding->count == 1;
                text |= !strcmp(finding->kind, "unseen") && !strcmp(finding->field, "name") &&
                        strstr(finding->text, "'b'");
            }
        } else {
            assert_null(find(&look, "unseen"));
        }
        look_free(&look);
    }
    assert_true(whole && text);
}

/* The rows of one patient are held out together. An unseen patient is a finding only if the model
 * reads the column, and is not a missing value. */
static void test_unseen_group(void **state) {
    (void)state;
    SplitRequest request = {
        .test = {.kind = HOLD_GROUP, .is_count = true, .amount = 1, .field = "patient"}};
    Look look = look_at("x,patient\n1,a\n2,a\n3,b\n4,b\n5,c\n6,c\n", request, NULL);
    assert_found(&look, "unseen", "patient", 2, "2 held-out rows have a category");
    assert_null(find(&look, "missing"));
    assert_int_equal(look.facts->fields[1]->whole[SPLIT_TEST].missing, 0);
    assert_int_equal(look.facts->fields[1]->whole[SPLIT_TEST].moments.count, 2);
    const bool used[] = {true, false};
    look.facts = dataset_inspect(look.dataset, &(FieldUses){.used = used}, look.arena);
    assert_null(find(&look, "unseen"));
    look_free(&look);
}

static void test_duplicates(void **state) {
    (void)state;
    Look look = look_at("x,y\n1,2\n3,4\n1,2\n1,4\n1,2\n", (SplitRequest){0}, NULL);
    assert_found(&look, "duplicate", NULL, 2, "line 4, which equals line 2");
    assert_null(find(&look, "leak"));
    look_free(&look);
    SplitRequest request = {.test = {.is_count = true, .amount = 2}, .seed = 1};
    look = look_at("x,y\n1,2\n1,2\n1,2\n1,2\n", request, NULL);
    assert_found(&look, "leak", NULL, 2, "2 test rows are in train too");
    look_free(&look);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_statistics_of_elements),
        cmocka_unit_test(test_nothing_suspicious),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_identifier),
        cmocka_unit_test(test_outlier),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_unseen_group),
        cmocka_unit_test(test_duplicates),
    };
    return cmocka_run_group_tests(tests, temporary_set_up, temporary_tear_down);
}
