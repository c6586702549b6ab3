/* Every function of the library is compared with PyTorch or mpmath in tests/truth, and at the edges
 * of its range in edges.txt. Exceptions are named here with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/library/library.h"

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
    {"truth_of", "only a check: part of bce"},
    {"as_mean", "part of mean: labels_test"},
    {"has_class", "only a check: golden train/label_computed_outside"},
    {"of_class", "part of nll"},
    {"rows_of", "part of embedding"},
    {"is_class", "part of nll"},
    {"class_weights", "part of nll with weights"},
    {"per_weight", "part of nll with weights"},
    {"over_split", "part of nll with weights; in a metric: training_test"},
    {"channels_last", "part of batch_norm"},
    {"channels_first", "part of batch_norm"},
    {"in_steps", "part of the schedules"},
    {"after_warmup", "part of the schedules"},
    {"progress", "part of the schedules"},
    {"cosine_between", "part of the schedules"},
    {"rising", "its rates are tested by find_lr_test.sh"},
    {"accuracy", "a metric: library_test"},
    {"top_k", "a metric: library_test"},
    {"dropout", "training_test"},
    {"random", "part of dropout"},
    {"gather", "part of random_shift"},
    {"as_images", "only a check"},
    {"split_mean", "part of rmse"},
    {"split_mean_product", "part of r2"},
    {"sum_parts", "part of layer_norm"},
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

/* The files of a pattern as one text. */
static char *read_files(const char *pattern) {
    glob_t found;
    char *text = NULL, part[4096];
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
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

/* Whether the text calls `name`, and not a longer name that ends the same way. */
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
    char *text = read_files(MLC_SOURCE_DIR "/tests/truth/*.txt");
    Arena *arena = arena_new();
    const Names *functions = library_get()->functions;
    for (uint32_t i = 0; i < names_count(functions); i++) {
        const char *name = names_all(functions)[i];
        const Callable *callee = names_find(functions, name);
        bool compared =
            callee->builtin && callee->builtin->kind == KIND_SOURCE; /* reads files: dataset_test */
        compared |= calls(text, name);
        if (!compared && !exemption(name))
            fail_msg("'%s' has no case in tests/truth/make_truth.py", name);
        if (compared && exemption(name)) fail_msg("'%s' is compared and needs no exemption", name);
    }
    for (int i = 0; i < EXEMPT_COUNT; i++) assert_non_null(names_find(functions, exempt[i].name));
    arena_free(arena);
    free(text);
}

/* -- edges -- */

/* Functions that have no case in edges.txt: names with spaces between them. */
static const struct {
    const char *reason, *names;
} without_edges[] = {
    {"moves numbers and rounds nothing",
     " flatten gather permute concat split pad stack repeat channels_last channels_first "
     "rows_of embedding of_class detach windows ahead "},
    {"whole numbers, lists or checks",
     " shape dim rank count index class_of has_class is_class truth_of one_hot same_shape as_images "},
    {"only a name for another function", " activation "},
    {"weights, states and what draws numbers",
     " weight state update random dropout random_rows random_shift random_crop "
     "random_flip bilinear random_rotate zeros ones uniform "
     "normal glorot he orthogonal "},
    {"optimizers and rates: make_training.py compares them with PyTorch",
     " sgd adam adamw rmsprop adagrad in_steps warmup after_warmup progress cosine_between rising constant step exponential linear "
     "cosine "
     "one_cycle "},
    {"quotients of counts, or of means that are taken in double; large_mean_test has r2 of large means",
     " accuracy top_k f1 confusion split_mean split_mean_product over_split as_mean split_counts rmse r2 "},
    {"part of distances, which var, layer_norm and batch_norm are made of", " sum_parts "},
    {"weights of classes are numbers of the model", " class_weights per_weight "},
    {"words for settings", " no_gain highest lowest last column group stratified "},
    {"reads a table: cli_table_test",
     " columns categories impute standardize one_hot_text date classes "},
};

static const char *reason_without_edges(const char *name) {
    char word[64];
    snprintf(word, sizeof word, " %s ", name);
    for (size_t i = 0; i < sizeof without_edges / sizeof *without_edges; i++)
        if (strstr(without_edges[i].names, word)) return without_edges[i].reason;
    return NULL;
}

static void every_function_is_tried_at_its_edges(void **state) {
    (void)state;
    char *text = read_files(MLC_SOURCE_DIR "/tests/truth/edges.txt");
    const Names *functions = library_get()->functions;
    for (uint32_t i = 0; i < names_count(functions); i++) {
        const char *name = names_all(functions)[i];
        const Callable *callee = names_find(functions, name);
        bool reads_files = callee->builtin && callee->builtin->kind == KIND_SOURCE,
             tried = calls(text, name);
        if (!reads_files && !tried && !reason_without_edges(name))
            fail_msg("'%s' has no case in tests/truth/make_edges.py", name);
        if (tried && reason_without_edges(name))
            fail_msg("'%s' has a case and needs no exemption", name);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_function_is_compared),
                                       cmocka_unit_test(every_function_is_tried_at_its_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
