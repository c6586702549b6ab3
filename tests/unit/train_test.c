/* The training loop, on a small model in the interpreter: it learns, the bits do not depend on
 * threads, stops and kills, and a failure is reported with the right operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/train/train.h"
#include "temporary.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

enum { TRAIN = 45, TEST = 11, SIDE = 3, PIXELS = SIDE * SIDE, BATCH = 8, EPOCHS = 3 };

/* label = first pixel's bit * 2 + second pixel's bit, which can be learnt. */
static void make_data(void) {
    static uint8_t images[TRAIN * PIXELS], labels[TRAIN], bytes[16 + sizeof images];
    for (int i = 0; i < TRAIN; i++) {
        for (int j = 0; j < PIXELS; j++)
            images[i * PIXELS + j] = (uint8_t)((i * 37 + j * j * 11 + i * j * 3) % 256);
        labels[i] = (uint8_t)((images[i * PIXELS] > 127) * 2 + (images[i * PIXELS + 1] > 127));
    }
    temporary_write("images", bytes, idx_bytes(bytes, 3, (int[]){TRAIN, SIDE, SIDE}, images));
    temporary_write("labels", bytes, idx_bytes(bytes, 1, (int[]){TRAIN}, labels));
    temporary_write("test-images", bytes, idx_bytes(bytes, 3, (int[]){TEST, SIDE, SIDE}, images));
    temporary_write("test-labels", bytes, idx_bytes(bytes, 1, (int[]){TEST}, labels));
}

static Dataset *open_data(int64_t valid, Diagnostics *diag) {
    const SourceArg args[] = {
        {.name = "", .kind = SOURCE_ARG_STRING, .text = "images"},
        {.name = "", .kind = SOURCE_ARG_STRING, .text = "labels"},
        {.name = "test_images", .kind = SOURCE_ARG_STRING, .text = "test-images"},
        {.name = "test_labels", .kind = SOURCE_ARG_STRING, .text = "test-labels"}};
    DataSource source = {.reader = "idx", .folder = temporary_folder, .args = args, .arg_count = 4};
    return dataset_open(
        &source, &(SplitRequest){.valid = {.is_count = true, .amount = (double)valid}, .seed = 5},
        diag);
}

/* -- the model: prediction = image @ w, least squares, gradient descent whose rate falls with the
 * step -- */

typedef struct {
    NodeId image, error, loss;
} ForwardRun;

static ForwardRun forward(Graph *graph, NodeId w, int64_t batch, Span span) {
    Shape pixels = shape_of(2, (int64_t[]){batch, PIXELS}), rows = shape_of(1, (int64_t[]){batch});
    NodeId image = graph_input(graph, SYMBOL_BATCH, "image", DTYPE_U8,
                               shape_of(4, (int64_t[]){batch, 1, SIDE, SIDE}));
    NodeId label = graph_input(graph, SYMBOL_BATCH, "label", DTYPE_U8, rows);
    NodeId x = build_reshape(graph, build_convert(graph, image, DTYPE_F32), pixels);
    x = build_binary(graph, OP_mul, x, build_f32(graph, 1.0 / 255, pixels));
    NodeId prediction = build_reshape(graph, build_matmul(graph, x, w, false, false), rows);
    NodeId error = build_binary(graph, OP_sub, prediction, build_convert(graph, label, DTYPE_F32));
    graph->span = span;
    NodeId square = build_binary(graph, OP_mul, error, error);
    graph->span = (Span){0};
    NodeId sum = build_reduce(graph, OP_sum, square, 0, false);
    return (ForwardRun){
        x, error,
        build_binary(graph, OP_mul, sum, build_f32(graph, 1.0 / (double)batch, (Shape){0}))};
}

static NodeId falling_rate(Graph *graph, double rate, Shape shape) {
    NodeId step = graph_input(graph, SYMBOL_VALUE, "step", DTYPE_I32, (Shape){0});
    NodeId t = build_binary(graph, OP_mul, build_convert(graph, step, DTYPE_F32),
                            build_f32(graph, 0.05, (Shape){0}));
    t = build_binary(graph, OP_add, t, build_f32(graph, 1, (Shape){0}));
    NodeId r = build_binary(graph, OP_div, build_f32(graph, rate, (Shape){0}), t);
    return build_broadcast(graph, r, shape);
}

/* rate 0: an evaluation graph. The state `epochs` adds up the clock's epoch. */
static Graph *make_graph(int64_t batch, double rate, Diagnostics *diag, const Span *places) {
    Graph *graph = graph_new("test", diag);
    Shape shape = shape_of(2, (int64_t[]){PIXELS, 1});
    NodeId w = graph_state(graph, "w", DTYPE_F32, shape, (Init){INIT_UNIFORM, -0.3f, 0.3f}, true);
    ForwardRun f = forward(graph, w, batch, places[1]);
    graph_output(graph, "loss", f.loss);
    graph_output(
        graph, "mae",
        build_binary(graph, OP_mul,
                     build_reduce(graph, OP_sum, build_unary(graph, OP_abs, f.error), 0, false),
                     build_f32(graph, 1.0 / (double)batch, (Shape){0})));
    if (rate == 0) return graph;
    NodeId error = build_reshape(graph, f.error, shape_of(2, (int64_t[]){batch, 1}));
    NodeId gradient = build_matmul(graph, f.image, error, true, false);
    gradient = build_binary(graph, OP_mul, gradient, build_f32(graph, 2.0 / (double)batch, shape));
    graph->span = places[0];
    NodeId change = build_binary(graph, OP_mul, gradient, falling_rate(graph, rate, shape));
    graph->span = (Span){0};
    graph_update(graph, w, build_binary(graph, OP_sub, w, change));
    NodeId epoch = graph_input(graph, SYMBOL_VALUE, "epoch", DTYPE_I32, (Shape){0});
    NodeId epochs = graph_state(graph, "epochs", DTYPE_I32, (Shape){0}, (Init){0}, false);
    graph_update(graph, epochs, build_binary(graph, OP_add, epochs, epoch));
    return graph;
}

/* -- one training -- */

typedef struct {
    double rate;
    int threads;
    int64_t valid;
    const char *folder, *resume;
    uint32_t epochs;
    int stop_at; /* stop after this many step events; 0: never */
    const char *model_hash;
} TrainSetting;

typedef struct {
    TrainResult result;
    double train_loss[EPOCHS + 2], test_loss[EPOCHS + 2], valid_mae[EPOCHS + 2];
    int epoch_events, step_events, stop_at;
    float w[PIXELS];
    int32_t epochs;
    char text[1024]; /* of the errors */
    Status status;
} Outcome;

static void on_step(void *context, uint32_t epoch, uint64_t step, uint64_t steps, double loss) {
    Outcome *outcome = context;
    assert_in_range(step, 1, steps);
    assert_true(epoch >= 1 && !isnan(loss));
    if (++outcome->step_events == outcome->stop_at) train_request_stop();
}

static void on_epoch(void *context, uint32_t epoch, double train_loss, double seconds, int64_t rows,
                     const Evaluation *valid, const Evaluation *test) {
    Outcome *outcome = context;
    assert_true(seconds >= 0 && rows >= 0 && epoch <= EPOCHS + 1);
    outcome->epoch_events++;
    outcome->train_loss[epoch] = train_loss;
    outcome->test_loss[epoch] = test->loss;
    outcome->valid_mae[epoch] = valid ? valid->metrics[0] : NAN;
    assert_int_equal(test->rows, TEST);
    if (outcome->stop_at < 0 && epoch == (uint32_t)-outcome->stop_at) train_request_stop();
}

enum { SIZES = 6 };
typedef struct {
    Graph *graphs[SIZES];
    Program *programs[SIZES];
    int count;
} TrainPrograms;

static SplitPrograms add_programs(TrainPrograms *programs, int64_t rows, double rate,
                                  Diagnostics *diag, const Span *places) {
    Program *made[2];
    for (int i = 0; i < 2; i++, programs->count++) {
        int64_t batch = i ? rows % BATCH : BATCH;
        programs->graphs[programs->count] = batch ? make_graph(batch, rate, diag, places) : NULL;
        made[i] = programs->programs[programs->count] =
            batch ? program_interpret(programs->graphs[programs->count]) : NULL;
    }
    return (SplitPrograms){.full = made[0], .last = made[1], .batch = BATCH};
}

static void take_errors(Outcome *outcome, const Diagnostics *diag) {
    FILE *out = fmemopen(outcome->text, sizeof outcome->text, "w");
    diag_print(diag, out);
    fclose(out);
    outcome->status = diag_status(diag);
}

static Outcome run(TrainSetting setting) {
    static const char *const metrics[] = {"mae"};
    Diagnostics *diag = diag_new();
    uint32_t text = diag_add_text(diag, "model.mdl", "rate\nloss\n", 10);
    Span places[] = {{text, 0, 4}, {text, 5, 9}};
    Dataset *data = open_data(setting.valid, diag);
    Outcome outcome = {.stop_at = setting.stop_at};
    TrainPrograms programs = {0};
    TrainOptions options = {.dataset = data,
                            .states = states_new(),
                            .threads = threads_new(setting.threads),
                            .metrics = {metrics, 1, NULL},
                            .epochs = setting.epochs ? setting.epochs : EPOCHS,
                            .seed = 3,
                            .shuffle = true,
                            .keep_best = {"mae", true},
                            .folder = setting.folder,
                            .resume = setting.resume,
                            .model_hash = setting.model_hash ? setting.model_hash : "a"};
    options.train = add_programs(&programs, TRAIN - setting.valid, setting.rate, diag, places);
    options.valid = add_programs(&programs, setting.valid, 0, diag, places);
    options.test = add_programs(&programs, TEST, 0, diag, places);
    TrainEvents events = {.context = &outcome, .step = on_step, .epoch = on_epoch};
    outcome.result = train(&options, &events, diag);
    states_read(options.states, "w", outcome.w);
    states_read(options.states, "epochs", &outcome.epochs);
    take_errors(&outcome, diag);
    for (int i = 0; i < SIZES; i++) {
        program_free(programs.programs[i]);
        graph_free(programs.graphs[i]);
    }
    threads_free(options.threads);
    states_free(options.states);
    dataset_free(data);
    diag_free(diag);
    return outcome;
}

static const char *new_folder(void) {
    static char paths[32][80];
    static int count;
    snprintf(paths[count], sizeof paths[0], "%s/run%d", temporary_folder, count);
    return mkdir(paths[count], 0777) ? NULL : paths[count++];
}

static size_t read_file(const char *folder, const char *name, char *to, size_t room) {
    char path[64];
    snprintf(path, sizeof path, "%.20s/%.40s", strrchr(folder, '/') + 1, name);
    return temporary_read(path, to, room);
}

static void expect_same_files(const char *a, const char *b, const char *name) {
    char x[4096], y[4096];
    size_t length = read_file(a, name, x, sizeof x);
    assert_in_range(length, 200, sizeof x - 1);
    assert_int_equal(read_file(b, name, y, sizeof y), length);
    assert_memory_equal(x, y, length);
}

static void test_learns(void **state) {
    (void)state;
    Outcome a = run((TrainSetting){.rate = 0.1, .threads = 1});
    assert_int_equal(a.result, TRAIN_DONE);
    assert_int_equal(a.epoch_events, EPOCHS + 1);
    assert_true(isnan(a.train_loss[0]));
    assert_true(a.test_loss[EPOCHS] < 0.7 * a.test_loss[0]);
    assert_true(a.train_loss[EPOCHS] < a.train_loss[1]);
    int steps = (TRAIN + BATCH - 1) / BATCH;
    /* the model saw the right numbers of epochs */
    assert_int_equal(a.epochs, 0 * steps + 1 * steps + 2 * steps);
}

/* The mean over the rows, computed in another way. */
static void test_evaluation_weighs_rows(void **state) {
    (void)state;
    Outcome a = run((TrainSetting){.rate = 0.1, .threads = 1});
    uint8_t images[16 + TEST * PIXELS], labels[8 + TEST];
    double sum = 0;
    temporary_read("test-images", images, sizeof images);
    temporary_read("test-labels", labels, sizeof labels);
    for (int i = 0; i < TEST; i++) {
        double prediction = 0;
        for (int j = 0; j < PIXELS; j++)
            prediction += images[16 + i * PIXELS + j] / 255.0 * (double)a.w[j];
        sum += pow(prediction - labels[8 + i], 2);
    }
    assert_true(fabs(a.test_loss[EPOCHS] - sum / (double)TEST) < 1e-5 * sum);
}

static void test_threads_do_not_matter(void **state) {
    (void)state;
    const char *folders[3];
    for (int i = 0; i < 3; i++) {
        folders[i] = new_folder();
        Outcome outcome =
            run((TrainSetting){.rate = 0.1, .threads = i + 1, .valid = 6, .folder = folders[i]});
        assert_int_equal(outcome.result, TRAIN_DONE);
        assert_true(outcome.valid_mae[EPOCHS] > 0);
    }
    for (int i = 1; i < 3; i++) {
        expect_same_files(folders[0], folders[i], "last.safetensors");
        expect_same_files(folders[0], folders[i], "best.safetensors");
    }
}

static const char *checkpoint_in(const char *folder) {
    static char path[300];
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    return path;
}

/* A training that is stopped in the middle of an epoch and resumed gives the bits of one that was
 * not. */
static void test_stop_and_resume(void **state) {
    (void)state;
    const char *whole = new_folder(), *parts = new_folder();
    Outcome a = run((TrainSetting){.rate = 0.1, .threads = 2, .folder = whole});
    Outcome b = run((TrainSetting){.rate = 0.1, .threads = 1, .folder = parts, .stop_at = 1});
    assert_int_equal(b.result, TRAIN_STOPPED);
    assert_int_equal(b.epoch_events, 1);
    Outcome c = run(
        (TrainSetting){.rate = 0.1, .threads = 2, .folder = parts, .resume = checkpoint_in(parts)});
    assert_int_equal(c.result, TRAIN_DONE);
    assert_int_equal(c.epoch_events, EPOCHS);
    expect_same_files(whole, parts, "last.safetensors");
    expect_same_files(whole, parts, "best.safetensors");
    for (int i = 1; i <= EPOCHS; i++) assert_true(a.train_loss[i] == c.train_loss[i]);
}

/* Trains in another process, which is killed after a while; true if it ended before. */
static bool train_and_kill(const char *folder, useconds_t after) {
    bool resume = access(checkpoint_in(folder), F_OK) == 0;
    pid_t child = fork();
    if (child == 0) {
        run((TrainSetting){.rate = 0.1,
                           .threads = 2,
                           .folder = folder,
                           .resume = resume ? checkpoint_in(folder) : NULL});
        _exit(0);
    }
    int status;
    usleep(after);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return WIFEXITED(status);
}

static void test_kill_and_resume(void **state) {
    (void)state;
    const char *whole = new_folder(), *killed = new_folder();
    run((TrainSetting){.rate = 0.1, .threads = 1, .folder = whole});
    for (useconds_t after = 1000; !train_and_kill(killed, after); after += after / 2) continue;
    expect_same_files(whole, killed, "last.safetensors");
    expect_same_files(whole, killed, "best.safetensors");
}

static void test_stop_between_epochs_and_more_epochs(void **state) {
    (void)state;
    const char *whole = new_folder(), *parts = new_folder();
    run((TrainSetting){.rate = 0.1, .threads = 1, .folder = whole, .epochs = EPOCHS + 1});
    Outcome a = run((TrainSetting){.rate = 0.1, .threads = 1, .folder = parts, .stop_at = -2});
    assert_int_equal(a.result, TRAIN_STOPPED);
    Outcome b = run(
        (TrainSetting){.rate = 0.1, .threads = 1, .folder = parts, .resume = checkpoint_in(parts)});
    assert_int_equal(b.epoch_events, 1);
    Outcome c = run((TrainSetting){.rate = 0.1,
                                   .threads = 1,
                                   .folder = parts,
                                   .epochs = EPOCHS + 1,
                                   .resume = checkpoint_in(parts)});
    assert_int_equal(c.result, TRAIN_DONE);
    assert_int_equal(c.epoch_events, 1);
    expect_same_files(whole, parts, "last.safetensors");
}

static void test_refuses_to_resume(void **state) {
    (void)state;
    const char *folder = new_folder();
    run((TrainSetting){.rate = 0.1, .threads = 1, .folder = folder});
    Outcome a = run((TrainSetting){
        .rate = 0.1, .threads = 1, .resume = checkpoint_in(folder), .model_hash = "0123"});
    assert_int_equal(a.result, TRAIN_FAILED);
    assert_int_equal(a.status, STATUS_FILE);
    assert_non_null(strstr(a.text, "the model has changed since it was written"));
    Outcome b = run(
        (TrainSetting){.rate = 0.1, .threads = 1, .resume = checkpoint_in(folder), .epochs = 1});
    assert_non_null(strstr(b.text, "it has been trained for more epochs than train.epochs"));
    Outcome c = run(
        (TrainSetting){.rate = 0.1, .threads = 1, .resume = checkpoint_in(folder), .valid = 30});
    assert_int_equal(c.result, TRAIN_FAILED);
}

static void test_refuses_other_data(void **state) {
    (void)state;
    const char *folder = new_folder();
    uint8_t bytes[16 + TRAIN * PIXELS];
    run((TrainSetting){.rate = 0.1, .threads = 1, .folder = folder});
    size_t length = temporary_read("images", bytes, sizeof bytes);
    bytes[40] ^= 1;
    temporary_write("images", bytes, length);
    Outcome a = run((TrainSetting){.rate = 0.1, .threads = 1, .resume = checkpoint_in(folder)});
    assert_non_null(strstr(a.text, "the data have changed since it was written"));
    make_data();
}

static void expect_blame(const Outcome *outcome, const char *text) {
    assert_int_equal(outcome->result, TRAIN_NONFINITE);
    if (!strstr(outcome->text, text)) fail_msg("expected \"%s\" in \"%s\"", text, outcome->text);
}

/* The weights explode. The operation is found from the states of the last checkpoint, or from the
 * beginning. */
static void test_blames_the_operation(void **state) {
    (void)state;
    const char *folder = new_folder();
    for (int i = 0; i < 2; i++) {
        Outcome a = run((TrainSetting){.rate = 1e9, .threads = 2, .folder = i ? folder : NULL});
        assert_int_equal(a.status, STATUS_NONFINITE);
        expect_blame(&a, "error: the loss is not finite at step ");
    }
    /* the weights have become large, so the loss overflows; the error shows the place of the
     * square */
    Outcome b = run((TrainSetting){.rate = 1e30, .threads = 1});
    expect_blame(
        &b,
        "model.mdl:2:1: error: the loss is not finite at step 2 of epoch 1: the first inf comes from 'mul' f32[8]");
    /* a weight overflows although the loss of that step is finite; the next step shows it */
    Outcome c = run((TrainSetting){.rate = 3e38, .threads = 1});
    expect_blame(
        &c,
        "model.mdl:1:1: error: the loss is not finite at step 2 of epoch 1: the first -inf comes from 'mul' f32[9,1]");
}

static void test_folder_that_cannot_be_written(void **state) {
    (void)state;
    Outcome a = run((TrainSetting){.rate = 0.1, .threads = 1, .folder = temporary_path("missing")});
    assert_int_equal(a.result, TRAIN_FAILED);
    assert_int_equal(a.status, STATUS_FILE);
    assert_int_equal(a.epoch_events, 1); /* found in the same step, not at the end of the epoch */
}

static int set_up(void **state) {
    int failed = temporary_set_up(state);
    if (!failed) make_data();
    return failed;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_evaluation_weighs_rows),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_stop_and_resume),
        cmocka_unit_test(test_kill_and_resume),
        cmocka_unit_test(test_stop_between_epochs_and_more_epochs),
        cmocka_unit_test(test_refuses_to_resume),
        cmocka_unit_test(test_refuses_other_data),
        cmocka_unit_test(test_blames_the_operation),
        cmocka_unit_test(test_folder_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, set_up, temporary_tear_down);
}
