/* New rows for a trained network: reads files into a data set with what the network reads. */
#include "cli/session/input_files.h"
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

Diagnostics *input_diag(const InputFiles *input) { return input->session->build.diag; }

/* -- what the model reads -- */

/* The kind of files that the training data were. */
InputKind input_model_kind(const InputFiles *input) {
    const DataReader *reader = reader_named(input->session->build.info->source.reader);
    return reader ? reader->input : INPUT_NONE;
}

static bool is_input(const InputFiles *input, const char *name) {
    for (uint32_t i = 0; i < input->read_count; i++)
        if (!strcmp(input->reads[i].name, name)) return true;
    return false;
}

/* Adds the inputs of a graph to the list. */
static bool add_reads(InputFiles *input, GraphKind kind) {
    const Build *build = &input->session->build;
    Arena *arena = input->session->arena;
    Graph *graph = model_graph(build->model, kind, 1, build->diag);
    if (!graph) return false;
    Symbol *reads = ARENA_ARRAY(arena, Symbol, input->read_count + graph->symbol_count);
    if (input->read_count) memcpy(reads, input->reads, input->read_count * sizeof *reads);
    input->reads = reads;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_BATCH || !symbol->node || is_input(input, symbol->name))
            continue;
        Symbol *read = &reads[input->read_count++];
        *read = *symbol;
        read->name = arena_copy_string(arena, symbol->name, strlen(symbol->name));
    }
    graph_free(graph);
    return true;
}

bool input_add_labels(InputFiles *input) { return add_reads(input, GRAPH_EVAL); }

Shape input_row(const Symbol *symbol) {
    return shape_of(symbol->shape.rank - 1, &symbol->shape.dim[1]);
}

/* Images and arrays have no names, so they can only feed a network with a single input. */
const Symbol *input_only(const InputFiles *input, const char *kind) {
    if (input->network_count == 1) return &input->reads[0];
    diag_error(input_diag(input), STATUS_USAGE, (Span){0},
               "the network reads %u inputs, but %s is only one", input->network_count, kind);
    return NULL;
}

/* Writes an element. false: the type cannot hold the value. */
bool input_put_element(void *to, DType dtype, int64_t at, double value) {
    if (dtype == DTYPE_F32) return ((float *)to)[at] = (float)value, true;
    bool fits = dtype == DTYPE_U8   ? value >= 0 && value <= UINT8_MAX
                : dtype == DTYPE_I8 ? value >= INT8_MIN && value <= INT8_MAX
                                    : value >= INT32_MIN && value <= INT32_MAX;
    if (!fits || value != (double)(int64_t)value) return false;
    if (dtype == DTYPE_U8) return ((uint8_t *)to)[at] = (uint8_t)value, true;
    if (dtype == DTYPE_I8) return ((int8_t *)to)[at] = (int8_t)value, true;
    return ((int32_t *)to)[at] = (int32_t)value, true;
}

/* -- files with a reader -- */

/* The window of rows that the network reads around a row. */
static SourceRows window_of(const InputFiles *input) {
    SourceRows window = {0, 0, 1};
    for (uint32_t i = 0; i < input->read_count; i++)
        source_rows_add(&window, input->session->arena, &input->session->build.info->schema,
                        input->reads[i].name);
    return window;
}

/* The field that separates series; NULL: no windows, or all rows are one series. */
const char *input_series(const InputFiles *input) {
    SourceRows window = window_of(input);
    return window.from || window.to ? source_series(&input->session->build.info->split) : NULL;
}

/* Reads all rows. input_drop_incomplete removes those with incomplete windows later. */
Dataset *input_open_with(const InputFiles *input, const char *reader, const SourceArg *args,
                         uint32_t count, const SourceSchema *like, Diagnostics *diag) {
    DataSource source = {
        .reader = reader, .folder = "", .args = args, .arg_count = count, .like = like};
    return dataset_open(&source, &(SplitRequest){.series = like ? input_series(input) : NULL},
                        diag);
}

bool input_drop_incomplete(const InputFiles *input) {
    SourceRows window = window_of(input);
    return dataset_drop_incomplete(input->session->dataset, &window, false, input_diag(input));
}

bool input_one_file(const InputFiles *input) {
    if (input->count == 1) return true;
    diag_error(input_diag(input), STATUS_USAGE, (Span){0},
               "'%s' is a file of rows: only images can be several files", input->files[0]);
    return false;
}

/* -- by the names of the files -- */

/* The kind of a file by its name; pictures are also recognized by content. Standard input is a
 * table. So is a file with an unknown name if the network was trained on a table. */
static InputKind kind_of(const InputFiles *input, const char *file) {
    bool readable;
    if (path_is_stdin(file)) return INPUT_TABLE;
    if (bitmap_has_ending(file) || bitmap_kind(file, &readable)) return INPUT_PICTURES;
    const DataReader *reader = reader_of_file(file);
    if (reader) return reader->input;
    return input_model_kind(input) == INPUT_TABLE ? INPUT_TABLE : INPUT_NONE;
}

static bool open_files(InputFiles *input) {
    switch (kind_of(input, input->files[0])) {
    case INPUT_TABLE: return input_open_table(input);
    case INPUT_ARRAY: return input_open_array(input);
    case INPUT_ARCHIVE: return input_open_archive(input);
    case INPUT_PICTURES: return input_open_images(input);
    case INPUT_NONE: break; /* check_kinds has reported it */
    }
    return false;
}

/* Whether the network reads the field, alone or together with other columns. */
static bool is_read(const InputFiles *input, const char *field) {
    const SourceSchema *schema = &input->session->build.info->schema;
    for (uint32_t i = 0; i < input->read_count; i++) {
        uint32_t count;
        SourceRows rows;
        const char *name = source_rows_of(input->reads[i].name, &rows);
        if (!strcmp(name, field)) return true;
        const uint32_t *fields = source_reads(schema, name, input->session->arena, &count);
        for (uint32_t k = 0; k < count; k++)
            if (!strcmp(schema->fields[fields[k]].name, field)) return true;
    }
    return false;
}

/* Checks the numbers that the network uses as indices, such as rows of an embedding. */
static bool check_classes(const InputFiles *input) {
    const ModelInfo *info = input->session->build.info;
    for (uint32_t i = 0; i < info->present_count; i++)
        if (is_input(input, info->presents[i].name) &&
            !dataset_check_present(input->session->dataset, info->presents[i].name, (Span){0},
                                   input_diag(input)))
            return false;
    for (uint32_t i = 0; i < info->class_use_count; i++) {
        const ClassUse *use = &info->class_uses[i];
        if (is_read(input, use->field) &&
            !dataset_check_classes(input->session->dataset, use->field, use->columns, NULL,
                                   input_diag(input)))
            return false;
    }
    return true;
}

static bool check_kinds(const InputFiles *input) {
    for (int i = 0; i < input->count; i++) {
        InputKind kind = kind_of(input, input->files[i]);
        if (!path_is_stdin(input->files[i]) && access(input->files[i], R_OK) != 0) {
            diag_error(input_diag(input), STATUS_DATA, (Span){0}, "cannot read '%s': %s",
                       input->files[i], strerror(errno));
            return false;
        }
        if (kind != INPUT_NONE && kind == kind_of(input, input->files[0])) continue;
        diag_error(input_diag(input), STATUS_USAGE, (Span){0},
                   kind == INPUT_NONE
                       ? "'%s' is not a picture, and its name is not that of a table or array"
                       : "'%s' is of another kind than the first file",
                   input->files[i]);
        diag_help(
            input_diag(input),
            "pictures are PNG, JPEG, WebP and BMP files, or a folder of them; names of other files end in %s; '-' reads a table from standard input",
            reader_endings(input->session->arena));
        return false;
    }
    return true;
}

bool inputs_open(Session *session, GraphKind kind, char *const *files, int count, Inputs *inputs) {
    uint32_t found;
    InputFiles input = {.session = session, .inputs = inputs};
    *inputs = (Inputs){0};
    input.pictures = folders_search(files, count, session->arena, &found, session->build.diag);
    if (!input.pictures) return false;
    input.count = (int)found;
    input.files = ARENA_ARRAY(session->arena, const char *, found);
    for (uint32_t i = 0; i < found; i++) input.files[i] = input.pictures[i].path;
    if (!check_kinds(&input) || !add_reads(&input, GRAPH_PREDICT)) return false;
    input.network_count = input.read_count; /* reads that come later are for labels */
    return (kind == GRAPH_PREDICT || input_add_labels(&input)) && open_files(&input) &&
           session_fit_columns(session) && check_classes(&input);
}
