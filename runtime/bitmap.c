/* PNG pictures: decoded by libpng, made grey, brought to a size by means over areas. */
#include "runtime/bitmap.h"
#include "runtime/map.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS_MAX = 1 << 26 };

static bool begin(png_image *png, const void *bytes, size_t length, Bitmap *bitmap, Problem *problem) {
    *png = (png_image){.version = PNG_IMAGE_VERSION};
    *bitmap = (Bitmap){0};
    if (!png_image_begin_read_from_memory(png, bytes, length)) {
        problem_set(problem, "it cannot be read as a PNG image: %s", png->message);
        return false;
    }
    *bitmap = (Bitmap){.height = (int)png->height, .width = (int)png->width};
    bitmap->coloured = (png->format & PNG_FORMAT_FLAG_COLOR) != 0;
    bitmap->channels = bitmap->coloured ? 3 : 1;
    if ((uint64_t)png->width * png->height <= PIXELS_MAX) return true;
    problem_set(problem, "it has more than 64 million pixels");
    png_image_free(png);
    return false;
}

bool bitmap_look(const void *bytes, size_t length, Bitmap *bitmap, Problem *problem) {
    png_image png;
    if (!begin(&png, bytes, length, bitmap, problem)) return false;
    png_image_free(&png);
    return true;
}

/* The weights of ITU-R 601, in 16 bits, as most programs have them. */
static uint8_t grey_of(const uint8_t *rgb) {
    return (uint8_t)((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
}

/* From pixel after pixel to channel after channel. */
static void arrange(const uint8_t *from, bool coloured, int channels, size_t count, uint8_t *to) {
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixel = from + (coloured ? 3 * i : i);
        if (channels == 1) to[i] = coloured ? grey_of(pixel) : *pixel;
        for (int c = 0; c < channels && channels > 1; c++) to[(size_t)c * count + i] = pixel[coloured ? c : 0];
    }
}

/* Transparent parts become white: they are paper. */
bool bitmap_decode(const void *bytes, size_t length, int channels, Bitmap *bitmap, Problem *problem) {
    png_image png;
    const png_color paper = {255, 255, 255};
    if (!begin(&png, bytes, length, bitmap, problem)) return false;
    size_t count = (size_t)png.width * png.height;
    png.format = bitmap->coloured ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    uint8_t *pixels = malloc(count * 3);
    bool good = pixels && png_image_finish_read(&png, &paper, pixels, 0, NULL);
    if (!good) problem_set(problem, "it cannot be read as a PNG image: %s", pixels ? png.message : "no memory");
    png_image_free(&png);
    if (channels) bitmap->channels = channels;
    bitmap->pixels = good ? malloc(count * (size_t)bitmap->channels) : NULL;
    if (bitmap->pixels) arrange(pixels, bitmap->coloured, bitmap->channels, count, bitmap->pixels);
    free(pixels);
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
    if (!good) diag_error(diag, STATUS_DATA, (Span){0}, "'%s': %s", path, problem.finding);
    return good;
}

void bitmap_free(Bitmap *bitmap) {
    free(bitmap->pixels);
    *bitmap = (Bitmap){0};
}

/* -- size -- */

static double shorter(double a, double b) { return a < b ? a : b; }
static double longer(double a, double b) { return a > b ? a : b; }

/* How much of the unit interval [i, i + 1) lies in [begin, end) */
static double overlap(int i, double begin, double end) { return longer(0, shorter(end, i + 1) - longer(begin, i)); }

double bitmap_mean(const Bitmap *bitmap, int channel, Area area, double outside) {
    const uint8_t *plane = bitmap->pixels + (size_t)channel * (size_t)bitmap->height * (size_t)bitmap->width;
    double sum = 0, inside = 0, whole = area.height * area.width;
    int y0 = (int)longer(0, floor(area.top)), y1 = (int)shorter(bitmap->height, ceil(area.top + area.height));
    int x0 = (int)longer(0, floor(area.left)), x1 = (int)shorter(bitmap->width, ceil(area.left + area.width));
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
