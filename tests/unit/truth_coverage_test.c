/* Every function of the library is compared with PyTorch somewhere in tests/truth, or is named here with the reason why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/library.h"

static const struct {
    const char *name, *reason;
} exempt[] = {
    {"shape", "a list, known while compiling"},
    {"dim", "a number, known while compiling"},
    {"rank", "a number, known while compiling"},
    {"index", "whole numbers: library_test, is_class in every loss of classes"},
    {"same_shape", "only a check: part of every mse"},
    {"activation", "only a name for another function"},
    {"flatten", "a reshape"},
    {"weight", "what x and k of every case are"},
    {"state", "part of batch_norm"},
    {"update", "part of batch_norm"},
    {"class_of", "only a check: part of nll"},
    {"has_class", "only a check: golden train/label_computed_outside"},
    {"of_class", "part of nll"},
    {"rows_of", "part of embedding"},
    {"is_class", "part of nll"},
    {"class_weights", "part of nll with weights"},
    {"per_weight", "part of nll with weights"},
    {"over_split", "part of nll with weights; in a metric: training_test"},
    {"cut_log", "part of bce"},
    {"channels_last", "part of batch_norm"},
    {"channels_first", "part of batch_norm"},
    {"in_steps", "part of the schedules"},
    {"after_warmup", "part of the schedules"},
    {"progress", "part of the schedules"},
    {"cosine_between", "part of the schedules"},
    {"accuracy", "a metric: library_test"},
    {"top_k", "a metric: library_test"},
    {"fma", "part of r2, which training_test compares"},
    {"dropout", "training_test"},
    {"random", "part of dropout"},
    {"gather", "part of random_shift"},
    {"as_images", "only a check"},
    {"split_mean", "part of rmse"},
    {"split_mean_product", "part of r2"},
    {"first", "part of layer_norm"},
    {"sum_parts", "part of layer_norm"},
    {"distances", "part of layer_norm; large_mean_test"},
    {"rmse", "training_test"},
    {"split_counts", "part of confusion"},
    {"confusion", "training_test"},
    {"r2", "training_test"},
    {"f1", "training_test"},
    {"no_gain", "resume_all_test"},
    {"windows", "other rows of the data: cli_series_test"},
    {"date", "Python has dates, PyTorch has none: date_test, cli_dates_test"},
    {"ahead", "other rows of the data: cli_series_test"},
    {"last", "which rows are held out: splits_test"},
    {"column", "which rows are held out: splits_test"},
    {"group", "which rows are held out: splits_test"},
    {"stratified", "which rows are held out: splits_test"},
    {"highest", "a word for keep_best"},
    {"lowest", "a word for keep_best"},
    {"random_rows", "part of random_shift"},
    {"random_shift", "random_crop under another name: training_test"},
    {"random_crop", "training_test"},
    {"random_flip", "training_test"},
    {"bilinear", "part of random_rotate"},
    {"random_rotate", "training_test"},
    {"columns", "PyTorch has no tables: table_test"},
    {"impute", "PyTorch has no tables: table_test"},
    {"standardize", "PyTorch has no tables: table_test"},
    {"one_hot_text", "PyTorch has no tables: cli_table_test"},
    {"categories", "a list of names, known while compiling"},
    {"classes", "PyTorch has no tables: cli_classes_test"},
    {"zeros", "initializers_test: each draws its own numbers"},
    {"ones", "initializers_test"},
    {"uniform", "initializers_test"},
    {"normal", "initializers_test"},
    {"glorot", "initializers_test"},
    {"he", "initializers_test"},
    {"orthogonal", "initializers_test"},
};
enum { EXEMPT_COUNT = sizeof exempt / sizeof *exempt };

/* All of tests/truth. */
static char *read_files(void) {
    glob_t found;
    char *text = NULL, part[4096];
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(glob(MLC_SOURCE_DIR "/tests/truth/*.txt", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "rb");
        if (!file) fail_msg("cannot open %s", found.gl_pathv[i]);
        for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;) fwrite(part, 1, got, out);
        fclose(file);
    }
    globfree(&found);
    fclose(out);
    return text;
}

/* A call of `name`, and not of a longer one that ends so. */
static bool calls(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at++) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (begins && at[length] == '(') return true;
    }
    return false;
}

static const char *exemption(const char *name) {
    for (int i = 0; i < EXEMPT_COUNT; i++)
        if (!strcmp(exempt[i].name, name)) return exempt[i].reason;
    return NULL;
}

static void every_function_is_compared(void **state) {
    (void)state;
    char *text = read_files();
    Arena *arena = arena_new();
    const Names *functions = library_get()->functions;
    for (uint32_t i = 0; i < names_count(functions); i++) {
        const char *name = names_all(functions)[i];
        const Callable *callee = names_find(functions, name);
        bool compared = callee->builtin && callee->builtin->kind == KIND_SOURCE; /* reads files: dataset_test */
        compared |= calls(text, name);
        if (!compared && !exemption(name)) fail_msg("'%s' has no case in tests/truth/make_truth.py", name);
        if (compared && exemption(name)) fail_msg("'%s' is compared and needs no exemption", name);
    }
    for (int i = 0; i < EXEMPT_COUNT; i++) assert_non_null(names_find(functions, exempt[i].name));
    arena_free(arena);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_function_is_compared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
