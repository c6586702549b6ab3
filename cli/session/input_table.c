/* New rows from a csv table, read with the arguments of the training table. Columns that only the
 * label needs may be missing. */
#include "cli/session/input_files.h"
#include "ir/base/display.h"
#include "ir/data/derived.h"

#include <math.h>
#include <string.h>

/* Arguments of csv() that name other files or leave out rows. They are dropped: every row of the
 * new file is wanted. */
static bool is_about_rows(const char *name) {
    static const char *const names[] = {"valid",      "test",      "skip",
                                        "valid_skip", "test_skip", "drop_missing"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Reads the new file with the arguments of the model's table. `skip`: the argument with the number
 * of lines before the header, or NULL. */
static Dataset *read_table_skipping(const InputFiles *input, const SourceArg *skip,
                                    Diagnostics *diag) {
    const ModelInfo *info = input->session->build.info;
    SourceArg *args = ARENA_ARRAY(input->session->arena, SourceArg, info->source.arg_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->source.arg_count; i++) {
        const char *name = info->source.args[i].name;
        if (is_about_rows(name)) continue;
        args[count] = info->source.args[i];
        args[count].span = (Span){0};
        if (!strcmp(name, "path"))
            args[count].text = path_is_stdin(input->files[0]) ? "/dev/stdin" : input->files[0];
        count++;
    }
    if (skip)
        args[count++] = (SourceArg){.name = "skip", .kind = skip->kind, .number = skip->number};
    return input_open_with(input, info->source.reader, args, count, &info->schema, diag);
}

static const SourceArg *source_arg(const InputFiles *input, const char *name) {
    const DataSource *source = &input->session->build.info->source;
    for (uint32_t i = 0; i < source->arg_count; i++)
        if (!strcmp(source->args[i].name, name)) return &source->args[i];
    return NULL;
}

/* The new file may have as many lines before its header as the training file, or as the valid or
 * test file. These are tried in turn, but standard input can only be read once. */
static Dataset *read_table(const InputFiles *input) {
    static const char *const others[] = {"test_skip", "valid_skip"};
    if (input_model_kind(input) != INPUT_TABLE) {
        diag_error(input_diag(input), STATUS_USAGE, (Span){0},
                   "'%s' is a table, but the network was not trained on a table", input->files[0]);
        return NULL;
    }
    Diagnostics *first = diag_new();
    Dataset *dataset = read_table_skipping(input, source_arg(input, "skip"), first);
    for (size_t i = 0; i < sizeof others / sizeof *others && !dataset; i++) {
        Diagnostics *ignored = diag_new();
        const SourceArg *skip =
            path_is_stdin(input->files[0]) ? NULL : source_arg(input, others[i]);
        if (skip) dataset = read_table_skipping(input, skip, ignored);
        diag_free(ignored);
    }
    if (!dataset) diag_append(input_diag(input), first);
    diag_free(first);
    return dataset;
}

static bool missing_column(const InputFiles *input, const SourceField *field) {
    const SourceSchema *schema = dataset_fields(input->session->dataset);
    const void *data;
    uint32_t found = 0;
    for (uint32_t i = 0; i < schema->field_count; i++)
        found += dataset_find(input->session->dataset, schema->fields[i].name, &data) != NULL;
    diag_error(input_diag(input), STATUS_DATA, (Span){0},
               "'%s' has no column '%s', which the network reads", input->files[0], field->name);
    bool near = diag_suggest(input_diag(input), field->name, schema->others, schema->other_count);
    if (!found && !near)
        diag_help(
            input_diag(input),
            "no column of the training data was found: the first line must name the columns, with the same delimiter");
    return false;
}

static void print_unseen(const char *file, const SourceField *column, const char *name) {
    display_text(file, stderr);
    fputs(": column '", stderr);
    display_text(name, stderr);
    fprintf(stderr, "': %lld row%s a category that the network was not trained on, such as '",
            (long long)column->unseen, column->unseen == 1 ? " has" : "s have");
    display_text(column->unseen_text, stderr);
    const char *near =
        diag_nearest(column->unseen_text, column->categories, column->category_count);
    fputs(near ? "'; did you mean '" : "'\n", stderr);
    if (near) display_text(near, stderr);
    if (near) fputs("'?\n", stderr);
}

/* Reports the first cell of a column that is not a whole number, although the network reads whole
 * numbers. */
static bool not_whole(const InputFiles *input, const SourceField *column, const float *numbers) {
    const Dataset *dataset = input->session->dataset;
    char place[PLACE_TEXT];
    int64_t rows = 0;
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++)
        rows += dataset_all_rows(dataset, split);
    int32_t row = 0;
    while (row + 1 < rows && numbers[row] == floorf(numbers[row]) && fabsf(numbers[row]) < 0x1p31F)
        row++;
    bool missing = isnan(numbers[row]);
    const char *finding = arena_format(input->session->arena, "is %.9g", (double)numbers[row]);
    diag_error(input_diag(input), STATUS_DATA, (Span){0},
               "column '%s' %s in %s, but the network was trained on whole numbers of 32 bits",
               column->name, missing ? "is missing" : finding,
               dataset_place_text(dataset, NULL, row, place));
    if (missing)
        diag_help(input_diag(input),
                  "fill in the cell or leave the row out; impute(...) in the model allows gaps");
    return false;
}

/* Columns that the network reads must be present and have their type. Others, such as the label,
 * may be missing. */
static bool check_columns(const InputFiles *input, const Symbol *symbol) {
    const SourceSchema *schema = &input->session->build.info->schema;
    SourceRows rows;
    const char *name = source_rows_of(symbol->name, &rows);
    const SourceField *single = source_field(schema, name);
    uint32_t count;
    const uint32_t *fields = source_reads(schema, name, input->session->arena, &count);
    const Derived *derived = derived_find(input->session->arena, schema, name);
    for (uint32_t i = 0; i < count; i++) {
        const SourceField *wanted = &schema->fields[fields[i]];
        const void *data;
        const SourceField *found = dataset_find(input->session->dataset, wanted->name, &data);
        if (!found) return missing_column(input, wanted);
        if (found->unseen && !(derived && derived_reads_dates(derived, fields[i])))
            print_unseen(input->files[0], found, wanted->name);
        if (!single || found->dtype == symbol->dtype) continue;
        return not_whole(input, found, data);
    }
    const void *data;
    const SourceField *classes =
        count == 1 && !single ? dataset_find(input->session->dataset, name, &data) : NULL;
    if (classes && classes->unseen)
        print_unseen(input->files[0], classes, schema->fields[fields[0]].name);
    return true;
}

bool input_open_table(InputFiles *input) {
    if (!input_one_file(input)) return false;
    input->session->dataset = read_table(input);
    for (uint32_t i = 0; i < input->read_count && input->session->dataset; i++)
        if (!check_columns(input, &input->reads[i])) return false;
    return input->session->dataset && input_drop_incomplete(input);
}
