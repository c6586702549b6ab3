#include "tests/support/equal_programs.h"
#include "codegen/codegen.h"
#include "ir/base/hash.h"
#include "passes/passes.h"
#include "tests/support/results.h"

#include <assert.h>
#include <string.h>

enum { SEED = 7, STEPS = 2 };

/* AddressSanitizer does not look into generated code: there LLVM's optimizations would cost minutes
 * and find nothing. The passes of mlc run at the level of the setting all the same. */
#ifdef __SANITIZE_ADDRESS__
enum { OPTIMIZES = false };
#else
enum { OPTIMIZES = true };
#endif

static Compilation run_passes(Graph *graph, const PassOptions *options, PassId last) {
    Compilation compilation;
    bool done = passes_run(&compilation, graph, options, last);
    assert(done);
    (void)done;
    return compilation;
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

/* The graph in the interpreter, after the passes that define its meaning. */
typedef struct {
    Diagnostics *diag;
    Compilation compilation;
    Program *program;
    RunResults *results;
    uint32_t steps;
} Interpreted;

static Interpreted interpret(MakeGraph *make, const void *context, uint32_t steps) {
    Interpreted i = {.diag = diag_new(), .steps = steps};
    i.compilation = run_passes(make(i.diag, context), &(PassOptions){.threads = 1}, PASS_functions);
    i.program = program_interpret(i.compilation.graph);
    i.results = results_run(i.program, SEED, steps, 1);
    return i;
}

static void interpreted_free(Interpreted *i) {
    results_free(i->results);
    program_free(i->program);
    compilation_free(&i->compilation);
    diag_free(i->diag);
}

static bool equal_results(const Interpreted *expected, const Program *got,
                          const ProgramSetting *setting) {
    RunResults *results = results_run(got, SEED, expected->steps, setting->threads);
    const char *difference =
        results_difference(expected->results, results, setting->gemm ? 1e-5 : 0);
    if (difference)
        fprintf(stderr, "-O%d, %d threads, %s: %s\n", setting->level, setting->threads,
                setting->cpu ? setting->cpu : "host", difference);
    results_free(results);
    return !difference;
}

static bool compiles_to(const Interpreted *expected, MakeGraph *make, const void *context,
                        const ProgramSetting *setting) {
    Diagnostics *diag = diag_new();
    PassOptions full = {
        .level = setting->level, .threads = setting->threads, .external_gemm = setting->gemm};
    Compilation compiled = run_passes(make(diag, context), &full, PASS_COUNT - 1);
    CodegenOptions options = {.level = OPTIMIZES ? setting->level : 0, .cpu = setting->cpu};
    uint64_t seed = setting->tiles;
    TileChooser chooser = {&seed, draw_tile};
    if (seed) options.tiles = &chooser;
    Program *got = codegen_compile(compiled.plan, compiled.graph, &options, diag);
    bool lacks_cpu = !got && setting->cpu && diag_status(diag) == STATUS_USAGE;
    if (!got && !lacks_cpu) diag_print(diag, stderr);
    bool equal = got ? equal_results(expected, got, setting) : lacks_cpu;
    program_free(got);
    diag_free(diag);
    return equal;
}

bool equal_programs(MakeGraph *make, const void *context, const ProgramSetting *setting) {
    Interpreted expected = interpret(make, context, setting->gemm ? 1 : STEPS);
    bool equal = compiles_to(&expected, make, context, setting);
    interpreted_free(&expected);
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
    Interpreted expected = interpret(make, context, STEPS);
    bool equal = true;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && equal; i++)
        equal = compiles_to(&expected, make, context, &settings[i]);
    interpreted_free(&expected);
    return equal;
}
