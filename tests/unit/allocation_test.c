/* Between the first and the last step of an epoch nothing is allocated. The linker redirects the
 * allocating functions of all libraries to counters here (see CMakeLists.txt). A wrapper around the
 * compiled programs reads the counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/codegen.h"
#include "passes/passes.h"
#include "runtime/train/train.h"
#include "temporary.h"
#include "tests/support/mlp_graph.h"

#include <stdatomic.h>

/* -- the counters -- */

static atomic_int allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t bytes) {
    atomic_fetch_add(&allocations, 1);
    return __real_malloc(bytes);
}
void *__wrap_calloc(size_t count, size_t bytes) {
    atomic_fetch_add(&allocations, 1);
    return __real_calloc(count, bytes);
}
void *__wrap_realloc(void *memory, size_t bytes) {
    atomic_fetch_add(&allocations, 1);
    return __real_realloc(memory, bytes);
}
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
    atomic_fetch_add(&allocations, 1);
    return __real_aligned_alloc(alignment, bytes);
}
char *__wrap_strdup(const char *text) {
    atomic_fetch_add(&allocations, 1);
    return __real_strdup(text);
}

/* -- data and programs -- */

enum { ROWS = 45, PIXELS = 9, CLASSES = 4, BATCH = 8, STEPS = 6, EPOCHS = 3, THREADS = 2 };

static Dataset *open_data(Diagnostics *diag) {
    uint8_t images[ROWS * PIXELS], labels[ROWS], bytes[16 + sizeof images];
    for (int i = 0; i < ROWS * PIXELS; i++) images[i] = (uint8_t)(i * 37 % 251);
    for (int i = 0; i < ROWS; i++) labels[i] = (uint8_t)(i % CLASSES);
    temporary_write("images", bytes, idx_bytes(bytes, 2, (int[]){ROWS, PIXELS}, images));
    temporary_write("labels", bytes, idx_bytes(bytes, 1, (int[]){ROWS}, labels));
    const SourceArg args[] = {{.name = "", .kind = SOURCE_ARG_STRING, .text = "images"},
                              {.name = "", .kind = SOURCE_ARG_STRING, .text = "labels"}};
    DataSource source = {.reader = "idx", .folder = temporary_folder, .args = args, .arg_count = 2};
    return dataset_open(&source, &(SplitRequest){.seed = 5}, diag);
}

/* The number of allocations so far when each step reached its last kernel. */
typedef struct {
    int at[EPOCHS * STEPS], count;
} StepCounts;
static StepCounts steps;
static void (*run_compiled)(const Program *program, const StepArgs *args, uint32_t kernel,
                            int64_t first, int64_t last);

static void run_counted(const Program *program, const StepArgs *args, uint32_t kernel,
                        int64_t first, int64_t last) {
    /* The last kernel marks a step: the first one may be replicated, so that all threads run it. */
    bool begins = kernel + 1 == program->kernel_count && first == 0;
    if (begins && steps.count < EPOCHS * STEPS) steps.at[steps.count++] = atomic_load(&allocations);
    run_compiled(program, args, kernel, first, last);
}

static Program *compile(int64_t batch, Diagnostics *diag) {
    MlpShape shape = {
        .batch = batch, .widths = (int64_t[]){PIXELS, 16, CLASSES}, .layers = 2, .train = true};
    Compilation compilation = {0};
    PassOptions options = {.level = 2, .threads = -THREADS};
    Graph *graph = mlp_graph(&shape, diag);
    /* random moments cannot be used: a moment of squares must not be negative */
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (!graph->symbols[i].trainable) graph->symbols[i].init = (Init){0};
    assert_true(passes_run(&compilation, graph, &options, PASS_COUNT - 1));
    Program *program =
        codegen_compile(compilation.plan, compilation.graph, &(CodegenOptions){.level = 2}, diag);
    assert_non_null(program);
    run_compiled = program->run;
    program->run = run_counted;
    return program;
}

static void no_allocation_between_steps(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Dataset *dataset = open_data(diag);
    assert_non_null(dataset);
    Program *full = compile(BATCH, diag), *last = compile(ROWS % BATCH, diag);
    States *states = states_new();
    assert_true(states_bind(states, full, diag) && states_bind(states, last, diag));
    Threads *threads = threads_new(THREADS);
    TrainOptions options = {.dataset = dataset,
                            .states = states,
                            .threads = threads,
                            .train = {.full = full, .last = last, .batch = BATCH},
                            .epochs = EPOCHS,
                            .seed = 3,
                            .shuffle = true,
                            .model_hash = ""};
    TrainResult result = train(&options, &(TrainEvents){0}, diag);
    diag_print(diag, stderr);
    assert_int_equal(result, TRAIN_DONE);
    assert_int_equal(steps.count, EPOCHS * STEPS);
    assert_true(steps.at[0] > 0); /* shows that the counters work */
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (int step = 1; step < STEPS; step++)
            assert_int_equal(steps.at[epoch * STEPS + step], steps.at[epoch * STEPS]);
    threads_free(threads);
    states_free(states);
    program_free(full);
    program_free(last);
    dataset_free(dataset);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        no_allocation_between_steps, temporary_set_up, temporary_tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
