/* BMP: 1 to 32 bits a pixel, with palettes, masks and runs, as Windows and OS/2 write them. */
#include "runtime/formats/raster.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_HEADER = 14,
    CORE_HEADER = 12,
    INFO_HEADER = 40,
    PALETTE_MAX = 256,
    SIDE_MAX = 1 << 26
};
typedef enum { PLAIN, RUNS_8, RUNS_4, MASKS, MASKS_ALPHA = 6 } Compression;
enum { MASK_RED, MASK_GREEN, MASK_BLUE, MASK_ALPHA, MASK_COUNT };

typedef struct {
    const uint8_t *bytes;
    size_t length;
    size_t header; /* bytes of the info header, after the file header */
    size_t pixels; /* offset of the pixels */
    size_t row;    /* bytes of a row, a multiple of 4 */
    uint32_t bits; /* of a pixel */
    uint32_t compression;
    uint32_t masks[MASK_COUNT];
    uint8_t palette[PALETTE_MAX][3]; /* red, green, blue */
    Raster *raster;
    Problem *problem;
} Bmp;

static bool cannot(const Bmp *bmp, const char *why) {
    problem_set(bmp->problem, "it cannot be read as a BMP image: %s", why);
    return false;
}

/* A little-endian number; 0 beyond the end of the file. */
static uint32_t number(const Bmp *bmp, size_t at, size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count && at + i < bmp->length; i++)
        value |= (uint32_t)bmp->bytes[at + i] << (8 * i);
    return value;
}

/* -- the header -- */

static bool is_supported(const Bmp *bmp) {
    uint32_t bits = bmp->bits;
    switch (bmp->compression) {
    case PLAIN:
        return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24 ||
               bits == 32;
    case RUNS_8: return bits == 8;
    case RUNS_4: return bits == 4;
    case MASKS:
    case MASKS_ALPHA: return bits == 16 || bits == 32;
    default: return false;
    }
}

static void read_masks(Bmp *bmp) {
    static const uint32_t of_16[] = {0x7c00, 0x03e0, 0x001f, 0},
                          of_32[] = {0xff0000, 0x00ff00, 0x0000ff, 0};
    bool given = bmp->compression == MASKS || bmp->compression == MASKS_ALPHA;
    bool alpha = bmp->compression == MASKS_ALPHA || bmp->header >= 56;
    memcpy(bmp->masks, bmp->bits == 16 ? of_16 : of_32, sizeof bmp->masks);
    for (size_t i = 0; i < MASK_COUNT && given; i++)
        bmp->masks[i] =
            i < MASK_ALPHA || alpha ? number(bmp, FILE_HEADER + INFO_HEADER + 4 * i, 4) : 0;
}

/* Reads the palette after the header: blue, green, red and, except with the oldest header, a fourth
 * byte. Returns whether it has colours. */
static bool read_palette(Bmp *bmp) {
    size_t entry = bmp->header == CORE_HEADER ? 3 : 4, count = (size_t)1 << bmp->bits;
    uint32_t used = bmp->header == CORE_HEADER ? 0 : number(bmp, FILE_HEADER + 32, 4);
    bool coloured = false;
    if (used && used < count) count = used;
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < 3; c++)
            bmp->palette[i][c] =
                (uint8_t)number(bmp, FILE_HEADER + bmp->header + i * entry + 2 - c, 1);
        coloured |=
            bmp->palette[i][0] != bmp->palette[i][1] || bmp->palette[i][0] != bmp->palette[i][2];
    }
    return coloured;
}

/* Rows are stored from the bottom up (orientation 4), or from the top if the height is negative. */
static bool read_header(Bmp *bmp, bool whole) {
    bmp->header = number(bmp, FILE_HEADER, 4);
    bmp->pixels = number(bmp, 10, 4);
    if (bmp->length < FILE_HEADER + CORE_HEADER || bmp->length - FILE_HEADER < bmp->header)
        return cannot(bmp, "it is cut short");
    bool core = bmp->header == CORE_HEADER;
    if (!core && bmp->header < INFO_HEADER) return cannot(bmp, "its header is of an unknown kind");
    int64_t width = core ? (int64_t)number(bmp, 18, 2) : (int32_t)number(bmp, 18, 4);
    int64_t height = core ? (int64_t)number(bmp, 20, 2) : (int32_t)number(bmp, 22, 4);
    bmp->bits = number(bmp, core ? 24 : 28, 2);
    bmp->compression = core ? PLAIN : number(bmp, 30, 4);
    if (!is_supported(bmp))
        return cannot(bmp, "its pixels are packed in a way that mlc does not know");
    bmp->raster->orientation = height < 0 ? 1 : 4;
    read_masks(bmp);
    bmp->raster->coloured = bmp->bits > 8 || read_palette(bmp);
    if (width < 0) return cannot(bmp, "its width is negative");
    bmp->row = ((size_t)width * bmp->bits + 31) / 32 * 4;
    return raster_begin(bmp->raster, (uint64_t)(height < 0 ? -height : height), (uint64_t)width,
                        whole, bmp->problem);
}

/* -- pixels -- */

static void put_index(const Bmp *bmp, size_t at, uint32_t index) {
    size_t count = bmp->raster->coloured ? 3 : 1;
    memcpy(bmp->raster->pixels + at * count, bmp->palette[index], count);
}

static uint8_t masked(uint32_t pixel, uint32_t mask) {
    if (!mask) return 0;
    int shift = __builtin_ctz(mask);
    uint64_t max = mask >> shift, value = (pixel & mask) >> shift;
    return (uint8_t)((value * 255 + max / 2) / max);
}

static uint32_t stored_pixel(const Bmp *bmp, size_t y, size_t x) {
    const size_t at = bmp->pixels + y * bmp->row;
    if (bmp->bits >= 8) return number(bmp, at + x * bmp->bits / 8, bmp->bits / 8);
    size_t bit = x * bmp->bits;
    uint32_t byte = bmp->bytes[at + bit / 8];
    return byte >> (8 - bmp->bits - bit % 8) & ((1u << bmp->bits) - 1);
}

/* Whether alphas are used. If all of them are 0, the picture is opaque, as many programs write
 * it. */
static bool uses_alpha(const Bmp *bmp) {
    const Raster *raster = bmp->raster;
    for (size_t y = 0; y < (size_t)raster->height && bmp->masks[MASK_ALPHA]; y++)
        for (size_t x = 0; x < (size_t)raster->width; x++)
            if (stored_pixel(bmp, y, x) & bmp->masks[MASK_ALPHA]) return true;
    return false;
}

static bool read_plain(const Bmp *bmp) {
    size_t height = (size_t)bmp->raster->height, width = (size_t)bmp->raster->width;
    if (bmp->pixels > bmp->length || bmp->length - bmp->pixels < bmp->row * height)
        return cannot(bmp, "it is cut short");
    bool alphas = bmp->bits > 8 && uses_alpha(bmp);
    uint8_t *to = bmp->raster->pixels;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            uint32_t pixel = stored_pixel(bmp, y, x);
            if (bmp->bits <= 8) put_index(bmp, y * width + x, pixel);
            uint8_t alpha = alphas ? masked(pixel, bmp->masks[MASK_ALPHA]) : 255;
            for (int c = 0; c < 3 && bmp->bits > 8; c++)
                *to++ = raster_over_white(masked(pixel, bmp->masks[c]), alpha, 255);
        }
    return true;
}

/* -- runs: pairs of bytes (count, index); a count of 0 begins an end of row (0), the end (1), a
 * move (2), or pixels one by one -- */

typedef struct {
    const Bmp *bmp;
    size_t at;   /* in the file */
    size_t y, x; /* in the picture */
} BmpRuns;

static bool put_run(BmpRuns *runs, size_t count, bool literal, uint32_t value) {
    const Bmp *bmp = runs->bmp;
    bool halves = bmp->bits == 4;
    size_t width = (size_t)bmp->raster->width;
    if (runs->y >= (size_t)bmp->raster->height || count > width - runs->x)
        return cannot(bmp, "a run leaves the picture");
    for (size_t i = 0; i < count; i++) {
        uint32_t byte = literal ? number(bmp, runs->at + (halves ? i / 2 : i), 1) : value;
        put_index(bmp, runs->y * width + runs->x++, !halves ? byte : i % 2 ? byte & 15 : byte >> 4);
    }
    if (literal) runs->at += ((halves ? (count + 1) / 2 : count) + 1) / 2 * 2;
    return true;
}

static bool move(BmpRuns *runs) {
    runs->x += number(runs->bmp, runs->at, 1);
    runs->y += number(runs->bmp, runs->at + 1, 1);
    runs->at += 2;
    return runs->x <= (size_t)runs->bmp->raster->width ||
           cannot(runs->bmp, "a run leaves the picture");
}

static bool read_runs(const Bmp *bmp) {
    BmpRuns runs = {.bmp = bmp, .at = bmp->pixels};
    size_t count = (size_t)bmp->raster->height * (size_t)bmp->raster->width;
    for (size_t i = 0; i < count; i++) put_index(bmp, i, 0);
    while (runs.at < bmp->length && bmp->length - runs.at >= 2) {
        uint32_t first = number(bmp, runs.at, 1), second = number(bmp, runs.at + 1, 1);
        bool good = true;
        runs.at += 2;
        if (first)
            good = put_run(&runs, first, false, second);
        else if (second > 2)
            good = put_run(&runs, second, true, 0);
        else if (second == 2)
            good = move(&runs);
        else if (second == 1)
            return true;
        else
            runs.y++, runs.x = 0;
        if (!good) return false;
    }
    return cannot(bmp, "it is cut short");
}

bool raster_read_bmp(const uint8_t *bytes, size_t length, bool whole, Raster *raster,
                     Problem *problem) {
    Bmp bmp = {.bytes = bytes, .length = length, .raster = raster, .problem = problem};
    if (!read_header(&bmp, whole)) return false;
    if (!whole) return true;
    return bmp.compression == RUNS_8 || bmp.compression == RUNS_4 ? read_runs(&bmp)
                                                                  : read_plain(&bmp);
}
