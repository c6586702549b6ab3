/* Pictures: recognized and decoded by content, turned upright, converted to grey, and scaled by
 * means over areas. */
#include "runtime/formats/bitmap.h"
#include "ir/base/memory.h"
#include "runtime/formats/map.h"
#include "runtime/formats/raster.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIXELS_MAX = 1 << 26, HEAD = 32 /* bytes from which the kind of a file is recognized */ };

/* -- kinds of files -- */

/* A kind of picture, recognized by bytes at two places of the file. */
typedef struct {
    const char *name;
    RasterRead *read; /* NULL: recognized, but not decoded */
    struct {
        size_t at;
        const char *bytes;
        size_t count;
    } marks[2];
} PictureKind;
static const PictureKind kinds[] = {
    {"PNG", raster_read_png, {{0, "\x89PNG\r\n\x1a\n", 8}}},
    {"JPEG", raster_read_jpeg, {{0, "\xff\xd8\xff", 3}}},
    {"WebP", raster_read_webp, {{0, "RIFF", 4}, {8, "WEBP", 4}}},
    {"BMP", raster_read_bmp, {{0, "BM", 2}, {15, "\0\0\0", 3}}},
    {"GIF", NULL, {{0, "GIF8", 4}}},
    {"TIFF", NULL, {{0, "II*\0", 4}}},
    {"TIFF", NULL, {{0, "MM\0*", 4}}},
    {"HEIC or AVIF", NULL, {{4, "ftyp", 4}}},
    {"JPEG 2000", NULL, {{4, "jP  ", 4}}},
    {"JPEG XL", NULL, {{0, "\xff\x0a", 2}}},
    {"JPEG XL", NULL, {{4, "JXL ", 4}}},
    {"Photoshop", NULL, {{0, "8BPS", 4}}},
    {"SVG", NULL, {{0, "<svg", 4}}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const PictureKind *kind_of(const uint8_t *bytes, size_t length) {
    for (int i = 0; i < KINDS; i++) {
        bool same = true;
        for (int m = 0; m < 2 && same; m++) {
            size_t at = kinds[i].marks[m].at, count = kinds[i].marks[m].count;
            same = length >= at + count &&
                   (!count || !memcmp(bytes + at, kinds[i].marks[m].bytes, count));
        }
        if (same) return &kinds[i];
    }
    return NULL;
}

const char *bitmap_kind(const char *path, bool *readable) {
    uint8_t head[HEAD];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    ssize_t length = file >= 0 && !fstat(file, &status) && S_ISREG(status.st_mode)
                         ? read(file, head, sizeof head)
                         : -1;
    const PictureKind *kind = length > 0 ? kind_of(head, (size_t)length) : NULL;
    if (file >= 0) close(file);
    *readable = kind && kind->read;
    return kind ? kind->name : NULL;
}

bool bitmap_has_ending(const char *name) {
    static const char *const endings[] = {".png",  ".jpg",  ".jpeg", ".jpe",
                                          ".jfif", ".webp", ".bmp",  ".dib"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot > name && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i])) return true;
    return false;
}

static bool read_raster(const void *bytes, size_t length, bool whole, Raster *raster,
                        Problem *problem) {
    const PictureKind *kind = kind_of(bytes, length);
    *raster = (Raster){.orientation = 1};
    if (kind && kind->read) return kind->read(bytes, length, whole, raster, problem);
    if (kind)
        problem_set(problem, "it is a %s picture, which mlc does not read", kind->name);
    else
        problem_set(problem, "it is not a picture");
    problem_help(problem, "pictures must be PNG, JPEG, WebP or BMP files");
    return false;
}

bool raster_begin(Raster *raster, uint64_t height, uint64_t width, bool whole, Problem *problem) {
    if (!height || !width || height > PIXELS_MAX / width) {
        problem_set(problem,
                    "it has %llu x %llu pixels (height x width), but %d in all are the maximum",
                    (unsigned long long)height, (unsigned long long)width, PIXELS_MAX);
        return false;
    }
    raster->height = (int)height;
    raster->width = (int)width;
    raster->pixels =
        whole ? memory_try_grow(NULL, height * width * (raster->coloured ? 3 : 1)) : NULL;
    if (!whole || raster->pixels) return true;
    problem_set(problem, "no memory for its %llu x %llu pixels", (unsigned long long)height,
                (unsigned long long)width);
    return false;
}

/* -- from stored rows to upright planes -- */

static Bitmap bitmap_of(const Raster *raster) {
    bool turned = raster->orientation >= 5;
    return (Bitmap){.height = turned ? raster->width : raster->height,
                    .width = turned ? raster->height : raster->width,
                    .coloured = raster->coloured,
                    .channels = raster->coloured ? 3 : 1};
}

bool bitmap_look(const void *bytes, size_t length, Bitmap *bitmap, Problem *problem) {
    Raster raster;
    bool good = read_raster(bytes, length, false, &raster, problem);
    *bitmap = good ? bitmap_of(&raster) : (Bitmap){0};
    return good;
}

/* Grey by the weights of ITU-R 601 in 16-bit fixed point. */
static uint8_t grey_of(const uint8_t *rgb) {
    return (uint8_t)((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
}

/* Copies the stored pixels into the upright picture, as grey or as three planes. */
static void arrange(const Raster *raster, const Bitmap *bitmap) {
    size_t plane = (size_t)bitmap->height * (size_t)bitmap->width, i = 0;
    for (int y = 0; y < bitmap->height; y++)
        for (int x = 0; x < bitmap->width; x++, i++) {
            /* The stored pixel of (y, x) in the upright picture. From orientation 5 on, rows and
             * columns are exchanged; 3, 4, 6 and 7 count rows from the bottom; 2, 3, 7 and 8 count
             * columns from the right. */
            int orientation = raster->orientation, row = orientation >= 5 ? x : y,
                column = orientation >= 5 ? y : x;
            bool from_bottom =
                orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
            bool from_right =
                orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
            if (from_bottom) row = raster->height - 1 - row;
            if (from_right) column = raster->width - 1 - column;
            const uint8_t *pixel =
                raster->pixels +
                ((size_t)row * (size_t)raster->width + (size_t)column) * (raster->coloured ? 3 : 1);
            if (bitmap->channels == 1)
                bitmap->pixels[i] = raster->coloured ? grey_of(pixel) : *pixel;
            for (size_t c = 0; c < 3 && bitmap->channels == 3; c++)
                bitmap->pixels[c * plane + i] = pixel[raster->coloured ? c : 0];
        }
}

bool bitmap_decode(const void *bytes, size_t length, int channels, Bitmap *bitmap,
                   Problem *problem) {
    Raster raster;
    bool good = read_raster(bytes, length, true, &raster, problem);
    *bitmap = good ? bitmap_of(&raster) : (Bitmap){0};
    if (channels) bitmap->channels = channels;
    if (good)
        bitmap->pixels = memory_try_grow(NULL, (size_t)bitmap->height * (size_t)bitmap->width *
                                                   (size_t)bitmap->channels);
    if (bitmap->pixels)
        arrange(&raster, bitmap);
    else if (good)
        problem_set(problem, "no memory for its pixels");
    free(raster.pixels);
    return bitmap->pixels != NULL;
}

bool bitmap_open(const char *path, int channels, Bitmap *bitmap, Diagnostics *diag) {
    Problem problem = {0};
    Map map;
    *bitmap = (Bitmap){0};
    bool good = map_open(path, &map, &problem);
    if (good) {
        good = bitmap_decode(map.bytes, map.length, channels, bitmap, &problem);
        map_close(&map);
    }
    if (good) return true;
    diag_error(diag, STATUS_DATA, (Span){0}, "'%s': %s", path, problem.finding);
    if (*problem.help) diag_help(diag, "%s", problem.help);
    return false;
}

void bitmap_free(Bitmap *bitmap) {
    free(bitmap->pixels);
    *bitmap = (Bitmap){0};
}

/* -- size -- */

static double min_real(double a, double b) { return a < b ? a : b; }
static double max_real(double a, double b) { return a > b ? a : b; }

/* The length of the intersection of [i, i + 1) and [begin, end). */
static double overlap(int i, double begin, double end) {
    return max_real(0, min_real(end, i + 1) - max_real(begin, i));
}

double bitmap_mean(const Bitmap *bitmap, int channel, Area area, double outside) {
    const uint8_t *plane =
        bitmap->pixels + (size_t)channel * (size_t)bitmap->height * (size_t)bitmap->width;
    double sum = 0, inside = 0, whole = area.height * area.width;
    int y0 = (int)max_real(0, floor(area.top)),
        y1 = (int)min_real(bitmap->height, ceil(area.top + area.height));
    int x0 = (int)max_real(0, floor(area.left)),
        x1 = (int)min_real(bitmap->width, ceil(area.left + area.width));
    for (int y = y0; y < y1; y++) {
        double rows = overlap(y, area.top, area.top + area.height);
        for (int x = x0; x < x1; x++) {
            double share = rows * overlap(x, area.left, area.left + area.width);
            sum += share * plane[(size_t)y * (size_t)bitmap->width + (size_t)x];
            inside += share;
        }
    }
    return (sum + outside * (whole - inside)) / whole;
}

void bitmap_resize(const Bitmap *bitmap, int height, int width, uint8_t *to) {
    Area area = {.height = (double)bitmap->height / height, .width = (double)bitmap->width / width};
    if (height == bitmap->height && width == bitmap->width) {
        memcpy(to, bitmap->pixels, (size_t)bitmap->channels * (size_t)height * (size_t)width);
        return;
    }
    for (int c = 0; c < bitmap->channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                area.top = y * area.height;
                area.left = x * area.width;
                *to++ = (uint8_t)lrint(bitmap_mean(bitmap, c, area, 0));
            }
}
