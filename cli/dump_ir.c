/* mlc dump-ir: a model's graph at any stage of its compilation, down to machine code. */
#include "cli/build.h"
#include "cli/commands.h"

static bool check_usage(const Options *options, PassId *after, Diagnostics *diag) {
    bool code = options->llvm || options->assembly;
    *after = PASS_COUNT - 1;
    if ((options->llvm && options->assembly) || (code && (options->after || option_given(options, OPTION_format)))) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "--llvm, --asm and the graph (--after, --format) exclude each other");
        return false;
    }
    return !options->after || build_find_pass(options->after, after, diag);
}

static void print_graph(const Graph *graph, const Plan *plan, bool dot) {
    if (dot)
        graph_print_dot(graph, stdout);
    else
        graph_print(graph, stdout);
    if (plan && !dot) plan_print(plan, stdout);
}

static void print_lowered(const Build *build, GraphKind kind, bool dot) {
    Graph *graph = model_graph(build->model, kind, build->info->batch, build->diag);
    if (graph) print_graph(graph, NULL, dot);
    graph_free(graph);
}

static void print_compiled(const Build *build, GraphKind kind, PassId after) {
    const Options *options = build->options;
    Compilation compilation;
    if (!build_compilation(build, kind, build->info->batch, after, &compilation)) return;
    if (options->llvm || options->assembly) {
        Path cache;
        CodegenOptions codegen = build_codegen_options(options, &cache);
        codegen_print(compilation.plan, &codegen, options->llvm ? CODEGEN_LLVM : CODEGEN_ASM, stdout, build->diag);
    } else {
        print_graph(compilation.graph, compilation.plan, options->format == 1);
    }
    compilation_free(&compilation);
}

Status command_dump_ir(const Options *given, Diagnostics *diag) {
    PassId after;
    Build build;
    if (!check_usage(given, &after, diag)) return STATUS_USAGE;
    if (build_open(&build, given->operands[0], given, diag)) {
        bool lowered = !given->after && !given->llvm && !given->assembly;
        if (lowered)
            print_lowered(&build, (GraphKind)given->kind, given->format == 1);
        else
            print_compiled(&build, (GraphKind)given->kind, after);
    }
    build_close(&build);
    return diag_status(diag);
}
