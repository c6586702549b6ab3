/* Converts a picture of any size and colour into the image format that a network reads. */
#include "cli/session/image.h"
#include "cli/session/ink.h"
#include "runtime/formats/bitmap.h"

#include <math.h>

/* The mean of the border pixels. */
static double background(const Bitmap *bitmap, int channel) {
    const uint8_t *plane =
        bitmap->pixels + (size_t)channel * (size_t)bitmap->height * (size_t)bitmap->width;
    double sum = 0, count = 0;
    for (int y = 0; y < bitmap->height; y++) {
        bool edge = y == 0 || y == bitmap->height - 1;
        int step = edge || bitmap->width == 1 ? 1 : bitmap->width - 1;
        for (int x = 0; x < bitmap->width; x += step, count++)
            sum += plane[(size_t)y * (size_t)bitmap->width + (size_t)x];
    }
    return sum / count;
}

static ImageFacts facts_of(const Bitmap *bitmap) {
    return (ImageFacts){
        .height = bitmap->height, .width = bitmap->width, .coloured = bitmap->coloured};
}

static void fit_channel(const Bitmap *bitmap, int channel, int height, int width, bool invert,
                        uint8_t *pixels) {
    double size = fmax((double)bitmap->height / height, (double)bitmap->width / width);
    double top = (bitmap->height - size * height) / 2, left = (bitmap->width - size * width) / 2;
    double outside = background(bitmap, channel);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double mean = bitmap_mean(bitmap, channel,
                                      (Area){top + y * size, left + x * size, size, size}, outside);
            pixels[y * width + x] = (uint8_t)lrint(invert ? 255 - mean : mean);
        }
    }
}

bool image_fit(const char *path, int channels, int height, int width, FitRequest request,
               uint8_t *pixels, ImageFacts *facts, Diagnostics *diag) {
    Bitmap bitmap;
    if (!bitmap_open(path, channels, &bitmap, diag)) return false;
    *facts = facts_of(&bitmap);
    /* The background of a colour picture is the mean over its channels. */
    double sum = 0;
    for (int c = 0; c < bitmap.channels; c++) sum += background(&bitmap, c);
    facts->light = sum / bitmap.channels > 127.5;
    facts->inverted = request.invert == CHOICE_invert_yes ||
                      (request.invert == CHOICE_invert_auto && facts->light);
    bool other_size = bitmap.height != height || bitmap.width != width;
    facts->centred = request.centre && other_size && channels == 1 &&
                     ink_centre(&bitmap, facts->inverted, height, width, pixels);
    for (int c = 0; c < channels && !facts->centred; c++)
        fit_channel(&bitmap, c, height, width, facts->inverted,
                    pixels + (size_t)c * (size_t)height * (size_t)width);
    bitmap_free(&bitmap);
    return true;
}

bool image_stretch(const char *path, int channels, int height, int width, uint8_t *pixels,
                   ImageFacts *facts, Diagnostics *diag) {
    Bitmap bitmap;
    if (!bitmap_open(path, channels, &bitmap, diag)) return false;
    *facts = facts_of(&bitmap);
    bitmap_resize(&bitmap, height, width, pixels);
    bitmap_free(&bitmap);
    return true;
}
