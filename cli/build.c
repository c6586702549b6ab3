/* From a model file to a compilation. */
#include "cli/build.h"
#include "runtime/runtime.h"

#include <stdlib.h>
#include <string.h>

bool build_open_copy(Build *build, const char *path, const char *folder, const Options *options, Diagnostics *diag) {
    size_t length = 0;
    char *text = file_read(path, &length, STATUS_FILE, diag);
    *build = (Build){.options = options, .diag = diag};
    if (!text) return false;
    ModelOptions model_options = {
        .path = path,
        .folder = folder,
        .text = text,
        .length = length,
        .sets = options->set.items,
        .set_count = options->set.count,
        .schema = dataset_schema,
    };
    build->model = model_load(&model_options, diag);
    build->info = build->model ? model_info(build->model) : NULL;
    free(text);
    return build->model != NULL;
}

bool build_open(Build *build, const char *path, const Options *options, Diagnostics *diag) {
    return build_open_copy(build, path, NULL, options, diag);
}

void build_close(Build *build) {
    model_free(build->model);
    build->model = NULL;
}

int build_threads(const Options *options) {
    return options->threads ? (int)options->threads : threads_online();
}

PassOptions build_pass_options(const Options *options) {
    PassOptions pass_options = {
        .level = (int)options->level,
        .external_gemm = options->gemm == 1,
        .threads = build_threads(options),
    };
    return pass_options;
}

/* $XDG_CACHE_HOME or ~/.cache; "" if neither is known. Relative paths there are to be ignored, says the standard. */
static Path code_folder(void) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/') return path_join(cache, "mlc/code");
    return home && *home == '/' ? path_join(home, ".cache/mlc/code") : (Path){""};
}

CodegenOptions build_codegen_options(const Options *options, Path *cache) {
    *cache = options->no_cache ? (Path){""} : code_folder();
    return (CodegenOptions){.level = (int)options->level,
                            .cpu = options->cpu,
                            .verbose = options->verbose,
                            .cache_folder = *cache->path ? cache->path : NULL};
}

bool build_compilation(const Build *build, GraphKind kind, uint32_t batch, PassId last, Compilation *compilation) {
    *compilation = (Compilation){0};
    Graph *graph = model_graph(build->model, kind, batch, build->diag);
    if (!graph) return false;
    PassOptions options = build_pass_options(build->options);
    if (passes_run(compilation, graph, &options, last)) return true;
    compilation_free(compilation);
    return false;
}

bool build_find_pass(const char *name, PassId *pass, Diagnostics *diag) {
    if (pass_from_name(name, pass)) return true;
    diag_error(diag, STATUS_USAGE, (Span){0}, "there is no pass '%s'", name);
    const char *names[PASS_COUNT];
    for (int i = 0; i < PASS_COUNT; i++) names[i] = pass_name((PassId)i);
    const char *near = diag_nearest(name, names, PASS_COUNT);
    if (near)
        diag_help(diag, "did you mean '%s'?", near);
    else
        diag_help(diag, "'mlc opt --list-passes' lists them");
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
