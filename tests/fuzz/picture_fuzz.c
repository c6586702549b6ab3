/* Fuzzes pictures, and a folder with one of them. The checksums of a PNG's chunks are corrected
 * first, so that the code behind them is reached. */
#include "runtime/data/dataset.h"
#include "runtime/formats/bitmap.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

const char *const fuzz_words[] = {
    "IHDR",     "IDAT",     "IEND",     "PLTE",          "tRNS",         "gAMA",
    "sBIT",     "iCCP",     "eXIf",     "Exif\0\0MM\0*", "\x01\x12\0\3", "\xff\xd8\xff",
    "\xff\xc0", "\xff\xc2", "\xff\xc9", "\xff\xc4",      "\xff\xda",     "\xff\xdd",
    "\xff\xd9", "RIFF",     "WEBPVP8X", "VP8L",          "ALPH",         "ANIM",
    "BM",       "\0\0\0\0", "\x10\x06", "\x01\x03",      "\x08\x04",     "\xff\xff\xff\xff",
    NULL};

enum {
    MAX_PIXELS = 1 << 18,
    SIGNATURE = 8,
    CHUNK = 12,
    PICTURE = 200 /* the descriptor of the file in the folder */
};

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_sums_right(uint8_t *png, size_t size) {
    if (size < SIGNATURE || memcmp(png, "\x89PNG", 4) != 0) return;
    for (size_t at = SIGNATURE; at + CHUNK <= size && big_endian(png + at) <= size - at - CHUNK;) {
        uint32_t length = big_endian(png + at), sum = (uint32_t)crc32(0, png + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            png[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += length + CHUNK;
    }
}

/* -- a folder with one class of one picture: a link to an open file -- */

static char folder[64], class_folder[80], picture[96];

static void remove_folder(void) {
    unlink(picture);
    rmdir(class_folder);
    rmdir(folder);
}

static void make_folder(void) {
    char target[32];
    if (*folder) return;
    snprintf(folder, sizeof folder, "/tmp/mlc-fuzz-XXXXXX");
    REQUIRE(mkdtemp(folder));
    snprintf(class_folder, sizeof class_folder, "%s/a", folder);
    snprintf(picture, sizeof picture, "%s/1.png", class_folder);
    snprintf(target, sizeof target, "/proc/self/fd/%d", PICTURE);
    REQUIRE(!mkdir(class_folder, 0700) && !symlink(target, picture));
    atexit(remove_folder);
}

static void read_folder(const uint8_t *png, size_t size) {
    char path[64];
    int file = fuzz_file(png, size, path);
    make_folder();
    REQUIRE(dup2(file, PICTURE) == PICTURE);
    const SourceArg arg = {.name = "folder", .kind = SOURCE_ARG_STRING, .text = folder};
    const DataSource source = {.reader = "images", .folder = "", .args = &arg, .arg_count = 1};
    Diagnostics *diag = diag_new();
    Dataset *dataset = dataset_open(&source, &(SplitRequest){0}, diag);
    if (dataset)
        REQUIRE(dataset_rows(dataset, SPLIT_TRAIN) == 1 && strlen(dataset_digest(dataset)) == 64);
    else
        fuzz_rejected(diag, STATUS_DATA);
    dataset_free(dataset);
    diag_free(diag);
    close(PICTURE);
    close(file);
}

/* -- the picture alone -- */

static void decode(const uint8_t *png, size_t size, int channels) {
    uint8_t small[3 * 4 * 4];
    Bitmap bitmap = {0};
    Problem problem = {0};
    if (bitmap_decode(png, size, channels, &bitmap, &problem)) {
        REQUIRE(bitmap.pixels && (channels == 0 || bitmap.channels == channels));
        bitmap_resize(&bitmap, 4, 4, small);
    } else {
        REQUIRE(*problem.finding);
    }
    bitmap_free(&bitmap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *png = (uint8_t *)fuzz_copy(data, size);
    Bitmap look;
    Problem problem = {0};
    put_sums_right(png, size);
    bool known = bitmap_look(png, size, &look, &problem);
    REQUIRE(known || *problem.finding);
    bool small = known && (int64_t)look.height * look.width <= MAX_PIXELS;
    for (int channels = 0; channels <= 3 && small; channels += channels ? 2 : 1)
        decode(png, size, channels);
    if (small || !known) read_folder(png, size);
    free(png);
    return 0;
}
