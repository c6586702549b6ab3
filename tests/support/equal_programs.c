#include "tests/support/equal_programs.h"
#include "codegen/codegen.h"
#include "ir/base/hash.h"
#include "passes/passes.h"
#include "tests/support/results.h"

#include <assert.h>
#include <string.h>

static Compilation run_passes(Graph *graph, const PassOptions *options, PassId last) {
    Compilation compilation;
    bool done = passes_run(&compilation, graph, options, last);
    assert(done);
    (void)done;
    return compilation;
}

static bool equal_results(const Program *expected, const Program *got,
                          const ProgramSetting *setting) {
    uint32_t steps = setting->gemm ? 1 : 2;
    RunResults *a = results_run(expected, 7, steps, 1),
               *b = results_run(got, 7, steps, setting->threads);
    const char *difference = results_difference(a, b, setting->gemm ? 1e-5 : 0);
    if (difference)
        fprintf(stderr, "-O%d, %d threads, %s: %s\n", setting->level, setting->threads,
                setting->cpu ? setting->cpu : "host", difference);
    results_free(a);
    results_free(b);
    return !difference;
}

/* Any tile that the product can take, with any steps. */
static ProductTile draw_tile(void *context, uint32_t kernel, const char *product,
                             const ProductTile *tiles, uint32_t count) {
    const uint64_t *seed = context;
    uint64_t number = hash64(HASH64_START + *seed + kernel, product, strlen(product));
    ProductTile tile = tiles[number % count];
    tile.steps = 1 << (number >> 32) % 4;
    return tile;
}

bool equal_programs(MakeGraph *make, const void *context, const ProgramSetting *setting) {
    Diagnostics *diag = diag_new();
    PassOptions full = {
        .level = setting->level, .threads = setting->threads, .external_gemm = setting->gemm};
    Compilation reference =
        run_passes(make(diag, context), &(PassOptions){.threads = 1}, PASS_functions);
    Compilation compiled = run_passes(make(diag, context), &full, PASS_COUNT - 1);
    CodegenOptions options = {.level = setting->level, .cpu = setting->cpu};
    uint64_t seed = setting->tiles;
    TileChooser chooser = {&seed, draw_tile};
    if (seed) options.tiles = &chooser;
    Program *expected = program_interpret(reference.graph),
            *got = codegen_compile(compiled.plan, compiled.graph, &options, diag);
    bool lacks_cpu = !got && setting->cpu && diag_status(diag) == STATUS_USAGE;
    if (!got && !lacks_cpu) diag_print(diag, stderr);
    bool equal = got ? equal_results(expected, got, setting) : lacks_cpu;
    program_free(got);
    program_free(expected);
    compilation_free(&reference);
    diag_free(diag);
    return equal;
}

bool equal_everywhere(MakeGraph *make, const void *context) {
    static const ProgramSetting settings[] = {
        {.level = 0, .threads = 1},
        {.level = 2, .threads = 1},
        {.level = 3, .threads = 3},
        {.level = 2, .threads = 2, .cpu = "x86-64-v3"},
        {.level = 2, .threads = 1, .cpu = "x86-64-v2"},
        {.level = 2, .threads = 1, .tiles = 1},
        {.level = 2, .threads = 3, .tiles = 2},
        {.level = 2, .threads = 2, .tiles = 3},
        {.level = 2, .threads = 2, .cpu = "x86-64-v3", .tiles = 4}};
    bool equal = true;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && equal; i++)
        equal = equal_programs(make, context, &settings[i]);
    return equal;
}
