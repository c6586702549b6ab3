/* mlc dump-ir: prints a model's graph at any stage of its compilation, down to machine code. */
#include "cli/session/build.h"
#include "cli/session/commands.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool wants_all(const Options *options) {
    return options->after && !strcmp(options->after, "all");
}

static int code_texts(const Options *options) {
    return options->llvm + options->assembly + options->ptx;
}

static bool check_usage(const Options *options, PassId *after, Diagnostics *diag) {
    bool of_graph = options->after || option_given(options, OPTION_format);
    *after = PASS_COUNT - 1;
    if (code_texts(options) + of_graph > 1) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--llvm, --asm, --ptx and the graph (--after, --format) exclude each other");
        return false;
    }
    return !options->after || wants_all(options) || build_find_pass(options->after, after, diag);
}

static void print_graph(const Graph *graph, const Plan *plan, bool dot, FILE *out) {
    if (dot)
        graph_print_dot(graph, out);
    else
        graph_print(graph, out);
    if (plan && !dot) plan_print(plan, out);
}

/* -- --after all: prints each stage that differs from the stage before -- */

typedef struct {
    bool dot;
    char *text; /* the output of the last stage; NULL before the first */
} Stages;

static void print_stage(Stages *stages, const char *title, const Graph *graph, const Plan *plan) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    print_graph(graph, plan, stages->dot, stream.out);
    char *text = memory_stream_end(&stream);
    bool is_same = stages->text && !strcmp(stages->text, text);
    printf("%s %s%s\n", stages->dot ? "//" : "#", title, is_same ? ": nothing changed" : "");
    if (!is_same) printf("%s\n", text);
    free(stages->text);
    stages->text = text;
}

static void print_after(PassId pass, const Compilation *compilation, void *context) {
    char title[64];
    snprintf(title, sizeof title, "after %s", pass_name(pass));
    print_stage(context, title, compilation->graph, compilation->plan);
}

static bool print_all(const Build *build, GraphKind kind) {
    Graph *graph = model_graph(build->model, kind, model_batch(build->info, kind), build->diag);
    if (!graph) return false;
    Stages stages = {.dot = build->given->format == CHOICE_format_dot};
    PassOptions options = build_pass_options(&build->options);
    options.after = print_after;
    options.context = &stages;
    print_stage(&stages, "before all passes", graph, NULL);
    Compilation compilation;
    bool good = passes_run(&compilation, graph, &options, PASS_COUNT - 1);
    compilation_free(&compilation);
    free(stages.text);
    return good;
}

static bool print_ptx(const Plan *plan, const CodegenOptions *codegen, Diagnostics *diag) {
    char *text = codegen_ptx(plan, codegen, diag);
    if (text) fputs(text, stdout);
    free(text);
    return text != NULL;
}

static bool print_code(const Build *build, const Plan *plan) {
    const Options *options = build->given;
    Path cache;
    CodegenOptions codegen = build_codegen_options(&build->options, &cache);
    if (options->ptx) {
        codegen.gpu = options->cpu ? options->cpu : "sm_80";
        codegen.cpu = NULL;
        return print_ptx(plan, &codegen, build->diag);
    }
    return codegen_print(plan, &codegen, options->llvm ? CODEGEN_LLVM : CODEGEN_ASM, stdout,
                         build->diag);
}

static bool print_compiled(const Build *build, GraphKind kind, PassId after) {
    const Options *options = build->given;
    Compilation compilation;
    if (!build_compilation(build, kind, model_batch(build->info, kind), after, &compilation))
        return false;
    bool good = true;
    if (code_texts(options))
        good = print_code(build, compilation.plan);
    else
        print_graph(compilation.graph, compilation.plan, options->format == CHOICE_format_dot,
                    stdout);
    compilation_free(&compilation);
    return good;
}

static bool print_model(const Build *build, PassId after) {
    const Options *options = build->given;
    GraphKind kind = options_graph_kind(options);
    if (wants_all(options)) return print_all(build, kind);
    if (options->after || code_texts(options)) return print_compiled(build, kind, after);
    Graph *graph = model_graph(build->model, kind, model_batch(build->info, kind), build->diag);
    if (graph) print_graph(graph, NULL, options->format == CHOICE_format_dot, stdout);
    graph_free(graph);
    return graph != NULL;
}

Status command_dump_ir(const Options *given, Diagnostics *diag) {
    PassId after;
    Build build;
    if (!check_usage(given, &after, diag)) return STATUS_USAGE;
    bool printed = build_open(&build, given->operands[0], given, diag);
    build.options.on_device = given->ptx;
    printed = printed && print_model(&build, after);
    build_close(&build);
    return diag_outcome(diag, printed);
}
