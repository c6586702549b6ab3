/* WebP, by libwebp: lossy and lossless, with and without alpha. */
#include "runtime/formats/raster.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

static bool cannot(Problem *problem, VP8StatusCode status) {
    const char *text = status == VP8_STATUS_NOT_ENOUGH_DATA ? "it is cut short"
                       : status == VP8_STATUS_OUT_OF_MEMORY ? "no memory"
                       : status == VP8_STATUS_UNSUPPORTED_FEATURE
                           ? "it has a feature that libwebp does not know"
                           : "its data are damaged";
    problem_set(problem, "it cannot be read as a WebP image: %s", text);
    return false;
}

/* The orientation in the chunk "EXIF". Chunks follow a header of 12 bytes; each has a name, a
 * length and data padded to an even length. */
static int orientation_of(const uint8_t *bytes, size_t length) {
    for (size_t at = 12; at + 8 <= length;) {
        size_t size = bytes[at + 4] | (size_t)bytes[at + 5] << 8 | (size_t)bytes[at + 6] << 16 |
                      (size_t)bytes[at + 7] << 24;
        if (size > length - at - 8) break;
        if (!memcmp(bytes + at, "EXIF", 4)) return exif_orientation(bytes + at + 8, size);
        at += 8 + size + size % 2;
    }
    return 1;
}

static VP8StatusCode decode(const uint8_t *bytes, size_t length, WEBP_CSP_MODE mode, size_t pixel,
                            const Raster *raster, uint8_t *to) {
    WebPDecoderConfig config;
    WebPInitDecoderConfig(&config);
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA =
        (WebPRGBABuffer){.rgba = to,
                         .stride = (int)((size_t)raster->width * pixel),
                         .size = (size_t)raster->width * (size_t)raster->height * pixel};
    return WebPDecode(bytes, length, &config);
}

static VP8StatusCode decode_over_white(const uint8_t *bytes, size_t length, const Raster *raster) {
    size_t count = (size_t)raster->width * (size_t)raster->height;
    uint8_t *rgba = memory_try_grow(NULL, 4 * count);
    VP8StatusCode status =
        rgba ? decode(bytes, length, MODE_RGBA, 4, raster, rgba) : VP8_STATUS_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && status == VP8_STATUS_OK; i++)
        for (size_t c = 0; c < 3; c++)
            raster->pixels[3 * i + c] = raster_over_white(rgba[4 * i + c], rgba[4 * i + 3], 255);
    free(rgba);
    return status;
}

bool raster_read_webp(const uint8_t *bytes, size_t length, bool whole, Raster *raster,
                      Problem *problem) {
    WebPBitstreamFeatures features;
    VP8StatusCode status = WebPGetFeatures(bytes, length, &features);
    if (status != VP8_STATUS_OK) return cannot(problem, status);
    if (features.has_animation) {
        problem_set(problem, "it is an animated WebP image, but must be a single picture");
        return false;
    }
    raster->coloured = true;
    raster->orientation = orientation_of(bytes, length);
    if (!raster_begin(raster, (uint64_t)features.height, (uint64_t)features.width, whole, problem))
        return false;
    if (!whole) return true;
    status = features.has_alpha ? decode_over_white(bytes, length, raster)
                                : decode(bytes, length, MODE_RGB, 3, raster, raster->pixels);
    return status == VP8_STATUS_OK || cannot(problem, status);
}
