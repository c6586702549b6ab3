/* Checkpoints: files that mlc writes can be read, a failed write leaves no partial file, and
 * hostile files do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/train/checkpoint.h"
#include "temporary.h"
#include "tests/support/texts.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static const CheckpointInfo info = {.step = 123456789012,
                                    .epoch = 7,
                                    .epochs = 9,
                                    .seed = 18446744073709551615u,
                                    .loss_sum = 0.1,
                                    .best = NAN,
                                    .model_hash = "c0ffee",
                                    .data_digest = "beef"};

typedef struct {
    Diagnostics *diag;
    Graph *graph;
    Program program;
    PlanState plan[8];
    States *states;
} SavedModel;

/* States named by the letters of `names`: w f32[3,2], b f32[2], i i32 (a scalar), m f32[3,2]. An
 * upper case letter stands for another shape. */
static SavedModel *model_new(const char *names) {
    SavedModel *model = calloc(1, sizeof *model);
    model->diag = diag_new();
    model->graph = graph_new("test", model->diag);
    model->states = states_new();
    for (uint32_t i = 0; names[i]; i++) {
        char letter = (char)(names[i] | 32), name[] = {letter, '\0'};
        Shape matrix = shape_of(2, (int64_t[]){names[i] == letter ? 3 : 4, 2}),
              row = shape_of(1, (int64_t[]){2});
        Shape shape = letter == 'b' ? row : letter == 'i' ? (Shape){0} : matrix;
        graph_state(model->graph, name, letter == 'i' ? DTYPE_I32 : DTYPE_F32, shape, (Init){0},
                    letter != 'm');
        model->plan[i].symbol = model->program.state_count++;
    }
    model->program.graph = model->graph;
    model->program.states = model->plan;
    assert_true(states_bind(model->states, &model->program, model->diag));
    return model;
}

static void model_free(SavedModel *model) {
    states_free(model->states);
    graph_free(model->graph);
    diag_free(model->diag);
    free(model);
}

static const float weights[] = {1, -2.5f, 3, 1e-40f, INFINITY, -0.0f};

static SavedModel *model_saved(const char *names, const char *file) {
    SavedModel *model = model_new(names);
    states_write(model->states, "w", weights);
    assert_true(checkpoint_save(temporary_path(file), model->states, &info, model->diag));
    return model;
}

static void test_round_trip(void **state) {
    (void)state;
    SavedModel *saved = model_saved("wbi", "a"), *loaded = model_new("ibw");
    CheckpointInfo found;
    float w[6];
    assert_true(checkpoint_load(temporary_path("a"), loaded->states, false, &found, loaded->diag));
    assert_true(states_read(loaded->states, "w", w));
    assert_memory_equal(w, weights, sizeof w);
    assert_true(found.step == info.step && found.epoch == info.epoch && found.seed == info.seed);
    assert_true(found.loss_sum == info.loss_sum && isnan(found.best));
    assert_string_equal(found.model_hash, "c0ffee");
    assert_string_equal(found.data_digest, "beef");
    assert_true(checkpoint_save(temporary_path("b"), loaded->states, &found, loaded->diag));
    char a[2048], b[2048];
    size_t length = temporary_read("a", a, sizeof a);
    assert_int_equal(temporary_read("b", b, sizeof b), length);
    assert_memory_equal(a, b, length); /* the order of states in a program does not matter */
    model_free(saved);
    model_free(loaded);
}

static void test_form_of_the_file(void **state) {
    (void)state;
    char bytes[2048] = {0};
    model_free(model_saved("wb", "a"));
    size_t length = temporary_read("a", bytes, sizeof bytes),
           header = (uint8_t)bytes[0] | (size_t)(uint8_t)bytes[1] << 8;
    assert_int_equal(header % 8, 0);
    assert_int_equal(length, 8 + header + 8 * sizeof(float));
    const char *start = "{\"__metadata__\":{\"mlc\":\"1\",\"step\":\"123456789012\",";
    assert_memory_equal(bytes + 8, start, strlen(start));
    assert_non_null(
        strstr(bytes + 8, "\"w\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[8,32]}}"));
    assert_memory_equal(bytes + 8 + header + 8, weights, sizeof weights);
}

static void expect_refusal(const char *names, bool partial, const char *text) {
    SavedModel *model = model_new(names);
    CheckpointInfo found;
    assert_false(checkpoint_load(temporary_path("a"), model->states, partial, &found, model->diag));
    expect_messages(model->diag, STATUS_FILE, text);
    float w[8] = {0}, zero[8] = {0};
    states_read(model->states, "w", w);
    assert_memory_equal(w, zero, sizeof w); /* a rejected file changes no state */
    model_free(model);
}

static void test_other_models(void **state) {
    (void)state;
    model_free(model_saved("wbm", "a"));
    expect_refusal("wb", false, "has 'm' F32[3,2], which the model does not have");
    expect_refusal("wbmi", false, "does not have 'i' I32[] of the model");
    expect_refusal("Wbm", false, "has 'w' as F32[3,2], but in the model it is F32[4,2]");
    expect_refusal("wbi", true, "does not have 'i' I32[] of the model");
    SavedModel *part = model_new("wb");
    CheckpointInfo found;
    assert_true(checkpoint_load(temporary_path("a"), part->states, true, &found, part->diag));
    assert_int_equal(found.epoch, 7);
    model_free(part);
}

static void write_header(const char *header, size_t data) {
    uint8_t bytes[1024] = {(uint8_t)strlen(header), (uint8_t)(strlen(header) >> 8)};
    strcpy((char *)bytes + 8, header);
    temporary_write("a", bytes, 8 + strlen(header) + data);
}

static void expect_header(const char *header, size_t data, const char *text) {
    write_header(header, data);
    expect_refusal("w", true, text);
}

static void test_unsound_files(void **state) {
    (void)state;
    expect_header("{", 0, "its header is not JSON");
    expect_header("[]", 0, "its header is not a JSON object");
    expect_header("{\"w\":3}", 0, "is not described by dtype, shape and data_offsets");
    expect_header("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}", 12,
                  "another length than its dtype and shape");
    expect_header("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", 8,
                  "does not lie within the file");
    expect_header("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,0]}}", 12,
                  "does not lie within the file");
    expect_header("{\"w\":{\"dtype\":\"F32\",\"shape\":[-3],\"data_offsets\":[0,12]}}", 12,
                  "has no valid shape");
    expect_header(
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2147483648,2147483648,4],\"data_offsets\":[0,0]}}", 0,
        "has no valid shape");
    expect_header("{\"w\":{\"dtype\":3,\"shape\":[3],\"data_offsets\":[0,12]}}", 12,
                  "has no dtype");
    expect_header("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", 13,
                  "continues after its last tensor");
    expect_header("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[1,13]}}", 13,
                  "a gap between its tensors");
    expect_header(
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"v\":{\"dtype\":\"U8\",\"shape\":[3],"
        "\"data_offsets\":[2,5]}}",
        5, "two of its tensors overlap");
    expect_header("{\"w\":1,\"w\":2}", 0, "its header is not JSON (duplicate");
    expect_header("{\"__metadata__\":{\"step\":3}}", 0, "its metadata are not texts");
    expect_header("{\"w\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[0,24]}}", 24,
                  "has 'w' as F64[3], but");
    temporary_write("a", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    expect_refusal("w", true, "its header does not fit into it");
    temporary_write("a", "short", 5);
    expect_refusal("w", true, "shorter than the length of its header");
    remove(temporary_path("a"));
    expect_refusal("w", true, "No such file");
}

/* Weights of another program are good for evaluation, but training cannot be resumed from them. */
static void test_foreign_files(void **state) {
    (void)state;
    const char *header =
        "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}";
    CheckpointInfo found;
    write_header(header, 24);
    expect_refusal("w", false, "was not written by this version of mlc");
    SavedModel *model = model_new("w");
    assert_true(checkpoint_load(temporary_path("a"), model->states, true, &found, model->diag));
    assert_int_equal(found.step, 0);
    assert_false(checkpoint_info(temporary_path("a"), &found, model->diag));
    model_free(model);
}

/* On a full disk, here a limit on the size of files, the old file stays and nothing else is
 * left. */
static void test_full_disk(void **state) {
    (void)state;
    struct rlimit before, tight;
    char a[2048], b[2048];
    SavedModel *model = model_saved("wb", "a");
    size_t length = temporary_read("a", a, sizeof a);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &tight);
    bool good = checkpoint_save(temporary_path("a"), model->states, &info, model->diag);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(good);
    expect_messages(model->diag, STATUS_FILE, "File too large");
    assert_int_equal(temporary_read("a", b, sizeof b), length);
    assert_memory_equal(a, b, length);
    assert_int_not_equal(access(temporary_path("a.tmp"), F_OK), 0);
    model_free(model);
}

static void test_folders_that_cannot_be_written(void **state) {
    (void)state;
    SavedModel *model = model_saved("wb", "a");
    assert_false(checkpoint_save(temporary_path("missing/a"), model->states, &info, model->diag));
    expect_messages(model->diag, STATUS_FILE, "No such file or directory");
    assert_false(checkpoint_save(temporary_path("a/a"), model->states, &info, model->diag));
    expect_messages(model->diag, STATUS_FILE, "Not a directory");
    model_free(model);
}

static uint32_t draw(uint64_t *random) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33);
}

/* Damages the header in one to three places: bytes, or digits and signs of JSON. */
static size_t mutate(uint8_t *bytes, size_t length, uint64_t *random) {
    static const char letters[] = "0123456789{}[]\",:-.e ";
    for (uint32_t i = draw(random) % 3 + 1; i > 0; i--) {
        size_t at = draw(random) % length;
        bytes[at] = draw(random) % 3 ? (uint8_t)letters[draw(random) % (sizeof letters - 1)]
                                     : (uint8_t)draw(random);
    }
    return draw(random) % 4 ? length : draw(random) % (length + 8);
}

static void test_survives_damage(void **state) {
    (void)state;
    uint8_t bytes[2048], whole[2048] = {0};
    uint64_t random = 1;
    SavedModel *model = model_saved("wbi", "whole");
    size_t length = temporary_read("whole", whole, sizeof whole);
    int refused = 0;
    for (int i = 0; i < 4000; i++) {
        CheckpointInfo found;
        memcpy(bytes, whole, sizeof bytes);
        temporary_write("a", bytes, mutate(bytes, length, &random));
        refused += !checkpoint_load(temporary_path("a"), model->states, i % 2, &found, model->diag);
        diag_clear(model->diag);
    }
    assert_in_range(refused, 2000, 3999);
    model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_form_of_the_file),
        cmocka_unit_test(test_other_models),
        cmocka_unit_test(test_unsound_files),
        cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_folders_that_cannot_be_written),
        cmocka_unit_test(test_survives_damage),
    };
    return cmocka_run_group_tests(tests, temporary_set_up, temporary_tear_down);
}
