/* Errors are statuses with a message, and the next call works.
 *
 *   interface_errors RUN MODEL IMAGES LABELS     in a folder of its own, where it writes files */
#include "checks.h"

#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *run, *model;
static unsigned char *images, *labels;
static int64_t rows, width;

static void expect(mlc_status got, mlc_status status, const char *text,
                   const mlc_network *network) {
    bool said = !text || strstr(mlc_message(network), text);
    if (got == status && said) return;
    printf("status %d, expected %d with '%s'; the message:\n%s", (int)got, (int)status,
           text ? text : "", mlc_message(network));
    exit(1);
}

static void refused(const char *path, const mlc_options *options, mlc_status status,
                    const char *text) {
    mlc_network *network;
    float loss;
    mlc_status got = mlc_open(path, options, &network);
    expect(got, status, text, network);
    /* the other functions say it again */
    expect(mlc_predict(network, 1, NULL, NULL), status, text, network);
    expect(mlc_step(network, 1, NULL, &loss), status, text, network);
    CHECK(mlc_input_count(network) >= 0 && !mlc_input(network, 99) && isnan(loss), network);
    mlc_close(network);
}

static mlc_network *opened(const char *path, const mlc_options *options) {
    mlc_network *network;
    mlc_status status = mlc_open(path, options, &network);
    CHECK(status == MLC_OK, network);
    return network;
}

static void scores_of(mlc_network *network, float scores[10]) {
    CHECK(mlc_predict(network, 1, (const void *[]){images}, (float *[]){scores}) == MLC_OK,
          network);
}

static void write_file(const char *path, const void *bytes, size_t length) {
    FILE *out = fopen(path, "wb");
    CHECK(out && fwrite(bytes, 1, length, out) == length && !fclose(out), NULL);
}

/* -- paths, models and options -- */

static void check_opening(void) {
    mlc_network *none;
    CHECK(mlc_open(NULL, NULL, NULL) == MLC_USAGE, NULL);
    mlc_status got = mlc_open(NULL, NULL, &none);
    expect(got, MLC_USAGE, "no path", none);
    mlc_close(none);
    mlc_close(NULL);
    char *long_path = malloc(10000);
    memset(long_path, 'x', 9999);
    long_path[9999] = 0;
    refused(long_path, NULL, MLC_USAGE, "too long");
    free(long_path);
    refused("nowhere", NULL, MLC_FILE, "not the folder of a run");
    refused("nowhere.mdl", NULL, MLC_FILE, "nowhere.mdl");
    write_file("bad.mdl", "mdl 1\nmodel m(x) -> y { y = rleu(x) }\n", 38);
    refused("bad.mdl", NULL, MLC_MODEL, "bad.mdl:1:1: error: there is no data block");
    write_file("cut.mdl", "mdl 1\ndata {", 12);
    refused("cut.mdl", NULL, MLC_MODEL, "cut.mdl:2:");
}

static void check_options(void) {
    static const char *const bad[] = {"train.bach=3"};
    refused(model, &(mlc_options){.size = 0}, MLC_USAGE, "size");
    refused(model, &(mlc_options){.size = sizeof(mlc_options), .rows = -1}, MLC_USAGE, "rows");
    refused(model, &(mlc_options){.size = sizeof(mlc_options), .threads = 100000}, MLC_USAGE,
            "threads");
    refused(model, &(mlc_options){.size = sizeof(mlc_options), .setting_count = 1}, MLC_USAGE,
            "setting_count");
    refused(model, &(mlc_options){.size = sizeof(mlc_options), .settings = bad, .setting_count = 1},
            MLC_MODEL, "bach");
    /* a program that was compiled with an earlier, shorter struct */
    mlc_options earlier = {.size = offsetof(mlc_options, threads), .rows = 2, .threads = -1};
    mlc_close(opened(model, &earlier));
}

/* -- damaged runs -- */

static void copy_run(const char *to) {
    size_t length;
    char from[512], path[512];
    mkdir(to, 0777);
    static const char *const files[] = {"resolved.mdl", "last.safetensors"};
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", run, files[i]);
        snprintf(path, sizeof path, "%s/%s", to, files[i]);
        unsigned char *bytes = read_bytes(from, &length);
        write_file(path, bytes, length);
        free(bytes);
    }
}

/* Every status is allowed that is documented for files and data; the process must not end. */
static void check_damaged(void) {
    size_t length;
    copy_run("damaged");
    unsigned char *bytes = read_bytes("damaged/last.safetensors", &length);
    for (size_t cut = 0; cut < length; cut += length / 13) {
        write_file("damaged/last.safetensors", bytes, cut);
        mlc_network *network;
        mlc_status status = mlc_open("damaged", NULL, &network);
        /* without the schema in the checkpoint, the data are looked for */
        CHECK((status == MLC_FILE || status == MLC_DATA) && *mlc_message(network), network);
        mlc_close(network);
    }
    unsigned random = 1;
    for (int i = 0; i < 150; i++) {
        random = random * 1664525u + 1013904223u;
        size_t at = random % (i % 3 ? 3000 : length);
        bytes[at] ^= (unsigned char)(1u << (random >> 29));
        write_file("damaged/last.safetensors", bytes, length);
        bytes[at] ^= (unsigned char)(1u << (random >> 29));
        mlc_network *network;
        float scores[10];
        mlc_status status = mlc_open("damaged", NULL, &network);
        if (status == MLC_OK)
            status = mlc_predict(network, 1, (const void *[]){images}, (float *[]){scores});
        CHECK(status != MLC_BUG && status != MLC_NO_MEMORY, network);
        CHECK(status == MLC_OK || *mlc_message(network), network);
        mlc_close(network);
    }
    free(bytes);
    write_file("damaged/resolved.mdl", "mdl 7\n", 6);
    refused("damaged", NULL, MLC_MODEL, "version");
    unlink("damaged/last.safetensors");
    copy_run("damaged");
    unlink("damaged/last.safetensors");
    refused("damaged", NULL, MLC_FILE, "no last.safetensors");
}

/* -- rows -- */

static void check_rows(void) {
    float scores[10], again[10], *outputs[] = {again};
    int32_t class;
    mlc_network *network = opened(run, NULL);
    scores_of(network, scores);
    expect(mlc_predict(network, -1, (const void *[]){images}, outputs), MLC_USAGE, "negative",
           network);
    expect(mlc_predict(network, 1, NULL, outputs), MLC_USAGE, "input 'image' is NULL", network);
    expect(mlc_predict(network, 1, (const void *[]){NULL}, outputs), MLC_USAGE, "NULL", network);
    expect(mlc_predict(network, 1, (const void *[]){images}, NULL), MLC_USAGE, "outputs", network);
    expect(mlc_predict(network, 0, (const void *[]){images}, outputs), MLC_OK, "", network);
    expect(mlc_predict(network, 1, (const void *[]){images}, (float *[]){NULL}), MLC_OK, "",
           network);
    expect(mlc_step(network, 50, (const void *[]){images, labels}, NULL), MLC_USAGE,
           "without a training", network);
    expect(mlc_classify(network, 3, 1, scores, &class, NULL), MLC_USAGE, "no output 3", network);
    expect(mlc_classify(network, 0, 1, NULL, &class, NULL), MLC_USAGE, "NULL", network);
    expect(mlc_classify(network, 0, 1, scores, &class, NULL), MLC_OK, "", network);
    expect(mlc_get_weight(network, -1, scores), MLC_USAGE, "no weight -1", network);
    expect(mlc_get_weight(network, 0, NULL), MLC_USAGE, "NULL", network);
    expect(mlc_save(network, NULL), MLC_USAGE, "NULL", network);
    expect(mlc_save(network, "no/such/folder/x.safetensors"), MLC_FILE, "cannot write", network);
    expect(mlc_save(network, "/dev/null/run"), MLC_FILE, NULL, network);
    scores_of(network, again);
    CHECK(!memcmp(scores, again, sizeof scores), network);
    mlc_close(network);
    expect(mlc_predict(NULL, 1, NULL, NULL), MLC_USAGE, NULL, NULL);
    CHECK(mlc_input_count(NULL) == 0 && !mlc_weight(NULL, 0) && mlc_batch(NULL) == 0, NULL);
}

/* NaN in a weight reaches the outputs, and is not saved. */
static void check_nonfinite(void) {
    float scores[10], *outputs[] = {scores};
    mlc_network *network = opened(run, NULL);
    const mlc_tensor *weight = mlc_weight(network, 0);
    float *values = malloc((size_t)weight->elements * sizeof *values),
          *bad = malloc((size_t)weight->elements * sizeof *values);
    expect(mlc_get_weight(network, 0, values), MLC_OK, "", network);
    memcpy(bad, values, (size_t)weight->elements * sizeof *values);
    bad[0] = NAN;
    expect(mlc_set_weight(network, 0, bad), MLC_OK, "", network);
    expect(mlc_predict(network, 1, (const void *[]){images}, outputs), MLC_NOT_FINITE, "row 0",
           network);
    expect(mlc_save(network, "nan.safetensors"), MLC_NOT_FINITE, weight->name, network);
    CHECK(access("nan.safetensors", F_OK) != 0, network);
    expect(mlc_set_weight(network, 0, values), MLC_OK, "", network);
    scores_of(network, scores);
    mlc_close(network);
    free(values);
    free(bad);
}

/* The message names the first row that is not finite, whichever output is the cause. */
static void check_first_nonfinite(void) {
    static const char csv
        [] = "x,y,t\n1,1,1\n1,1,1\n",
     text[] =
         "mdl 1\ndata { source = csv(\"two.csv\"); field x = source.x; field y = source.y; field t = source.t }\n"
         "model two(x, y) -> (a, b) { a = log(x) * weight([1], init = ones); b = log(y) }\n"
         "train { loss = mean((a - t) ** 2); optimizer = sgd(0.1); epochs = 1 }\n";
    const float x[] = {1, 1, -1, 1}, y[] = {1, -1, 1, 1};
    float a[4], b[4];
    write_file("two.csv", csv, strlen(csv));
    write_file("two.mdl", text, strlen(text));
    mlc_network *network =
        opened("two.mdl", &(mlc_options){.size = sizeof(mlc_options), .rows = 4});
    expect(mlc_predict(network, 4, (const void *[]){x, y}, (float *[]){a, b}), MLC_NOT_FINITE,
           "the first is row 1", network);
    CHECK(isnan(b[1]) && isnan(a[2]) && isfinite(a[3]) && isfinite(b[3]), network);
    mlc_close(network);
}

static void check_steps(void) {
    static const char *const wild[] = {"lr=10"};
    mlc_options options = {.size = sizeof options, .training = 1};
    float loss, first;
    mlc_network *network = opened(model, &options);
    const void *inputs[] = {images, labels};
    CHECK(mlc_batch(network) == 50, network);
    expect(mlc_step(network, 49, inputs, &loss), MLC_USAGE, "takes 50 rows, not 49", network);
    unsigned char wrong[50];
    memcpy(wrong, labels, 50);
    wrong[7] = 10;
    expect(mlc_step(network, 50, (const void *[]){images, wrong}, &loss), MLC_DATA, "row 7",
           network);
    CHECK(mlc_steps(network) == 0, network);
    expect(mlc_step(network, 50, inputs, &first), MLC_OK, "", network);
    CHECK(mlc_steps(network) == 1 && isfinite(first), network);
    mlc_close(network);
    options.settings = wild;
    options.setting_count = 1;
    network = opened(model, &options);
    expect(mlc_step(network, 50, inputs, &loss), MLC_OK, "", network);
    CHECK(loss == first, network);
    mlc_close(network);
    refused(run, &(mlc_options){.size = sizeof options, .training = 1}, MLC_USAGE, "epoch_rows");
    refused(run, &(mlc_options){.size = sizeof options, .training = 1, .epoch_rows = 77}, MLC_USAGE,
            "does not fit epochs of 77 rows");
}

/* -- what belongs to the process -- */

/* Another rounding, and small numbers that become 0, are settings of the caller. */
static void check_floats(void) {
    float scores[10], again[10];
    mlc_network *network = opened(run, NULL);
    scores_of(network, scores);
    fesetround(FE_UPWARD);
    scores_of(network, again);
    CHECK(fegetround() == FE_UPWARD, network);
    fesetround(FE_TONEAREST);
    CHECK(!memcmp(scores, again, sizeof scores), network);
#ifdef __SSE__
    unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040); /* flush to zero, denormals are zero */
    scores_of(network, again);
    CHECK((__builtin_ia32_stmxcsr() & 0x8040) == 0x8040, network);
    __builtin_ia32_ldmxcsr(before);
    CHECK(!memcmp(scores, again, sizeof scores), network);
#endif
    mlc_close(network);
}

/* A file that becomes too large raises SIGXFSZ, which would end the process. */
static void check_full_disk(void) {
    mlc_network *network = opened(run, NULL);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &small);
    mlc_status status = mlc_save(network, "full.safetensors");
    setrlimit(RLIMIT_FSIZE, &before);
    expect(status, MLC_FILE, "full.safetensors", network);
    sigset_t pending;
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGXFSZ) && access("full.safetensors", F_OK) != 0, network);
    expect(mlc_save(network, "full.safetensors"), MLC_OK, "", network);
    mlc_close(network);
}

/* In German, 0,5 is a half: numbers of models and checkpoints are read and written with a point. */
static void check_locale(void) {
    float scores[10], again[10];
    mlc_network *network = opened(run, NULL);
    scores_of(network, scores);
    mlc_close(network);
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) return;
    CHECK(strtod("0,5", NULL) == 0.5, NULL);
    network = opened(run, NULL);
    scores_of(network, again);
    CHECK(!memcmp(scores, again, sizeof scores), network);
    expect(mlc_save(network, "german.safetensors"), MLC_OK, "", network);
    expect(mlc_save(network, "german"), MLC_OK, "", network);
    mlc_close(network);
    CHECK(strtod("0,5", NULL) == 0.5, NULL);
    network = opened("german", NULL);
    scores_of(network, again);
    CHECK(!memcmp(scores, again, sizeof scores), network);
    mlc_close(network);
    setlocale(LC_ALL, "C");
}

static void check_fork(void) {
    mlc_network *network = opened(run, &(mlc_options){.size = sizeof(mlc_options), .threads = 2});
    pid_t child = fork();
    if (!child) {
        float scores[10], *outputs[] = {scores};
        mlc_status status = mlc_predict(network, 1, (const void *[]){images}, outputs);
        bool told = strstr(mlc_message(network), "fork") != NULL;
        mlc_close(network);
        _exit(status == MLC_USAGE && told ? 0 : 1);
    }
    int ended = -1;
    waitpid(child, &ended, 0);
    CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0, network);
    float scores[10];
    scores_of(network, scores);
    mlc_close(network);
}

#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while, and finds leaks itself */
static long pages(void) {
    long all = 0, resident = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    CHECK(in && fscanf(in, "%ld %ld", &all, &resident) == 2, NULL);
    fclose(in);
    return resident;
}

/* Loading and closing keeps no memory. */
static void check_rounds(int count) {
    float scores[10];
    long before = 0;
    for (int i = 0; i < count; i++) {
        if (i == count / 10) before = pages();
        mlc_network *network = opened(run, NULL);
        scores_of(network, scores);
        mlc_close(network);
    }
    long more = pages() - before;
    if (more > 512) printf("%ld pages more after %d rounds\n", more, count);
    CHECK(more <= 512, NULL);
}
#endif

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int64_t label_rows, one;
    run = argv[1];
    model = argv[2];
    images = read_idx_rows(argv[3], &rows, &width);
    labels = read_idx_rows(argv[4], &label_rows, &one);
    check_opening();
    check_options();
    check_damaged();
    check_rows();
    check_nonfinite();
    check_first_nonfinite();
    check_steps();
    check_floats();
    check_full_disk();
    check_locale();
    check_fork();
#ifndef __SANITIZE_ADDRESS__
    check_rounds(argc > 5 ? atoi(argv[5]) : 100);
#endif
    free(images);
    free(labels);
    return 0;
}
