/* New rows for a trained network: files become a data set that has what the model reads, and nothing else is needed. */
#include "cli/session/inputs.h"
#include "cli/session/folders.h"
#include "cli/session/image.h"
#include "ir/data/derived.h"
#include "ir/data/readers.h"
#include "ir/base/memory.h"
#include "ir/base/display.h"
#include "runtime/data/dataset.h"
#include "runtime/formats/bitmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    Session *session;
    const char **files;
    const PictureFile *pictures; /* the same files */
    int count;
    const Symbol *reads; /* what the network reads, one after the other, and then what only the loss and the metrics read */
    uint32_t read_count, network_count;
    Inputs *inputs;
} Opening;

static Diagnostics *diag_of(const Opening *opening) { return opening->session->build.diag; }

/* -- what the model reads -- */

/* What kind of files its training data were. */
static InputKind model_input(const Opening *opening) {
    const DataReader *reader = reader_named(opening->session->build.info->source.reader);
    return reader ? reader->input : INPUT_NONE;
}

static bool is_input(const Opening *opening, const char *name) {
    for (uint32_t i = 0; i < opening->read_count; i++)
        if (!strcmp(opening->reads[i].name, name)) return true;
    return false;
}

/* Adds what a graph reads of the data. */
static bool add_reads(Opening *opening, GraphKind kind) {
    const Build *build = &opening->session->build;
    Arena *arena = opening->session->arena;
    Graph *graph = model_graph(build->model, kind, 1, build->diag);
    if (!graph) return false;
    Symbol *reads = ARENA_ARRAY(arena, Symbol, opening->read_count + graph->symbol_count);
    if (opening->read_count) memcpy(reads, opening->reads, opening->read_count * sizeof *reads);
    opening->reads = reads;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_BATCH || !symbol->node || is_input(opening, symbol->name)) continue;
        Symbol *read = &reads[opening->read_count++];
        *read = *symbol;
        read->name = arena_copy_string(arena, symbol->name, strlen(symbol->name));
    }
    graph_free(graph);
    return true;
}

static bool find_reads(Opening *opening, GraphKind kind) {
    if (!add_reads(opening, GRAPH_PREDICT)) return false;
    opening->network_count = opening->read_count;
    return kind == GRAPH_PREDICT || add_reads(opening, kind);
}

static Shape row_of(const Symbol *symbol) {
    Shape row = {.rank = symbol->shape.rank - 1};
    memcpy(row.dim, &symbol->shape.dim[1], (size_t)row.rank * sizeof *row.dim);
    return row;
}

/* A single input, which the files then hold; images and arrays have no names to tell several apart. */
static const Symbol *only_input(const Opening *opening, const char *kind) {
    if (opening->network_count == 1) return &opening->reads[0];
    diag_error(diag_of(opening), STATUS_USAGE, (Span){0}, "the network reads %u inputs, and %s is one only",
               opening->network_count, kind);
    return NULL;
}

/* Whether an input or label of that type holds the value. */
static bool put_element(void *to, DType dtype, int64_t at, double value) {
    if (dtype == DTYPE_F32) return ((float *)to)[at] = (float)value, true;
    bool fits = dtype == DTYPE_U8 ? value >= 0 && value <= 255 : value >= INT32_MIN && value <= INT32_MAX;
    if (!fits || value != (double)(int64_t)value) return false;
    if (dtype == DTYPE_U8) return ((uint8_t *)to)[at] = (uint8_t)value, true;
    return ((int32_t *)to)[at] = (int32_t)value, true;
}

/* -- images -- */

static bool is_image(const Symbol *symbol) {
    Shape row = row_of(symbol);
    return symbol->dtype == DTYPE_U8 && row.rank == 3 && (row.dim[0] == 1 || row.dim[0] == 3);
}

static const char *light_text(const ImageFacts *facts) {
    if (facts->light)
        return facts->inverted ? "inverted (its background is light)" : "not inverted (though its background is light)";
    return facts->inverted ? "inverted" : NULL;
}

static void print_kind(bool size, int height, int width, bool colour, bool coloured) {
    if (size) fprintf(stderr, "%dx%d%s", width, height, colour ? " " : "");
    if (colour) fputs(coloured ? "colour" : "grey", stderr);
}

/* What was done to a picture; nothing is said of one that is what the network reads. */
static void print_image_changes(const char *file, Shape row, const ImageFacts *facts) {
    int height = (int)row.dim[1], width = (int)row.dim[2];
    bool size = facts->height != height || facts->width != width, coloured = row.dim[0] == 3;
    bool colour = facts->coloured != coloured, brought = size || colour;
    const char *light = light_text(facts);
    if (!brought && !facts->inverted) return;
    shown_text(file, stderr);
    fputs(": ", stderr);
    print_kind(size, facts->height, facts->width, colour, facts->coloured);
    if (brought) fputs(", brought to ", stderr);
    print_kind(size, height, width, colour, coloured);
    fprintf(stderr, "%s%s%s\n", brought && light ? ", " : "", light ? light : "",
            facts->centred ? ", cropped to its strokes and centred" : "");
}

/* Sets of 28 x 28 grey pictures are centred figures on black, unless they are known to be something else. */
static bool centres_strokes(const Build *build, Shape row) {
    const char *reader = build->info->source.reader;
    bool like_mnist = row.dim[0] == 1 && row.dim[1] == 28 && row.dim[2] == 28;
    bool drawn = !strcmp(reader, "mnist") || !strcmp(reader, "idx");
    return build->options->fit == CHOICE_fit_yes || (build->options->fit == CHOICE_fit_auto && like_mnist && drawn);
}

/* As the training images came to their size: those of a folder were stretched, those of other sources were never touched. */
static bool read_image(const Opening *opening, const char *file, Shape row, uint8_t *pixels) {
    const Build *build = &opening->session->build;
    ImageFacts facts;
    int channels = (int)row.dim[0], height = (int)row.dim[1], width = (int)row.dim[2];
    bool stretch = model_input(opening) == INPUT_PICTURES;
    Choice_invert invert = stretch && !option_given(build->options, OPTION_invert) ? CHOICE_invert_no : build->options->invert;
    FitRequest request = {invert, centres_strokes(build, row)};
    bool good = stretch && invert == CHOICE_invert_no && !request.centre
                    ? image_stretch(file, channels, height, width, pixels, &facts, build->diag)
                    : image_fit(file, channels, height, width, request, pixels, &facts, build->diag);
    if (good && !build->options->quiet) print_image_changes(file, row, &facts);
    return good;
}

/* The class that a folder is called by; -1: none. */
static int32_t class_called(const SourceField *label, const char *name) {
    int64_t number;
    for (uint32_t i = 0; i < label->category_count; i++)
        if (!strcmp(label->categories[i], name)) return (int32_t)i;
    return !label->category_count && parse_number(name, 0, INT32_MAX, &number) ? (int32_t)number : -1;
}

/* The classes of the pictures, by their folders; NULL: they are not known. */
static void *classes_of(const Opening *opening, const SourceField *label) {
    void *classes = memory_array((size_t)opening->count, sizeof(int32_t), "the classes of the pictures");
    for (int i = 0; i < opening->count; i++) {
        const char *folder = opening->pictures[i].folder;
        int32_t class = folder ? class_called(label, folder) : -1;
        if (class >= 0 && put_element(classes, label->dtype, i, class)) continue;
        free(classes);
        if (opening->read_count == opening->network_count) return NULL;
        diag_error(diag_of(opening), STATUS_DATA, (Span){0},
                   folder ? "'%s' is in no folder of a class: '%s' is none" : "the class of '%s' is not known",
                   opening->files[i], folder);
        diag_help(diag_of(opening), "give a folder that holds a folder for each class, called by its name");
        return NULL;
    }
    return classes;
}

/* PictureShape have one label only: of labels that are computed or are several, nobody knows how to make them. */
static const SourceField *label_of(const Opening *opening) {
    const ModelInfo *info = opening->session->build.info;
    const SourceField *label = info->label_field ? source_any(&info->schema, info->label_field) : NULL;
    uint32_t others = opening->read_count - opening->network_count;
    bool is_label = label && label->row.rank == 0 && label->dtype != DTYPE_F32;
    if (is_label && (!others || (others == 1 && !strcmp(opening->reads[1].name, label->name)))) return label;
    if (others)
        diag_error(diag_of(opening), STATUS_USAGE, (Span){0}, "pictures have a class, but the loss compares with '%s' as well",
                   opening->reads[1].name);
    return NULL;
}

static bool read_images(const Opening *opening, Shape row, uint8_t *pixels) {
    bool good = true;
    for (int i = 0; i < opening->count && good; i++)
        good = read_image(opening, opening->files[i], row, pixels + (size_t)i * (size_t)shape_elements(row));
    return good;
}

static bool open_images(Opening *opening) {
    const Symbol *symbol = only_input(opening, "an image");
    if (!symbol) return false;
    Shape row = row_of(symbol);
    if (!is_image(symbol)) {
        diag_error(diag_of(opening), STATUS_USAGE, (Span){0}, "the network reads no images, but '%s'", symbol->name);
        return false;
    }
    const SourceField *label = label_of(opening);
    void *classes = label ? classes_of(opening, label) : NULL;
    if (diag_errors(diag_of(opening))) return false;
    uint8_t *pixels = memory_array((size_t)opening->count, (size_t)shape_elements(row), "the pictures");
    SourceField fields[] = {{.name = symbol->name, .dtype = DTYPE_U8, .row = row}, {0}};
    if (classes) fields[1] = *label;
    opening->session->dataset = dataset_new(fields, classes ? 2 : 1, (void *[]){pixels, classes}, opening->count, NULL, NULL);
    opening->inputs->names = opening->files;
    opening->inputs->images = true;
    return read_images(opening, row, pixels);
}

/* -- files that a reader knows -- */

/* The rows around a row that are read. */
static SourceRows looks_of(const Opening *opening) {
    SourceRows looks = {0, 0, 1};
    for (uint32_t i = 0; i < opening->read_count; i++)
        source_rows_add(&looks, opening->session->arena, &opening->session->build.info->schema, opening->reads[i].name);
    return looks;
}

/* The field that tells series apart; NULL: nothing looks at other rows, or all are one. */
static const char *series_of(const Opening *opening) {
    SourceRows looks = looks_of(opening);
    return looks.from || looks.to ? source_series(&opening->session->build.info->split) : NULL;
}

/* All rows of files: which of them have others around them is another matter. */
static Dataset *open_with(const Opening *opening, const char *reader, const SourceArg *args, uint32_t count,
                          const SourceSchema *like, Diagnostics *diag) {
    DataSource source = {.reader = reader, .folder = "", .args = args, .arg_count = count, .like = like};
    return dataset_open(&source, &(SplitRequest){.series = like ? series_of(opening) : NULL}, diag);
}

static bool look_around(const Opening *opening) {
    SourceRows looks = looks_of(opening);
    return dataset_look_around(opening->session->dataset, &looks, false, diag_of(opening));
}

static bool one_file(const Opening *opening) {
    if (opening->count == 1) return true;
    diag_error(diag_of(opening), STATUS_USAGE, (Span){0}, "several files must be images; '%s' is a file of rows",
               opening->files[0]);
    return false;
}

/* Arguments of csv() that are about other files, or about rows to be left out: every row of the new file is asked for. */
static bool is_about_rows(const char *name) {
    static const char *const names[] = {"valid", "test", "skip", "valid_skip", "test_skip", "drop_missing"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* The arguments that the model's table was read with, for another file; `skip` is the one that says how many lines come before its rows. */
static Dataset *open_skipping(const Opening *opening, const SourceArg *skip, Diagnostics *diag) {
    const ModelInfo *info = opening->session->build.info;
    SourceArg *args = ARENA_ARRAY(opening->session->arena, SourceArg, info->source.arg_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->source.arg_count; i++) {
        const char *name = info->source.args[i].name;
        if (is_about_rows(name)) continue;
        args[count] = info->source.args[i];
        args[count].span = (Span){0};
        if (!strcmp(name, "path")) args[count].text = path_is_stdin(opening->files[0]) ? "/dev/stdin" : opening->files[0];
        count++;
    }
    if (skip) args[count++] = (SourceArg){.name = "skip", .kind = skip->kind, .number = skip->number};
    return open_with(opening, info->source.reader, args, count, &info->schema, diag);
}

static const SourceArg *source_arg(const Opening *opening, const char *name) {
    const DataSource *source = &opening->session->build.info->source;
    for (uint32_t i = 0; i < source->arg_count; i++)
        if (!strcmp(source->args[i].name, name)) return &source->args[i];
    return NULL;
}

/* New rows may stand in a file like that of the training rows, or like those of the held-out ones, with other lines before them: where the
 * first way does not fit, the others are tried. Standard input is read once. */
static Dataset *open_table(const Opening *opening) {
    static const char *const others[] = {"test_skip", "valid_skip"};
    if (model_input(opening) != INPUT_TABLE) {
        diag_error(diag_of(opening), STATUS_USAGE, (Span){0},
                   "the network was not trained on a table, so '%s' has nothing for it", opening->files[0]);
        return NULL;
    }
    Diagnostics *first = diag_new();
    Dataset *dataset = open_skipping(opening, source_arg(opening, "skip"), first);
    for (size_t i = 0; i < sizeof others / sizeof *others && !dataset; i++) {
        Diagnostics *unheard = diag_new();
        const SourceArg *skip = path_is_stdin(opening->files[0]) ? NULL : source_arg(opening, others[i]);
        if (skip) dataset = open_skipping(opening, skip, unheard);
        diag_free(unheard);
    }
    if (!dataset) diag_append(diag_of(opening), first);
    diag_free(first);
    return dataset;
}

static bool missing_column(const Opening *opening, const SourceField *field) {
    const SourceSchema *schema = dataset_fields(opening->session->dataset);
    const void *data;
    uint32_t found = 0;
    for (uint32_t i = 0; i < schema->field_count; i++)
        found += dataset_find(opening->session->dataset, schema->fields[i].name, &data) != NULL;
    diag_error(diag_of(opening), STATUS_DATA, (Span){0}, "'%s' has no column '%s', which the network reads", opening->files[0],
               field->name);
    if (!found)
        diag_help(diag_of(opening),
                  "it has no column of the data at all: its first line must name them, divided as theirs are");
    return false;
}

static void print_unseen(const char *file, const SourceField *column, const char *name) {
    shown_text(file, stderr);
    fputs(": column '", stderr);
    shown_text(name, stderr);
    fprintf(stderr, "': %lld row%s a category that the network was not trained on, such as '", (long long)column->unseen,
            column->unseen == 1 ? " has" : "s have");
    shown_text(column->unseen_text, stderr);
    const char *near = diag_nearest(column->unseen_text, column->categories, column->category_count);
    fputs(near ? "'; did you mean '" : "'\n", stderr);
    if (near) shown_text(near, stderr);
    if (near) fputs("'?\n", stderr);
}

/* The columns that the network reads must be there, as what they were; the others, the label too, may be missing. */
static bool check_columns(const Opening *opening, const Symbol *symbol) {
    const SourceSchema *schema = &opening->session->build.info->schema;
    SourceRows rows;
    const char *name = source_rows_of(symbol->name, &rows);
    const SourceField *single = source_field(schema, name);
    uint32_t count;
    const uint32_t *fields = source_reads(schema, name, opening->session->arena, &count);
    const Derived *derived = derived_find(opening->session->arena, schema, name);
    for (uint32_t i = 0; i < count; i++) {
        const SourceField *wanted = &schema->fields[fields[i]];
        const void *data;
        const SourceField *found = dataset_find(opening->session->dataset, wanted->name, &data);
        if (!found) return missing_column(opening, wanted);
        if (found->unseen && !(derived && derived_reads_dates(derived, fields[i])))
            print_unseen(opening->files[0], found, wanted->name);
        if (!single || found->dtype == symbol->dtype) continue;
        diag_error(diag_of(opening), STATUS_DATA, (Span){0}, "column '%s' of '%s' must hold whole numbers, with none missing",
                   wanted->name, opening->files[0]);
        return false;
    }
    const void *data;
    const SourceField *classes = count == 1 && !single ? dataset_find(opening->session->dataset, name, &data) : NULL;
    if (classes && classes->unseen) print_unseen(opening->files[0], classes, schema->fields[fields[0]].name);
    return true;
}

static bool open_rows(Opening *opening) {
    if (!one_file(opening)) return false;
    opening->session->dataset = open_table(opening);
    for (uint32_t i = 0; i < opening->read_count && opening->session->dataset; i++)
        if (!check_columns(opening, &opening->reads[i])) return false;
    return opening->session->dataset && look_around(opening);
}

/* -- arrays -- */

/* Axes of size 1 do not tell rows apart. */
static Shape squeezed(Shape shape) {
    Shape result = {0};
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] != 1) result.dim[result.rank++] = shape.dim[i];
    return result;
}

/* How many rows of shape `row` an array is; 0: none. */
static int64_t rows_of(const SourceField *array, int64_t first, Shape row) {
    Shape whole = {.rank = array->row.rank + 1, .dim = {first}};
    memcpy(&whole.dim[1], array->row.dim, (size_t)array->row.rank * sizeof *whole.dim);
    if (shape_equal(squeezed(array->row), squeezed(row))) return first;
    return shape_equal(squeezed(whole), squeezed(row)) ? 1 : 0;
}

/* The array's elements as those of the field; NULL after reporting one that cannot be that. */
static void *take_elements(const Opening *opening, const SourceField *field, DType dtype, const void *data, int64_t rows,
                           const char *what) {
    int64_t count = rows * shape_elements(field->row);
    void *elements = memory_array((size_t)count, dtype_bytes(field->dtype), "the rows of an array");
    for (int64_t i = 0; i < count; i++) {
        if (put_element(elements, field->dtype, i, dtype_element(dtype, data, i))) continue;
        diag_error(diag_of(opening), STATUS_DATA, (Span){0}, "element %lld of %s is %g, but the network reads %s", (long long)i,
                   what, dtype_element(dtype, data, i), field->dtype == DTYPE_U8 ? "bytes" : "whole numbers");
        free(elements);
        return NULL;
    }
    return elements;
}

static bool wrong_shape(const Opening *opening, const SourceField *field, const SourceField *array, int64_t first,
                        const char *what) {
    char found[SHAPE_TEXT], wanted[SHAPE_TEXT];
    Shape whole = {.rank = array->row.rank + 1, .dim = {first}};
    memcpy(&whole.dim[1], array->row.dim, (size_t)array->row.rank * sizeof *whole.dim);
    diag_error(diag_of(opening), STATUS_DATA, (Span){0}, "%s is %s, but a row that the network reads is %s", what,
               shape_text(array->dtype, whole, found), shape_text(field->dtype, field->row, wanted));
    diag_help(diag_of(opening), "rows come first, one after the other");
    return false;
}

static bool missing_array(const Opening *opening, const SourceField *field) {
    diag_error(diag_of(opening), STATUS_DATA, (Span){0}, "'%s' has no array '%s', which the network reads", opening->files[0],
               field->name);
    return false;
}

static void add_wanted(SourceField *wanted, uint32_t *count, SourceField field) {
    for (uint32_t i = 0; i < *count; i++)
        if (!strcmp(wanted[i].name, field.name)) return;
    wanted[(*count)++] = field;
}

/* The columns side by side that a column is computed of; NULL: there are none. */
static const Derived *columns_in(const Derived *derived) {
    if (derived->kind == DERIVED_COLUMNS) return derived->is_list ? derived : NULL;
    const Derived *columns = NULL;
    for (int i = 0; i < derived_arity(derived->kind) && !columns; i++) columns = columns_in(derived->args[i]);
    return columns;
}

/* The arrays that hold what the model reads: a field of the source, or columns side by side. Of what is computed of fields when the data
 * are read, standardize(x) or classes(label), it is these; and so it is of the rows around a row. */
static SourceField *wanted_arrays(const Opening *opening, uint32_t *count) {
    const SourceSchema *schema = &opening->session->build.info->schema;
    Arena *arena = opening->session->arena;
    SourceField *wanted = ARENA_ARRAY(arena, SourceField, opening->read_count + schema->field_count);
    const char *series = series_of(opening);
    *count = 0;
    for (uint32_t i = 0; i < opening->read_count; i++) {
        SourceRows rows;
        const Symbol *symbol = &opening->reads[i];
        bool around = source_rows_of(symbol->name, &rows) != symbol->name;
        const Derived *derived = derived_find(arena, schema, source_rows_of(symbol->name, &rows));
        uint32_t reads;
        const uint32_t *fields = source_reads(schema, symbol->name, arena, &reads);
        const Derived *columns = derived ? columns_in(derived) : NULL;
        bool computed = derived && (around || derived->kind != DERIVED_COLUMNS);
        if (columns) fields = columns->fields, reads = columns->count;
        for (uint32_t k = 0; computed && k < reads; k++) add_wanted(wanted, count, schema->fields[fields[k]]);
        if (!computed)
            add_wanted(wanted, count, (SourceField){.name = symbol->name, .dtype = symbol->dtype, .row = row_of(symbol)});
    }
    if (series && source_field(schema, series)) add_wanted(wanted, count, *source_field(schema, series));
    return wanted;
}

/* Fields of the source in their order, others behind them. */
static void sort_wanted(const SourceSchema *schema, SourceField *wanted, uint32_t count) {
    uint32_t sorted = 0;
    for (uint32_t k = 0; k < schema->field_count; k++) {
        for (uint32_t i = sorted; i < count; i++) {
            if (strcmp(wanted[i].name, schema->fields[k].name)) continue;
            SourceField field = wanted[i];
            memmove(&wanted[sorted + 1], &wanted[sorted], (i - sorted) * sizeof *wanted);
            wanted[sorted++] = field;
            break;
        }
    }
}

/* What a field holds, from the array of its name in an archive, or from the only array (`only`) of a file. All that is read has
 * the same number of rows; 0: not known yet. */
static bool take_array(const Opening *opening, const Dataset *arrays, const char *only, const SourceField *field,
                       void **elements, int64_t *rows) {
    const void *data;
    const SourceField *array = dataset_find(arrays, only ? only : field->name, &data);
    const char *what =
        arena_format(opening->session->arena, only ? "'%s'" : "'%s', array '%s',", opening->files[0], field->name);
    if (!array) return missing_array(opening, field);
    int64_t first = dataset_rows(arrays, SPLIT_TRAIN) + dataset_rows(arrays, SPLIT_TEST);
    int64_t own = rows_of(array, first, field->row);
    if (!own || (*rows && own != *rows)) return wrong_shape(opening, field, array, first, what);
    *rows = own;
    return (*elements = take_elements(opening, field, array->dtype, data, own, what)) != NULL;
}

/* Where elements come from: those of a field are begin + i * step of an array. */
typedef struct {
    const Dataset *arrays;
    const char *name;
    int64_t begin, step;
} ArrayOrigin;

/* What is computed of a wide field begins with all digits. */
static void copy_digits(const Opening *opening, const SourceField *fields, uint32_t field, ArrayOrigin from) {
    if (fields[field].is_wide)
        dataset_copy_exact(opening->session->dataset, field, from.arrays, from.name, from.begin, from.step);
}

/* The data set of what has been taken for the fields; else nothing is left of it. */
static bool make_dataset(const Opening *opening, const SourceField *fields, uint32_t count, void **elements, uint32_t taken,
                         int64_t rows) {
    while (taken < count && taken > 0) free(elements[--taken]);
    if (taken < count) return false;
    const SourceSchema *schema = &opening->session->build.info->schema;
    opening->session->dataset = dataset_new(fields, count, elements, rows, series_of(opening), schema);
    return look_around(opening);
}

/* Fields that stand side by side in the only array of a file. */
static bool take_columns(Opening *opening, const Dataset *arrays, const char *only, const SourceField *fields, uint32_t count) {
    const void *data;
    const SourceField *array = dataset_find(arrays, only, &data);
    const SourceField all = {.dtype = DTYPE_F32, .row = {1, {count}}};
    const char *what = arena_format(opening->session->arena, "'%s'", opening->files[0]);
    int64_t first = dataset_rows(arrays, SPLIT_TRAIN), rows = array ? rows_of(array, first, all.row) : 0;
    void **elements = ARENA_ARRAY(opening->session->arena, void *, count);
    uint32_t taken = 0;
    if (!rows) return array && wrong_shape(opening, &all, array, first, what);
    size_t size = dtype_bytes(array->dtype);
    char *column = memory_array((size_t)rows, size, "the rows of an array");
    for (bool good = true; taken < count && good; taken += good) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(column + (size_t)i * size, (const char *)data + (size_t)(i * count + taken) * size, size);
        good = (elements[taken] = take_elements(opening, &fields[taken], array->dtype, column, rows, what)) != NULL;
    }
    free(column);
    if (!make_dataset(opening, fields, count, elements, taken, rows)) return false;
    for (uint32_t i = 0; i < count; i++) copy_digits(opening, fields, i, (ArrayOrigin){arrays, only, i, count});
    return true;
}

static bool take_arrays(Opening *opening, const Dataset *arrays, const char *only) {
    uint32_t taken = 0, count;
    int64_t rows = 0;
    const SourceField *fields = wanted_arrays(opening, &count);
    if (only && count > 1) return take_columns(opening, arrays, only, fields, count);
    void **elements = ARENA_ARRAY(opening->session->arena, void *, count);
    while (taken < count && take_array(opening, arrays, only, &fields[taken], &elements[taken], &rows)) taken++;
    if (!make_dataset(opening, fields, count, elements, taken, rows)) return false;
    for (uint32_t i = 0; i < count; i++)
        copy_digits(opening, fields, i, (ArrayOrigin){arrays, only ? only : fields[i].name, 0, 1});
    return true;
}

static bool open_arrays(Opening *opening, const char *reader, const char *argument, const char *only) {
    SourceArg arg = {.name = argument, .kind = SOURCE_ARG_STRING, .text = opening->files[0]};
    Dataset *arrays = one_file(opening) ? open_with(opening, reader, &arg, 1, NULL, diag_of(opening)) : NULL;
    bool good = arrays && take_arrays(opening, arrays, only);
    dataset_free(arrays);
    return good;
}

/* A file for each array that is wanted, in the order of the fields of the source. */
static bool open_array_each(Opening *opening, SourceField *fields, uint32_t count) {
    uint32_t taken = 0;
    int64_t rows = 0;
    bool good = true;
    sort_wanted(&opening->session->build.info->schema, fields, count);
    void **elements = ARENA_ARRAY(opening->session->arena, void *, count);
    Dataset **arrays = ARENA_ARRAY(opening->session->arena, Dataset *, count);
    for (uint32_t i = 0; i < count && good; i++) {
        Opening one = *opening;
        one.files = &opening->files[i];
        SourceArg arg = {.name = "x", .kind = SOURCE_ARG_STRING, .text = one.files[0]};
        arrays[i] = open_with(&one, "npy", &arg, 1, NULL, diag_of(opening));
        good = arrays[i] && take_array(&one, arrays[i], "x", &fields[i], &elements[taken], &rows);
        taken += good;
    }
    good = make_dataset(opening, fields, count, elements, taken, rows);
    for (uint32_t i = 0; i < count; i++) {
        if (good) copy_digits(opening, fields, i, (ArrayOrigin){arrays[i], "x", 0, 1});
        dataset_free(arrays[i]);
    }
    return good;
}

static bool open_array(Opening *opening) {
    uint32_t count;
    SourceField *wanted = wanted_arrays(opening, &count);
    if (count > 1 && opening->count == (int)count) return open_array_each(opening, wanted, count);
    if (opening->read_count == opening->network_count)
        return (count == 1 || only_input(opening, "an array")) && open_arrays(opening, "npy", "x", "x");
    diag_error(diag_of(opening), STATUS_USAGE, (Span){0}, "%u arrays are needed, not %d: for '%s'%s", count, opening->count,
               wanted[0].name, count > 1 ? " and what it is compared with" : "");
    diag_help(diag_of(opening),
              "give a file for each field of the source that the model reads, in their order, or an .npz that holds them");
    return false;
}

static bool open_archive(Opening *opening) { return open_arrays(opening, "npz", "path", NULL); }

/* -- by the names of the files -- */

/* PictureShape are known by their content as well. Standard input holds rows of a table, and so does a file of any other name that is given
 * to a network of tables. */
static InputKind kind_of(const Opening *opening, const char *file) {
    bool readable;
    if (path_is_stdin(file)) return INPUT_TABLE;
    if (bitmap_has_ending(file) || bitmap_kind(file, &readable)) return INPUT_PICTURES;
    const DataReader *reader = reader_of_file(file);
    if (reader) return reader->input;
    return model_input(opening) == INPUT_TABLE ? INPUT_TABLE : INPUT_NONE;
}

static bool open_files(Opening *opening) {
    switch (kind_of(opening, opening->files[0])) {
    case INPUT_TABLE: return open_rows(opening);
    case INPUT_ARRAY: return open_array(opening);
    case INPUT_ARCHIVE: return open_archive(opening);
    case INPUT_PICTURES: return open_images(opening);
    case INPUT_NONE: break; /* check_kinds has reported it */
    }
    return false;
}

/* By itself, or beside other columns. */
static bool is_read(const Opening *opening, const char *field) {
    const SourceSchema *schema = &opening->session->build.info->schema;
    for (uint32_t i = 0; i < opening->read_count; i++) {
        uint32_t count;
        SourceRows rows;
        const char *name = source_rows_of(opening->reads[i].name, &rows);
        if (!strcmp(name, field)) return true;
        const uint32_t *fields = source_reads(schema, name, opening->session->arena, &count);
        for (uint32_t k = 0; k < count; k++)
            if (!strcmp(schema->fields[fields[k]].name, field)) return true;
    }
    return false;
}

/* Where the network chooses by a whole number, such as a row of an embedding, the new rows have none that it cannot choose by. */
static bool check_classes(const Opening *opening) {
    const ModelInfo *info = opening->session->build.info;
    for (uint32_t i = 0; i < info->present_count; i++)
        if (is_input(opening, info->presents[i].name) &&
            !dataset_check_present(opening->session->dataset, info->presents[i].name, (Span){0}, diag_of(opening)))
            return false;
    for (uint32_t i = 0; i < info->class_use_count; i++) {
        const ClassUse *use = &info->class_uses[i];
        if (is_read(opening, use->field) &&
            !dataset_check_classes(opening->session->dataset, use->field, use->columns, NULL, diag_of(opening)))
            return false;
    }
    return true;
}

static bool check_kinds(const Opening *opening) {
    for (int i = 0; i < opening->count; i++) {
        InputKind kind = kind_of(opening, opening->files[i]);
        if (!path_is_stdin(opening->files[i]) && access(opening->files[i], R_OK) != 0) {
            diag_error(diag_of(opening), STATUS_DATA, (Span){0}, "cannot read '%s': %s", opening->files[i], strerror(errno));
            return false;
        }
        if (kind != INPUT_NONE && kind == kind_of(opening, opening->files[0])) continue;
        diag_error(diag_of(opening), STATUS_USAGE, (Span){0},
                   kind == INPUT_NONE ? "'%s' is no picture, and no table or array by its name"
                                      : "'%s' is of another kind than the first file",
                   opening->files[i]);
        diag_help(diag_of(opening),
                  "pictures are PNG, JPEG, WebP and BMP files, or a folder of them; names of other files end in %s; '-' reads "
                  "a table "
                  "from standard input",
                  reader_endings(opening->session->arena));
        return false;
    }
    return true;
}

bool inputs_open(Session *session, GraphKind kind, char *const *files, int count, Inputs *inputs) {
    uint32_t found;
    Opening opening = {.session = session, .inputs = inputs};
    *inputs = (Inputs){0};
    opening.pictures = folders_search(files, count, session->arena, &found, session->build.diag);
    if (!opening.pictures) return false;
    opening.count = (int)found;
    opening.files = ARENA_ARRAY(session->arena, const char *, found);
    for (uint32_t i = 0; i < found; i++) opening.files[i] = opening.pictures[i].path;
    return check_kinds(&opening) && find_reads(&opening, kind) && open_files(&opening) && session_learn(session) &&
           check_classes(&opening);
}
