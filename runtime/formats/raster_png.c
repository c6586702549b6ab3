/* PNG, by libpng: samples are used as stored. Gamma, colour profile and significant bits are
 * ignored, as in Pillow: their chunks are skipped. */
#include "runtime/formats/raster.h"
#include "ir/base/memory.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t length, at;
    png_structp png;
    png_infop info;
    uint8_t *rows; /* one row, or all of an interlaced picture */
    Raster *raster;
    Problem *problem;
} PngReading;

static void on_error(png_structp png, const char *message) {
    const PngReading *reading = png_get_error_ptr(png);
    problem_set(reading->problem, "it cannot be read as a PNG image: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, const char *message) {
    (void)png;
    (void)message;
}

static void take_bytes(png_structp png, png_bytep to, size_t count) {
    PngReading *reading = png_get_io_ptr(png);
    if (count > reading->length - reading->at) png_error(png, "it is cut short");
    memcpy(to, reading->bytes + reading->at, count);
    reading->at += count;
}

/* Whether the palette has colours: many programs store grey pictures with a grey palette. */
static bool is_coloured(const PngReading *reading) {
    png_colorp palette;
    int count;
    if (png_get_color_type(reading->png, reading->info) != PNG_COLOR_TYPE_PALETTE)
        return (png_get_color_type(reading->png, reading->info) & PNG_COLOR_MASK_COLOR) != 0;
    if (!png_get_PLTE(reading->png, reading->info, &palette, &count)) return true;
    for (int i = 0; i < count; i++)
        if (palette[i].red != palette[i].green || palette[i].red != palette[i].blue) return true;
    return false;
}

static uint32_t sample_at(const uint8_t *row, size_t i, bool deep) {
    return deep ? (uint32_t)row[2 * i] << 8 | row[2 * i + 1] : row[i];
}

/* Converts a row expanded by libpng: 1 to 4 samples of 8 or 16 bits per pixel, the alpha last. */
static void put_row(const PngReading *reading, const uint8_t *row, uint8_t *to) {
    size_t channels = png_get_channels(reading->png, reading->info),
           width = (size_t)reading->raster->width;
    size_t kept = reading->raster->coloured ? 3 : 1;
    bool deep = png_get_bit_depth(reading->png, reading->info) == 16, alpha = channels % 2 == 0;
    uint32_t max = deep ? 65535 : 255;
    if (!deep && channels == kept) {
        memcpy(to, row, width * kept);
        return;
    }
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < kept; c++)
            *to++ =
                raster_over_white(sample_at(row, x * channels + c, deep),
                                  alpha ? sample_at(row, (x + 1) * channels - 1, deep) : max, max);
}

static void read_pixels(PngReading *reading) {
    png_structp png = reading->png;
    png_set_expand(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reading->info);
    size_t height = (size_t)reading->raster->height, bytes = png_get_rowbytes(png, reading->info);
    size_t to_bytes = (size_t)reading->raster->width * (reading->raster->coloured ? 3 : 1);
    reading->rows = memory_try_grow(NULL, bytes * (passes > 1 ? height : 1));
    if (!reading->rows) png_error(png, "no memory");
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++) {
            uint8_t *row = reading->rows + (passes > 1 ? y * bytes : 0);
            png_read_row(png, row, NULL);
            if (pass == passes - 1) put_row(reading, row, reading->raster->pixels + y * to_bytes);
        }
    png_read_end(png, NULL);
}

static bool read(PngReading *reading, bool whole) {
    if (setjmp(png_jmpbuf(reading->png))) return false;
    /* all chunks except critical ones, tRNS and the orientation */
    static const char skipped[] =
        "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt";
    png_set_keep_unknown_chunks(reading->png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep)skipped,
                                sizeof skipped / 5);
    png_set_read_fn(reading->png, reading, take_bytes);
    png_read_info(reading->png, reading->info);
    reading->raster->coloured = is_coloured(reading);
    png_bytep exif;
    png_uint_32 length;
    if (png_get_eXIf_1(reading->png, reading->info, &length, &exif))
        reading->raster->orientation = exif_orientation(exif, length);
    if (!raster_begin(reading->raster, png_get_image_height(reading->png, reading->info),
                      png_get_image_width(reading->png, reading->info), whole, reading->problem))
        return false;
    if (whole) read_pixels(reading);
    return true;
}

bool raster_read_png(const uint8_t *bytes, size_t length, bool whole, Raster *raster,
                     Problem *problem) {
    PngReading reading = {.bytes = bytes, .length = length, .raster = raster, .problem = problem};
    reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
    reading.info = reading.png ? png_create_info_struct(reading.png) : NULL;
    if (!reading.info) problem_set(problem, "it cannot be read as a PNG image: no memory");
    bool good = reading.info && read(&reading, whole);
    png_destroy_read_struct(&reading.png, &reading.info, NULL);
    free(reading.rows);
    return good;
}
