/* A PNG of any size and colour becomes the grey image that a network was trained on. */
#include "cli/image.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS_MAX = 1 << 26 };

typedef struct {
    int height, width;
    uint8_t *pixels; /* grey */
} GreyImage;

static bool report(const char *path, const char *reason, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot read '%s' as a PNG image: %s", path, reason);
    return false;
}

/* Transparent parts become white: they are paper. */
static bool read_grey(const char *path, GreyImage *image, Diagnostics *diag) {
    png_image png = {.version = PNG_IMAGE_VERSION};
    const png_color paper = {255, 255, 255};
    if (!png_image_begin_read_from_file(&png, path)) return report(path, png.message, diag);
    png.format = PNG_FORMAT_GRAY;
    bool too_large = (uint64_t)png.width * png.height > PIXELS_MAX;
    uint8_t *pixels = too_large ? NULL : malloc(PNG_IMAGE_SIZE(png));
    if (!pixels || !png_image_finish_read(&png, &paper, pixels, 0, NULL)) {
        report(path, too_large ? "it has more than 64 million pixels" : png.message, diag);
        png_image_free(&png);
        free(pixels);
        return false;
    }
    *image = (GreyImage){(int)png.height, (int)png.width, pixels};
    return true;
}

/* The mean of the pixels at the border */
static double background(const GreyImage *image) {
    double sum = 0, count = 0;
    for (int y = 0; y < image->height; y++) {
        bool edge = y == 0 || y == image->height - 1;
        int step = edge || image->width == 1 ? 1 : image->width - 1;
        for (int x = 0; x < image->width; x += step, count++)
            sum += image->pixels[(size_t)y * (size_t)image->width + (size_t)x];
    }
    return sum / count;
}

/* How much of the unit interval [i, i + 1) lies in [begin, end) */
static double overlap(int i, double begin, double end) {
    return fmax(0, fmin(end, i + 1) - fmax(begin, i));
}

/* The mean over a rectangle of the image's plane; outside the image there is background. */
static double mean_of(const GreyImage *image, double top, double left, double size, double outside) {
    double sum = 0, inside = 0;
    int y0 = (int)fmax(0, floor(top)), y1 = (int)fmin(image->height, ceil(top + size));
    int x0 = (int)fmax(0, floor(left)), x1 = (int)fmin(image->width, ceil(left + size));
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            double area = overlap(y, top, top + size) * overlap(x, left, left + size);
            sum += area * image->pixels[(size_t)y * (size_t)image->width + (size_t)x];
            inside += area;
        }
    }
    return (sum + outside * (size * size - inside)) / (size * size);
}

static void resize(const GreyImage *image, int height, int width, double outside, bool invert, uint8_t *pixels) {
    double size = fmax((double)image->height / height, (double)image->width / width);
    double top = (image->height - size * height) / 2, left = (image->width - size * width) / 2;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double mean = mean_of(image, top + y * size, left + x * size, size, outside);
            pixels[y * width + x] = (uint8_t)lrint(invert ? 255 - mean : mean);
        }
    }
}

bool image_read(const char *path, int height, int width, uint8_t *pixels, ImageFacts *facts, Diagnostics *diag) {
    GreyImage image;
    if (!read_grey(path, &image, diag)) return false;
    double outside = background(&image);
    *facts = (ImageFacts){image.height, image.width, outside > 127.5};
    resize(&image, height, width, outside, facts->inverted, pixels);
    free(image.pixels);
    return true;
}
