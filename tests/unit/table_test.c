/* Tables of text: cells, kinds of columns, categories, splits, and transforms that are fitted to
 * the training rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "frontend/model/model.h"
#include "passes/passes.h"
#include "runtime/data/data_cache.h"
#include "runtime/train/fit.h"
#include "runtime/formats/numbers.h"
#include "runtime/data/table.h"
#include "temporary.h"

#include <math.h>

static const CsvFormat plain = {.header = true, .delimiter = ',', .signs = {'.', 0}};

static void read_text(const char *text, const CsvFormat *format, const SourceSchema *like,
                      Arena *arena, Table *table) {
    Problem problem;
    size_t length = strlen(text);
    /* memory of exactly this size, so that a read beyond its end is found */
    char *copy = malloc(length + !length);
    memcpy(copy, text, length);
    uint32_t failed;
    if (!table_read(&(TableText){.text = copy, .length = length}, 1, format, like, arena, table,
                    &problem, &failed))
        fail_msg("%s", problem.finding);
    free(copy);
}

static void test_quotes_and_line_ends(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Table table;
    read_text("\xef\xbb\xbf a ,\"b, \"\"c\"\"\",d\r\n 1 ,\"two\nlines\", x\r\r\n-2,  \"\"  ,\"y,\"",
              &plain, NULL, arena, &table);
    assert_int_equal(table.column_count, 3);
    assert_int_equal(table.rows, 2);
    assert_string_equal(table.columns[0].name, "a");
    assert_string_equal(table.columns[1].name, "b, \"c\"");
    assert_int_equal(table.columns[0].kind, COLUMN_WHOLE);
    assert_int_equal(table.columns[0].whole[1], -2);
    assert_int_equal(table.columns[1].category_count, 1);
    assert_string_equal(table.columns[1].categories[0], "two\nlines");
    assert_int_equal(table.columns[1].codes[1], -1); /* empty: missing */
    assert_string_equal(table.columns[2].categories[1], "y,");
    table_free(&table);
    arena_free(arena);
}

static void test_kinds(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Table table;
    read_text(
        "whole,real,gap,text,big,word\n1,1,1,1,2147483647,nan\n+2,.5,?,x1,2147483648,inf\n-3,1e3,,0x1,1,-Infinity\n",
        &(CsvFormat){.header = true,
                     .missing = (const char *[]){"?"},
                     .missing_count = 1,
                     .delimiter = ',',
                     .signs = {'.', 0}},
        NULL, arena, &table);
    const TableColumnKind kinds[] = {COLUMN_WHOLE, COLUMN_NUMBER, COLUMN_NUMBER,
                                     COLUMN_TEXT,  COLUMN_NUMBER, COLUMN_NUMBER};
    for (int i = 0; i < 6; i++) assert_int_equal(table.columns[i].kind, kinds[i]);
    assert_int_equal(table.columns[0].whole[1], 2);
    assert_true(table.columns[1].numbers[2] == 1000);
    assert_true(isnan(table.columns[2].numbers[1]) && isnan(table.columns[2].numbers[2]));
    assert_int_equal(table.columns[2].missing, 2);
    assert_string_equal(table.columns[3].why_text, "line 3 has 'x1'");
    assert_string_equal(table.columns[3].categories[0], "0x1"); /* sorted by bytes */
    assert_true(table.columns[4].numbers[1] == 2147483648.0f);
    assert_true(isnan(table.columns[5].numbers[0]) && isinf(table.columns[5].numbers[2]));
    table_free(&table);
    arena_free(arena);
}

/* The first text decides kinds and names of columns. In other texts, columns are found by name, and
 * the first lines may be skipped. */
static void test_several_texts(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Table table;
    Problem problem;
    uint32_t failed;
    static const char first[] = "size,kind\n1,a\n2,b\n",
                      second[] = "a remark, \"not closed\nkind,size\nc,3\n\na,4.5\n",
                      wrong[] = "size,kind\nx,a\n";
    TableText texts[] = {{.text = first, .length = sizeof first - 1},
                         {.text = second, .length = sizeof second - 1, .skip = 1}};
    if (!table_read(texts, 2, &plain, NULL, arena, &table, &problem, &failed))
        fail_msg("%s", problem.finding);
    const uint32_t lines[] = {2, 3, 3, 5};
    const float sizes[] = {1, 2, 3, 4.5f};
    assert_int_equal(table.rows, 4);
    assert_int_equal(texts[0].rows, 2);
    assert_int_equal(texts[1].rows, 2);
    assert_memory_equal(table.lines, lines, sizeof lines);
    assert_int_equal(table.columns[0].kind, COLUMN_NUMBER);
    assert_memory_equal(table.columns[0].numbers, sizes, sizeof sizes);
    assert_int_equal(table.columns[1].category_count, 3);
    assert_int_equal(table.columns[1].codes[2], 2);
    table_free(&table);
    texts[1] = (TableText){.text = wrong, .length = sizeof wrong - 1};
    assert_false(table_read(texts, 2, &plain, NULL, arena, &table, &problem, &failed));
    assert_int_equal(failed, 1);
    assert_non_null(
        strstr(problem.finding,
               "line 2: column 'size' has 'x', but it holds numbers in the training rows"));
    arena_free(arena);
}

static void test_without_header(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Table table;
    read_text("1;a\n2;b\n", &(CsvFormat){.delimiter = ';', .signs = {',', '.'}}, NULL, arena,
              &table);
    assert_int_equal(table.rows, 2);
    assert_string_equal(table.columns[1].name, "column1");
    table_free(&table);
    arena_free(arena);
}

/* New rows: columns in another order, one extra column, one missing column, and an unseen
 * category. */
static void test_like_a_schema(void **state) {
    (void)state;
    static const char *const colours[] = {"blue", "red"};
    static const SourceField fields[] = {{.name = "size", .dtype = DTYPE_F32, .is_column = true},
                                         {.name = "colour",
                                          .dtype = DTYPE_I32,
                                          .is_column = true,
                                          .is_text = true,
                                          .categories = colours,
                                          .category_count = 2},
                                         {.name = "price", .dtype = DTYPE_F32, .is_column = true}};
    SourceSchema like = {.fields = fields, .field_count = 3};
    Arena *arena = arena_new();
    Table table;
    Problem problem;
    read_text("colour,note,size\nred,hello,1.5\ngreen,,\n", &plain, &like, arena, &table);
    assert_int_equal(table.column_count, 3);
    assert_true(table.columns[0].numbers[0] == 1.5f && isnan(table.columns[0].numbers[1]));
    assert_int_equal(table.columns[1].codes[0], 1);
    assert_int_equal(table.columns[1].codes[1], -1);
    assert_null(table.columns[2].cells);
    table_free(&table);
    TableText words = {.text = "size\nlarge\n", .length = 11};
    uint32_t failed;
    assert_false(table_read(&words, 1, &plain, &like, arena, &table, &problem, &failed));
    assert_non_null(strstr(problem.finding, "line 2: column 'size' has 'large'"));
    arena_free(arena);
}

/* -- as a data set -- */

static const char houses[] =
    "rooms,age,kind,price\n"
    "1,10,flat,100\n2,,house,200\n3,30,flat,300\n4,40,,400\n5,50,villa,500\n6,,house,600\n";

static DataSource houses_source(SourceArg *arg) {
    temporary_write("houses.csv", houses, sizeof houses - 1);
    *arg = (SourceArg){.name = "path", .kind = SOURCE_ARG_STRING, .text = "houses.csv"};
    return (DataSource){.reader = "csv", .folder = temporary_folder, .args = arg, .arg_count = 1};
}

/* Categories without a training row are dropped. */
static void test_categories_of_training_rows(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    SourceArg arg;
    DataSource source = houses_source(&arg);
    for (uint64_t seed = 1; seed < 20; seed++) {
        SplitRequest request = {.test = {.is_count = true, .amount = 2}, .seed = seed};
        Dataset *dataset = dataset_open(&source, &request, diag);
        Arena *arena = arena_new();
        SourceSchema schema;
        assert_non_null(dataset);
        assert_true(dataset_schema(NULL, &source, &request, arena, &schema, diag));
        const SourceField *kind = source_field(dataset_fields(dataset), "kind"),
                          *expected = source_field(&schema, "kind");
        const int32_t *codes = dataset_field(dataset, "kind");
        bool villa = codes[4] >= 0, trained = false;
        for (int i = 0; i < 4; i++) trained |= dataset_split(dataset, SPLIT_TRAIN)[i] == 4;
        assert_int_equal(villa, trained);
        assert_int_equal(kind->category_count, expected->category_count);
        if (villa) assert_string_equal(dataset_class_name(dataset, "kind", codes[4]), "villa");
        assert_int_equal(codes[3], -1);
        arena_free(arena);
        dataset_free(dataset);
    }
    assert_int_equal(diag_errors(diag), 0);
    diag_free(diag);
}

/* The table is read once for its schema and its rows, and again if other rows are held out. */
static void test_data_cache(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Arena *arena = arena_new();
    DataCache *cache = data_cache_new();
    SourceArg arg;
    DataSource source = houses_source(&arg);
    SplitRequest request = {.test = {.is_count = true, .amount = 2}, .seed = 1}, other = request;
    SourceSchema schema;
    assert_true(data_cache_schema(cache, &source, &request, arena, &schema, diag));
    unlink(temporary_path("houses.csv"));
    Dataset *dataset = data_cache_open(cache, &source, &request, diag);
    assert_non_null(dataset);
    assert_int_equal(dataset_rows(dataset, SPLIT_TRAIN), 4);
    other.seed = 2;
    assert_null(data_cache_open(cache, &source, &other, diag));
    assert_int_equal(diag_status(diag), STATUS_DATA);
    /* the data set is still valid after the cache has dropped it */
    assert_int_equal(((const int32_t *)dataset_field(dataset, "price"))[5], 600);
    dataset_free(dataset);
    data_cache_free(cache);
    assert_int_equal(source_field(&schema, "kind")->classes,
                     source_field(&schema, "kind")->category_count);
    assert_string_equal(source_field(&schema, "kind")->categories[0], "flat");
    arena_free(arena);
    diag_free(diag);
}

static void test_columns_side_by_side(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    SourceArg arg;
    DataSource source = houses_source(&arg);
    Dataset *dataset = dataset_open(&source, &(SplitRequest){0}, diag);
    const void *data;
    const SourceField *field = dataset_find(dataset, "columns:3,0-1", &data);
    assert_non_null(field);
    assert_int_equal(field->dtype, DTYPE_F32);
    assert_true(shape_equal(field->row, shape_of(1, (int64_t[]){3})));
    assert_true(((const float *)data)[3 * 2] == 300 && ((const float *)data)[3 * 2 + 1] == 3);
    assert_true(isnan(((const float *)data)[3 * 5 + 2]));
    assert_ptr_equal(dataset_field(dataset, "columns:3,0-1"), data); /* made once */
    assert_int_equal(dataset_find(dataset, "columns:2", &data)->dtype, DTYPE_I32);
    static const char *const wrong[] = {
        "columns:4", "columns:", "columns:1,", "columns:2-1", "columns:0-99999999999", "columns:x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_null(dataset_field(dataset, wrong[i]));
    dataset_free(dataset);
    diag_free(diag);
}

/* -- what transforms learn: by hand, and by sklearn's definitions -- */

static const char fitted_model[] =
    "mdl 1\n"
    "data {\n"
    "    source = csv(\"houses.csv\")\n"
    "    field x = source |> columns([\"rooms\", \"age\"]) |> impute(\"median\") |> standardize\n"
    "    field k = source |> columns(\"kind\") |> impute(\"mode\") |> one_hot\n"
    "    field y = source |> columns(\"price\") |> impute(\"mean\")\n"
    "    field z = source |> columns(\"age\") |> impute(-1)\n"
    "}\n"
    "model m(x, k, z) -> y { y = concat([x, k, z]) |> dense(1) }\n"
    "train { loss = mse(y, z)\n optimizer = sgd(0.1) }\n";

static Model *load(const char *text, Diagnostics *diag) {
    ModelOptions options = {.path = "fit.mdl",
                            .folder = temporary_folder,
                            .text = text,
                            .length = strlen(text),
                            .schema = dataset_schema};
    Model *model = model_load(&options, diag);
    if (!model) diag_print(diag, stderr);
    assert_non_null(model);
    return model;
}

static Program *interpreted(const Model *model, GraphKind kind, uint32_t batch,
                            Compilation *compilation, Diagnostics *diag) {
    Graph *graph = model_graph(model, kind, batch, diag);
    assert_non_null(graph);
    assert_true(passes_run(compilation, graph, &(PassOptions){.threads = 1}, PASS_functions));
    return program_interpret(compilation->graph);
}

static const FittedColumn *fitted_column(const Dataset *dataset, const char *name) {
    uint32_t count;
    const FittedColumn *all = dataset_fitted(dataset, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(all[i].name, name)) return &all[i];
    return NULL;
}

static void expect_learnt(const Dataset *dataset, const char *name, bool deviation,
                          const double *values, int count) {
    const FittedColumn *fitted = fitted_column(dataset, name);
    assert_non_null(fitted);
    for (int i = 0; i < count; i++) {
        double found = deviation ? fitted->deviation[i] : fitted->values[i].number;
        if (fabs(found - values[i]) > 1e-15 * (1 + fabs(values[i])))
            fail_msg("%s[%d] is %.17g", name, i, found);
    }
}

/* Transforms of columns are fitted in f64; those of text are fitted by the graph. */
static void test_fits(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    SourceArg arg;
    DataSource source = houses_source(&arg);
    Model *model = load(fitted_model, diag);
    const ModelInfo *info = model_info(model);
    Compilation compilation = {0};
    /* 6 rows: the last batch is not whole */
    Program *program = interpreted(model, GRAPH_FIT, 4, &compilation, diag);
    Dataset *dataset = dataset_open(&source, &info->split, diag);
    States *states = states_new();
    Threads *threads = threads_new(2);
    assert_int_equal(info->fit_count, 4);
    assert_true(dataset_fit(dataset, info->fits, info->fit_count, diag));
    assert_true(states_bind(states, program, diag));
    assert_true(fits_run(program, dataset, states, threads, info->fits, info->fit_count, diag));
    states_initialize(states, 3); /* fitting leaves the states unchanged */
    /* the second column of the training rows is 10 30 40 50 */
    expect_learnt(dataset, "x.impute", false, (double[]){3.5, 35}, 2);
    expect_learnt(dataset, "x.standardize", false, (double[]){3.5, 200.0 / 6}, 2);
    expect_learnt(dataset, "x.standardize", true, (double[]){sqrt(35.0 / 12), sqrt(1325.0 / 9)}, 2);
    expect_learnt(dataset, "y.impute", false, (double[]){350}, 1);
    int32_t mode;
    assert_true(states_read(states, "k.impute.value", &mode));
    assert_int_equal(mode, 0); /* flat and house are as frequent: the first */
    threads_free(threads);
    states_free(states);
    dataset_free(dataset);
    program_free(program);
    compilation_free(&compilation);
    model_free(model);
    diag_free(diag);
}

/* A transform has the same name whichever other fields a graph uses. */
static void test_names_of_fits(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    SourceArg arg;
    houses_source(&arg);
    Model *model = load(fitted_model, diag);
    for (GraphKind kind = GRAPH_TRAIN; kind <= GRAPH_FIT; kind++) {
        Graph *graph = model_graph(model, kind, 3, diag);
        const Symbol *text = graph_symbol(graph, "k.impute.value");
        assert_non_null(
            graph_symbol(graph, "standardize(impute([rooms, age], @x.impute), @x.standardize)"));
        assert_non_null(text);
        assert_false(text->trainable);
        assert_int_equal(text->init.kind, INIT_FITTED);
        assert_int_equal(graph_symbol(graph, "impute(price, @y.impute)") != NULL,
                         kind == GRAPH_FIT);
        graph_free(graph);
    }
    model_free(model);
    diag_free(diag);
}

/* The nearest f32 is the one that the C library finds, also if rounding to f64 first would give
 * another. */
static void expect_nearest(const char *text) {
    size_t length = strlen(text);
    float found = number_value(text, length, number_real(text, length)),
          wanted = strtof(text, NULL);
    if (memcmp(&found, &wanted, sizeof found))
        fail_msg("%s: %a, not %a", text, (double)found, (double)wanted);
}

static void test_nearest_values(void **state) {
    (void)state;
    static const char *const texts[] = {
        "0", "-0", "0.1", "16777217", "16777219", "-16777217.000000001",
        "16777217.0000000000000000000001", "1e-45", "7e-46", "1.1e-38", "1.17549435e-38",
        "3.4028235e38", "3.4028236e38", "3.5e38", "1e400", "-inf", "1e-400",
        "33554430.99999999999999999",
        /* just above and below the middle of 1 and the f32 after it */
        "1.000000059604644775390625", "1.00000005960464477539062500000000001",
        "1.00000005960464477539062499999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_nearest(texts[i]);
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        char text[64];
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        float low;
        uint32_t bits = (uint32_t)(seed >> 32) & 0x7f7fffff;
        memcpy(&low, &bits, sizeof low);
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        snprintf(text, sizeof text, i % 2 ? "%.17g" : "%.9g", i % 3 ? (double)low : middle);
        expect_nearest(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_values),
        cmocka_unit_test(test_quotes_and_line_ends),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_several_texts),
        cmocka_unit_test(test_without_header),
        cmocka_unit_test(test_like_a_schema),
        cmocka_unit_test(test_data_cache),
        cmocka_unit_test(test_categories_of_training_rows),
        cmocka_unit_test(test_columns_side_by_side),
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_names_of_fits),
    };
    return cmocka_run_group_tests(tests, temporary_set_up, temporary_tear_down);
}
