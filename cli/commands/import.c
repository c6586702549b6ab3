/* mlc import: makes a model of another program's network, and a run that predicts with its
 * weights. */
#include "cli/session/commands.h"
#include "cli/session/build.h"
#include "cli/text/terminal.h"
#include "onnx/import.h"
#include "runtime/data/schema_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMPORT_MODEL "net.mdl"
#define IMPORT_WEIGHTS "net.safetensors"

typedef struct {
    const Options *options; /* the options of the command */
    Diagnostics *diag;
    Arena *arena;
    Path folder, work; /* work: a folder beside it, until everything is written */
    Imported imported;
    Build build;
    States *states;
} Importing;

static const char *const written[] = {IMPORT_MODEL, IMPORT_WEIGHTS, RUN_MODEL, RUN_LAST};
enum { WRITTEN = sizeof written / sizeof *written };

/* "net" for "models/net.onnx": the folder is made in the current one. */
static Path standard_folder(const char *file) {
    Path folder;
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    snprintf(folder.path, sizeof folder.path, "%s", name);
    char *dot = strrchr(folder.path, '.');
    if (dot && dot != folder.path) *dot = 0;
    return folder;
}

static bool make_work_folder(Importing *importing) {
    const char *given = importing->options->folder, *file = importing->options->operands[0];
    importing->folder = standard_folder(file);
    if (given) snprintf(importing->folder.path, sizeof importing->folder.path, "%s", given);
    size_t length = strlen(importing->folder.path);
    while (length > 1 && importing->folder.path[length - 1] == '/')
        importing->folder.path[--length] = 0;
    if (!run_can_create(importing->folder.path, importing->diag)) return false;
    int printed = snprintf(importing->work.path, sizeof importing->work.path, "%s.%ld.tmp",
                           importing->folder.path, (long)getpid());
    bool fits = printed > 0 && (size_t)printed < sizeof importing->work.path;
    if (!fits) errno = ENAMETOOLONG;
    if (fits && mkdir(importing->work.path, 0777) == 0) return true;
    diag_error(importing->diag, STATUS_FILE, (Span){0}, "cannot make the folder '%s': %s",
               importing->work.path, strerror(errno));
    *importing->work.path = 0;
    return false;
}

/* The model is checked as any other: it must have the weights of the file, each in its shape. */
static bool load_model(Importing *importing) {
    Path path = path_join(importing->work.path, IMPORT_MODEL);
    const char *text = importing->imported.text;
    static const BuildOptions none;
    if (!file_write(path.path, text, strlen(text), importing->diag)) return false;
    if (build_load(&importing->build, path.path, importing->folder.path,
                   &importing->imported.schema, &none, importing->diag))
        return true;
    diag_help(importing->diag, "the file has what the language does not allow there");
    return false;
}

static bool fill_states(Importing *importing) {
    Graph *graph = model_graph(importing->build.model, GRAPH_PREDICT, 1, importing->diag);
    bool good = graph != NULL;
    importing->states = states_new();
    if (good) states_keep(importing->states, graph);
    states_initialize(importing->states, 0);
    for (uint32_t i = 0; good && i < states_count(importing->states); i++) {
        const Symbol *symbol = states_symbol(importing->states, i);
        const ImportedWeight *weight = NULL;
        for (uint32_t k = 0; k < importing->imported.weight_count && !weight; k++)
            if (!strcmp(importing->imported.weights[k].name, symbol->name))
                weight = &importing->imported.weights[k];
        if (!weight || symbol->dtype != DTYPE_F32 || !shape_equal(weight->shape, symbol->shape))
            diag_bug("the imported model has no value for '%s'", symbol->name);
        states_write(importing->states, symbol->name, weight->data);
    }
    graph_free(graph);
    return good;
}

/* Writes the weights as a checkpoint before the first epoch, so that the folder is a run. */
static bool write_weights(Importing *importing) {
    CheckpointInfo info = {.best = NAN, .gained = NAN};
    char *schema = schema_write(&importing->imported.schema);
    Path path = path_join(importing->work.path, IMPORT_WEIGHTS);
    Path last = path_join(importing->work.path, RUN_LAST);
    memset(info.data_digest, '0', sizeof info.data_digest - 1); /* the weights belong to no data */
    info.schema = schema;
    bool good = build_hash_model(&importing->build, info.model_hash) &&
                checkpoint_save(path.path, importing->states, &info, importing->diag) &&
                (link(path.path, last.path) == 0 ||
                 checkpoint_save(last.path, importing->states, &info, importing->diag));
    free(schema);
    return good;
}

static bool put_in_place(Importing *importing) {
    if (rename(importing->work.path, importing->folder.path) == 0) {
        *importing->work.path = 0;
        return true;
    }
    diag_error(importing->diag, STATUS_FILE, (Span){0}, "cannot make the folder '%s': %s",
               importing->folder.path, strerror(errno));
    return false;
}

static void print_result(const Importing *importing) {
    const Imported *imported = &importing->imported;
    const char *folder = importing->folder.path;
    char numbers[NUMBER_TEXT];
    int64_t weights = 0;
    for (uint32_t i = 0; i < imported->weight_count; i++)
        weights += shape_elements(imported->weights[i].shape);
    printf("%s/" IMPORT_MODEL ": %u layer%s, %s weights in %s/" IMPORT_WEIGHTS "\n", folder,
           imported->layers, imported->layers == 1 ? "" : "s", text_count(numbers, weights),
           folder);
    for (uint32_t i = 0; i < imported->notes.count; i++)
        fprintf(stderr, "note: %s\n", imported->notes.items[i]);
    if (importing->options->quiet) return;
    fprintf(stderr, "to predict: mlc predict %s FILE\n", folder);
    fprintf(stderr,
            "to train on: fill in the data block of %s/" IMPORT_MODEL
            ", then mlc train %s/" IMPORT_MODEL "\n",
            folder, folder);
}

Status command_import(const Options *given, Diagnostics *diag) {
    Importing importing = {.options = given, .diag = diag, .arena = arena_new()};
    bool good = onnx_import(given->operands[0], given->axis.items, given->axis.count,
                            importing.arena, &importing.imported, diag) &&
                make_work_folder(&importing) && load_model(&importing) && fill_states(&importing) &&
                run_write_model(&importing.build, importing.work.path) &&
                write_weights(&importing) && put_in_place(&importing);
    if (good) print_result(&importing);
    if (*importing.work.path) {
        for (int i = 0; i < WRITTEN; i++) unlink(path_join(importing.work.path, written[i]).path);
        rmdir(importing.work.path);
    }
    states_free(importing.states);
    build_close(&importing.build);
    arena_free(importing.arena);
    return diag_outcome(diag, good);
}
