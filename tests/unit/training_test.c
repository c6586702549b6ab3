/* A whole training against PyTorch's. tests/truth/training.mdl combines augmentation, dropout, a
 * running mean, a smaller last batch, accumulated and clipped gradients, a schedule, class weights
 * and metrics over a split. It is compiled and interpreted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/codegen.h"
#include "frontend/model/model.h"
#include "passes/passes.h"
#include "runtime/train/train.h"
#include "temporary.h"

#include <math.h>

enum {
    SEED = 42,
    TRAIN = 53,
    TEST = 21,
    SIDE = 8,
    CLASSES = 4,
    THREADS = 2,
    EPOCHS = 4,
    NUMBERS = 9,
    VALUES = NUMBERS + CLASSES * CLASSES
};
typedef enum { JIT, REFERENCE } TrainingBackend;

/* -- data -- */

static void write_rows(const char *images_name, const char *labels_name, int first, int rows) {
    static uint8_t images[TRAIN * SIDE * SIDE], bytes[16 + sizeof images];
    uint8_t labels[TRAIN];
    for (int i = 0; i < rows * SIDE * SIDE; i++)
        images[i] =
            (uint8_t)(random_bits(SEED, STREAM_INPUT, 10, (uint64_t)(first * SIDE * SIDE + i)) >>
                      24);
    for (int i = 0; i < rows; i++)
        labels[i] = (uint8_t)(random_bits(SEED, STREAM_INPUT, 11, (uint64_t)(first + i)) % CLASSES);
    temporary_write(images_name, bytes, idx_bytes(bytes, 3, (int[]){rows, SIDE, SIDE}, images));
    temporary_write(labels_name, bytes, idx_bytes(bytes, 1, (int[]){rows}, labels));
}

/* -- the model -- */

typedef struct {
    Model *model;
    TrainingBackend backend;
    Diagnostics *diag;
    Compilation interpreted[4]; /* for the interpreter; machine code has its own */
    Program *programs[4];
    int count;
} Setup;

static Model *load_model(Diagnostics *diag) {
    char text[4096] = "";
    FILE *file = fopen(MLC_SOURCE_DIR "/tests/truth/training.mdl", "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    ModelOptions options = {.path = "training.mdl",
                            .folder = temporary_folder,
                            .text = text,
                            .length = length,
                            .schema = dataset_schema};
    Model *model = model_load(&options, diag);
    diag_print(diag, stderr);
    assert_non_null(model);
    return model;
}

static const Program *compile(Setup *setup, GraphKind kind, int64_t rows) {
    if (rows == 0) return NULL;
    Compilation *compilation = &setup->interpreted[setup->count];
    PassOptions options = {.level = 2, .threads = -THREADS};
    Graph *graph = model_graph(setup->model, kind, (uint32_t)rows, setup->diag);
    assert_true(passes_run(compilation, graph, &options,
                           setup->backend == JIT ? PASS_COUNT - 1 : PASS_dce));
    Program *program = setup->backend == JIT
                           ? codegen_compile(compilation->plan, compilation->graph,
                                             &(CodegenOptions){.level = 2}, setup->diag)
                           : program_interpret(compilation->graph);
    if (setup->backend == JIT) *compilation = (Compilation){0};
    return setup->programs[setup->count++] = program;
}

static SplitPrograms split_programs(Setup *setup, GraphKind kind, int64_t rows) {
    uint32_t batch = model_info(setup->model)->batch;
    const Program *full = compile(setup, kind, batch);
    return (SplitPrograms){
        .full = full, .last = compile(setup, kind, rows % batch), .batch = batch};
}

static void close_setup(Setup *setup) {
    for (int i = 0; i < setup->count; i++) program_free(setup->programs[i]);
    for (int i = 0; i < setup->count; i++) compilation_free(&setup->interpreted[i]);
    model_free(setup->model);
}

/* -- the comparison -- */

/* train loss, test loss, the seven numbers and the matrix of the metrics */
static double found[EPOCHS + 1][VALUES];

static void on_epoch(void *context, uint32_t epoch, double train_loss, double seconds, int64_t rows,
                     const Evaluation *valid, const Evaluation *test) {
    (void)context, (void)seconds, (void)rows;
    assert_null(valid);
    found[epoch][0] = train_loss;
    found[epoch][1] = test->loss;
    memcpy(&found[epoch][2], test->metrics, (NUMBERS - 2) * sizeof(double));
    memcpy(&found[epoch][NUMBERS], test->counts[NUMBERS - 2], CLASSES * CLASSES * sizeof(double));
}

static void compare_with_pytorch(void) {
    FILE *file = fopen(MLC_SOURCE_DIR "/tests/truth/training.txt", "r");
    char line[256];
    assert_non_null(file);
    /* The first line names the script that made the file. */
    assert_non_null(fgets(line, sizeof line, file));
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        assert_int_equal(fscanf(file, " %8s", line), 1);
        for (int i = 0; i < VALUES; i++) {
            double expected, got = found[epoch][i];
            assert_int_equal(fscanf(file, "%lf", &expected), 1);
            if (!(fabs(got - expected) <= 1e-5 * fabs(expected)))
                fail_msg("epoch %d, value %d: %.9g, PyTorch %.9g", epoch, i, got, expected);
        }
    }
    fclose(file);
}

static void train_with(TrainingBackend backend) {
    Setup setup = {.backend = backend, .diag = diag_new()};
    write_rows("images", "labels", 0, TRAIN);
    write_rows("test_images", "test_labels", TRAIN, TEST);
    setup.model = load_model(setup.diag);
    const ModelInfo *info = model_info(setup.model);
    Dataset *dataset = dataset_open(&info->source, &(SplitRequest){0}, setup.diag);
    Graph *finish = model_graph(setup.model, GRAPH_METRICS, info->batch, setup.diag);
    TrainOptions options = {.dataset = dataset,
                            .states = states_new(),
                            .threads = threads_new(backend == JIT ? THREADS : 1),
                            .train = split_programs(&setup, GRAPH_TRAIN, TRAIN),
                            .test = split_programs(&setup, GRAPH_EVAL, TEST),
                            .metrics = {info->metrics, info->metric_count, finish},
                            .epochs = info->epochs,
                            .accumulate = info->accumulate,
                            .seed = info->seed,
                            .shuffle = info->shuffle};
    for (int i = 0; i < setup.count; i++)
        assert_true(states_bind(options.states, setup.programs[i], setup.diag));
    assert_int_equal(train(&options, &(TrainEvents){.epoch = on_epoch}, setup.diag), TRAIN_DONE);
    compare_with_pytorch();
    threads_free(options.threads);
    states_free(options.states);
    graph_free(finish);
    close_setup(&setup);
    dataset_free(dataset);
    diag_free(setup.diag);
}

static void compiled_training_agrees_with_pytorch(void **state) {
    (void)state;
    train_with(JIT);
}

static void interpreted_training_agrees_with_pytorch(void **state) {
    (void)state;
    train_with(REFERENCE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(compiled_training_agrees_with_pytorch, temporary_set_up,
                                        temporary_tear_down),
        cmocka_unit_test_setup_teardown(interpreted_training_agrees_with_pytorch, temporary_set_up,
                                        temporary_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
