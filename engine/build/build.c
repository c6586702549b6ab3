/* From a model file to a compilation. */
#include "engine/build/build.h"
#include "runtime/formats/hash.h"
#include "runtime/threads/threads.h"

#include <stdlib.h>
#include <string.h>

static Model *load(const Build *build, const char *const *sets, uint32_t set_count) {
    ModelOptions options = {
        .path = build->path.path,
        .folder = build->folder.path,
        .text = build->text,
        .length = build->length,
        .sets = sets,
        .set_count = set_count,
        .read = file_read_plain,
        .like = build->like,
        .schema = data_cache_schema,
        .classes = data_cache_classes,
        .schema_context = build->data_cache,
        .weights_given = build->options.given_weights,
        .rates_from = build->options.tries_rates ? RATES_FROM : 0,
        .rates_to = build->options.tries_rates ? RATES_TO : 0,
    };
    return model_load(&options, build->diag);
}

/* build: with options, diag, like and data_cache */
static bool open_file(Build *build, const char *path, const char *folder) {
    const BuildOptions *options = &build->options;
    snprintf(build->path.path, sizeof build->path.path, "%s", path);
    snprintf(build->folder.path, sizeof build->folder.path, "%s", folder);
    build->text = file_read(path, &build->length, STATUS_FILE, build->diag);
    build->model = build->text ? load(build, options->sets, options->set_count) : NULL;
    build->info = build->model ? model_info(build->model) : NULL;
    return build->model != NULL;
}

bool build_load(Build *build, const char *path, const char *folder, const SourceSchema *like,
                const BuildOptions *options, Diagnostics *diag) {
    *build =
        (Build){.options = *options, .diag = diag, .like = like, .data_cache = data_cache_new()};
    return open_file(build, path, folder);
}

bool build_load_shared(Build *build, const char *path, const char *folder, DataCache *data,
                       const BuildOptions *options, Diagnostics *diag) {
    *build = (Build){.options = *options, .diag = diag, .data_cache = data_cache_share(data)};
    return open_file(build, path, folder);
}

void build_close(Build *build) {
    device_close(build->device);
    model_free(build->model);
    data_cache_free(build->data_cache);
    free(build->text);
    *build = (Build){0};
}

/* "train.epochs=3", perhaps with spaces around the sign */
static bool sets_epochs(const char *text) {
    static const char name[] = "train.epochs";
    size_t length = sizeof name - 1;
    return !strncmp(text, name, length) && text[length + strspn(text + length, " ")] == '=';
}

bool build_hash_model(const Build *build, char hash[65]) {
    const BuildOptions *options = &build->options;
    const char **sets = memory_array(options->set_count + 1, sizeof *sets, "the settings");
    uint32_t count = 0;
    for (uint32_t i = 0; i < options->set_count; i++)
        if (!sets_epochs(options->sets[i])) sets[count++] = options->sets[i];
    sets[count++] = "train.epochs=1";
    Model *model = load(build, sets, count);
    free(sets);
    if (model) blake3_hex(model_info(model)->resolved, strlen(model_info(model)->resolved), hash);
    model_free(model);
    return model != NULL;
}

int build_threads(const BuildOptions *options) {
    return options->threads ? options->threads : threads_online();
}

PassOptions build_pass_options(const BuildOptions *options) {
    PassOptions pass_options = {
        .level = options->level,
        .external_gemm = options->external_gemm,
        .no_vectors = options->no_vectors,
        .on_gpu = options->on_device,
        .threads = build_threads(options),
    };
    return pass_options;
}

/* mlc/code in $XDG_CACHE_HOME or ~/.cache; "" if neither is known. The XDG standard says to ignore
 * relative paths. */
static Path code_folder(void) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/') return path_join(cache, "mlc/code");
    return home && *home == '/' ? path_join(home, ".cache/mlc/code") : (Path){""};
}

CodegenOptions build_codegen_options(const BuildOptions *options, Path *cache) {
    *cache = options->no_cache ? (Path){""} : code_folder();
    return (CodegenOptions){.level = options->level,
                            .cpu = options->cpu,
                            .verbose = options->verbose,
                            .cache_folder = *cache->path ? cache->path : NULL};
}

Graph *build_graph(const Build *build, GraphKind kind, uint32_t batch) {
    Graph *graph = model_graph(build->model, kind, batch, build->diag);
    return graph && build->rewrite ? build->rewrite(build->rewrite_context, graph) : graph;
}

bool build_compilation(const Build *build, GraphKind kind, uint32_t batch, PassId last,
                       Compilation *compilation) {
    *compilation = (Compilation){0};
    Graph *graph = build_graph(build, kind, batch);
    if (!graph) return false;
    PassOptions options = build_pass_options(&build->options);
    if (passes_run(compilation, graph, &options, last)) return true;
    compilation_free(compilation);
    return false;
}

int64_t graph_state_bytes(const Graph *graph, bool trainable) {
    int64_t bytes = 0;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE && symbol->trainable == trainable)
            bytes += shape_elements(symbol->shape) * (int64_t)dtype_bytes(symbol->dtype);
    }
    return bytes;
}
