/* Pictures of every kind against Pillow (tests/truth/pictures.txt), and files that are damaged or
 * no pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/formats/bitmap.h"

#include <stdlib.h>
#include <string.h>

enum { PICTURES_MIN = 100, NAME_BYTES = 64 };

/* A line of pictures.txt. */
typedef struct {
    char name[NAME_BYTES];
    int width, height;
    uint8_t *file, *pixels; /* pixels: [height][width][3] */
    size_t file_bytes, pixel_bytes;
} Truth;

static uint8_t digit(char text) { return (uint8_t)(text <= '9' ? text - '0' : text - 'a' + 10); }

static uint8_t *bytes_of(const char *hex, size_t *count) {
    *count = strcspn(hex, " \n") / 2;
    uint8_t *bytes = malloc(*count);
    assert_non_null(bytes);
    for (size_t i = 0; i < *count; i++)
        bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return bytes;
}

static Truth truth_of(const char *line) {
    Truth truth;
    int at = 0;
    assert_int_equal(sscanf(line, "%63s %d %d %n", truth.name, &truth.width, &truth.height, &at),
                     3);
    truth.file = bytes_of(line + at, &truth.file_bytes);
    truth.pixels = bytes_of(strrchr(line, ' ') + 1, &truth.pixel_bytes);
    assert_int_equal(truth.pixel_bytes, 3 * truth.width * truth.height);
    return truth;
}

static void each_picture(void (*check)(const Truth *truth)) {
    FILE *file = fopen(MLC_SOURCE_DIR "/tests/truth/pictures.txt", "r");
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    assert_non_null(file);
    for (; getline(&line, &room, file) > 0; count++) {
        Truth truth = truth_of(line);
        check(&truth);
        free(truth.file);
        free(truth.pixels);
    }
    free(line);
    fclose(file);
    assert_true(count >= PICTURES_MIN);
}

static void expect_near(const Truth *truth, int channels, size_t pixel, int c, int found,
                        double right) {
    if (found - right > 1 || right - found > 1)
        fail_msg("%s, %d channels, pixel %zu, channel %d: %d, not %g", truth->name, channels, pixel,
                 c, found, right);
}

/* Compares the colours, and the grey that Pillow computes from them. */
static void check_pixels(const Truth *truth) {
    for (int channels = 1; channels <= 3; channels += 2) {
        Bitmap bitmap;
        Problem problem = {0};
        if (!bitmap_decode(truth->file, truth->file_bytes, channels, &bitmap, &problem))
            fail_msg("%s: %s", truth->name, problem.finding);
        assert_int_equal(bitmap.width, truth->width);
        assert_int_equal(bitmap.height, truth->height);
        assert_int_equal(bitmap.channels, channels);
        size_t plane = (size_t)truth->width * (size_t)truth->height;
        for (size_t i = 0; i < plane; i++) {
            const uint8_t *rgb = truth->pixels + 3 * i;
            if (channels == 1)
                expect_near(truth, 1, i, 0, bitmap.pixels[i],
                            (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
            for (int c = 0; c < channels && channels == 3; c++)
                expect_near(truth, 3, i, c, bitmap.pixels[(size_t)c * plane + i], rgb[c]);
        }
        bitmap_free(&bitmap);
    }
}

static void test_pixels(void **state) {
    (void)state;
    each_picture(check_pixels);
}

static void check_look(const Truth *truth) {
    Bitmap look, whole;
    Problem problem = {0};
    assert_true(bitmap_look(truth->file, truth->file_bytes, &look, &problem));
    assert_true(bitmap_decode(truth->file, truth->file_bytes, 0, &whole, &problem));
    if (look.width != whole.width || look.height != whole.height ||
        look.channels != whole.channels || look.coloured != whole.coloured)
        fail_msg("%s: the look and the whole differ", truth->name);
    bitmap_free(&whole);
}

/* Size and colours are known before the pixels are read. */
static void test_look(void **state) {
    (void)state;
    each_picture(check_look);
}

/* A picture whose end is missing is an error. */
static void check_cut(const Truth *truth) {
    for (size_t length = 0; length < truth->file_bytes * 3 / 4; length++) {
        Bitmap bitmap;
        Problem problem = {0};
        /* in memory of exactly this size, so that a read beyond its end is found */
        uint8_t *cut = malloc(length + 1);
        assert_non_null(cut);
        memcpy(cut, truth->file, length);
        if (bitmap_decode(cut, length, 0, &bitmap, &problem))
            fail_msg("%s is read of %zu bytes", truth->name, length);
        assert_true(*problem.finding);
        free(cut);
    }
}

static void test_cut(void **state) {
    (void)state;
    each_picture(check_cut);
}

static void expect_problem(const char *bytes, size_t length, const char *part) {
    Bitmap bitmap;
    Problem problem = {0};
    assert_false(bitmap_look(bytes, length, &bitmap, &problem));
    if (!strstr(problem.finding, part)) fail_msg("'%s' does not say '%s'", problem.finding, part);
    assert_false(bitmap_decode(bytes, length, 1, &bitmap, &problem));
    assert_null(bitmap.pixels);
}

static void test_others(void **state) {
    (void)state;
    expect_problem("a text", 6, "it is not a picture");
    expect_problem("", 0, "it is not a picture");
    expect_problem("GIF89a..............", 20, "it is a GIF picture");
    expect_problem("II*\0................", 20, "it is a TIFF picture");
    expect_problem("\0\0\0\x18"
                   "ftypheic........",
                   20, "it is a HEIC or AVIF picture");
}

/* A picture of 65,535 x 65,535 pixels is an error before anything is allocated. */
static void test_bomb(void **state) {
    (void)state;
    static const char png[] =
        "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\0\0\0\0\x93\x6e\x86\x8c\0\0\0\0IDAT\x35\xaf\x06\x1e";
    expect_problem(
        png, sizeof png - 1,
        "it has 65535 x 65535 pixels (height x width), but 67108864 in all are the maximum");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels), cmocka_unit_test(test_look), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_others), cmocka_unit_test(test_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
