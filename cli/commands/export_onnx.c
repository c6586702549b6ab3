/* mlc export RUN --to net.onnx: the graph of the predictions with its weights. */
#include "cli/commands/exporting.h"
#include "cli/results/confusion.h"
#include "cli/results/journal.h"
#include "cli/text/terminal.h"

#include <stdlib.h>
#include <string.h>

/* "fitted:y.standardize.mean" */
static const float *fitted_values(const OnnxFile *file, const char *name) {
    const char *part = strrchr(name, '.');
    bool deviation = !strcmp(part, ".deviation");
    for (uint32_t i = 0; i < file->wanted.fitted_count; i++) {
        const ExportFitted *fitted = &file->wanted.fitted[i];
        size_t length = strlen(fitted->name);
        if (length != (size_t)(part - name) || strncmp(name, fitted->name, length)) continue;
        int64_t count = shape_elements(fitted->row);
        float *values = ARENA_ARRAY(file->arena, float, count);
        for (int64_t k = 0; k < count; k++)
            values[k] = (float)(deviation ? fitted->deviation : fitted->values)[k];
        return values;
    }
    diag_bug("nothing is known of '%s'", name);
}

static const void *state_values(void *context, const char *name) {
    const OnnxFile *file = context;
    size_t prefix = strlen(UNITS_FITTED ":");
    if (!strncmp(name, UNITS_FITTED ":", prefix)) return fitted_values(file, name + prefix);
    const Symbol *symbol = states_find(file->exporting->session.states, name);
    void *values = arena_alloc(file->arena,
                               (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype));
    states_read(file->exporting->session.states, name, values);
    return values;
}

/* -- the batch -- */

/* Pairs of row counts that are unlikely sizes of a network: a size that is equal by chance would be
 * taken for the batch. Larger pairs come first; they may give more than 2^31 elements. */
static const uint32_t row_counts[][2] = {{509, 521}, {127, 131}, {31, 37}};

/* Frees the graphs for both numbers of rows. */
static void free_graphs(OnnxFile *file) {
    graph_free(file->graph);
    graph_free(file->other);
    file->graph = file->other = NULL;
}

/* Builds the graph for two numbers of rows; true if the graphs differ in nothing else. */
static bool build_free(OnnxFile *file, const uint32_t rows[2], Span *differs) {
    const Model *model = file->exporting->session.build.model;
    Diagnostics *quiet = diag_new();
    free_graphs(file);
    file->graph = model_graph(model, GRAPH_PREDICT, rows[0], quiet);
    file->other = model_graph(model, GRAPH_PREDICT, rows[1], quiet);
    bool good = file->graph && file->other && export_units(file, file->graph, rows[0], quiet) &&
                export_units(file, file->other, rows[1], quiet) &&
                onnx_rows_free(file->graph, file->other, file->arena, differs);
    if (file->graph) file->graph->diag = file->exporting->diag;
    diag_free(quiet);
    return good;
}

/* If the network does not depend on the size of the batch, the file has any batch size; else that
 * of the training. */
static bool build_graphs(OnnxFile *file) {
    const Build *build = &file->exporting->session.build;
    Span differs = {0};
    for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts; i++)
        if (build_free(file, row_counts[i], &differs)) return true;
    free_graphs(file);
    diag_warning(build->diag, differs,
                 "the batch of the ONNX file has %u rows: here the network "
                 "depends on their number",
                 build->info->batch);
    file->graph = model_graph(build->model, GRAPH_PREDICT, build->info->batch, build->diag);
    return file->graph && export_units(file, file->graph, build->info->batch, build->diag);
}

/* -- the metadata of the file -- */

static void add_text(OnnxFile *file, const char *key, const char *value) {
    ARENA_ROOM(file->arena, file->entries, file->wanted.entry_count, file->entry_capacity);
    file->wanted.entries = file->entries;
    file->entries[file->wanted.entry_count++] = (ExportEntry){key, value};
}

void export_entry(OnnxFile *file, const char *key, json_t *value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    if (text) add_text(file, key, arena_copy_string(file->arena, text, strlen(text)));
    free(text);
    json_decref(value);
}

/* The names of an output's classes as JSON; nothing if they are only numbers. */
static void add_classes(OnnxFile *file, const ModelOutput *output, int64_t width) {
    const SourceSchema *schema = &file->exporting->session.build.info->schema;
    char number[NUMBER_TEXT];
    json_t *names = json_array();
    bool named = false;
    for (int32_t i = 0; i < width; i++) {
        const char *name = class_name(schema, output->label, i, number);
        named |= name != number;
        json_array_append_new(names, json_text(name));
    }
    if (named)
        export_entry(file, arena_format(file->arena, "%s.classes", output->name), names);
    else
        json_decref(names);
}

static void list_entries(OnnxFile *file) {
    const Build *build = &file->exporting->session.build;
    const Graph *graph = file->graph;
    char *hash = arena_alloc(file->arena, 65);
    if (build_hash_model(build, hash)) add_text(file, "model_hash", hash);
    add_text(file, "precision",
             "f32; answers agree with mlc predict to about 1e-6 of the largest, not to the bit");
    for (uint32_t i = 0; i < build->info->output_count && !file->exporting->options->training;
         i++) {
        const ModelOutput *output = &build->info->outputs[i];
        Shape shape = graph_node(graph, graph->outputs[i].node)->shape;
        if (output->classes) add_classes(file, output, output->is_binary ? 2 : shape.dim[1]);
    }
}

/* -- the file -- */

static bool write_file(const OnnxFile *file) {
    Exported exported;
    char numbers[NUMBER_TEXT];
    const Exporting *exporting = file->exporting;
    const char *path = exporting->options->to;
    bool good = onnx_export(&file->wanted, file->arena, &exported, exporting->diag) &&
                file_write(path, exported.bytes, exported.length, exporting->diag);
    if (good)
        printf("%s: %u nodes, %u tensors, %s bytes, opset %d\n", path, exported.nodes,
               exported.tensors, text_count(numbers, (int64_t)exported.length), exported.opset);
    free(exported.bytes);
    return good;
}

bool export_onnx(const Exporting *exporting) {
    OnnxFile file = {.exporting = exporting, .arena = exporting->session.arena};
    bool good = exporting->options->training ? export_training(&file) : build_graphs(&file);
    file.wanted.graph = file.graph;
    file.wanted.other = file.other;
    file.wanted.state = state_values;
    file.wanted.context = &file;
    file.wanted.name = exporting->session.build.info->name;
    good = good && export_inputs(&file);
    if (good) list_entries(&file);
    good = good && write_file(&file);
    free_graphs(&file);
    return good;
}
