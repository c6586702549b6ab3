/* Drawing on a white background: a thin layer over cairo. */
#include "cli/show/picture.h"
#include "ir/base/memory.h"

#include <math.h>
#include <fontconfig/fontconfig.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS_PER_POINT 2.0

void picture_colour(Picture *picture, Colour colour) {
    cairo_set_source_rgb(picture->cairo, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                         (colour & 255) / 255.0);
}

Picture picture_new(double width, double height) {
    Picture picture;
    picture.surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)(width * PIXELS_PER_POINT), (int)(height * PIXELS_PER_POINT));
    cairo_surface_set_device_scale(picture.surface, PIXELS_PER_POINT, PIXELS_PER_POINT);
    picture.cairo = cairo_create(picture.surface);
    picture_colour(&picture, COLOUR_PAPER);
    cairo_paint(picture.cairo);
    cairo_set_line_join(picture.cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(picture.cairo, CAIRO_LINE_CAP_ROUND);
    return picture;
}

/* Copies cairo's pixels, each a number 0xRRGGBB, into bytes red, green, blue. */
static void copy_pixels(cairo_surface_t *surface, int width, int height, uint8_t *rgb) {
    const unsigned char *row = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height; y++, row += stride)
        for (int x = 0; x < width; x++) {
            uint32_t pixel;
            memcpy(&pixel, row + 4 * x, sizeof pixel);
            for (int shift = 16; shift >= 0; shift -= 8) *rgb++ = (uint8_t)(pixel >> shift);
        }
}

/* Encodes the PNG in memory, so that file_write can replace the file in one step. libpng's fast
 * mode makes it a tenth larger than cairo's encoder, which takes longer than all drawing. NULL
 * after reporting an error. */
static void *encode(const Picture *picture, const char *path, size_t *length, Diagnostics *diag) {
    cairo_surface_t *surface = picture->surface;
    int width = cairo_image_surface_get_width(surface),
        height = cairo_image_surface_get_height(surface);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB,
                       .flags = PNG_IMAGE_FLAG_FAST};
    *length = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *rgb = memory_try_grow(NULL, PNG_IMAGE_SIZE(image)),
         *bytes = memory_try_grow(NULL, *length);
    bool good = rgb && bytes && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS &&
                cairo_status(picture->cairo) == CAIRO_STATUS_SUCCESS;
    if (good) copy_pixels(surface, width, height, rgb);
    good = good && png_image_write_to_memory(&image, bytes, length, 0, rgb, 0, NULL);
    free(rgb);
    if (good) return bytes;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot draw '%s': %s", path,
               *image.message ? image.message : "out of memory");
    free(bytes);
    return NULL;
}

bool picture_save(Picture *picture, const char *path, Diagnostics *diag) {
    size_t length;
    cairo_surface_flush(picture->surface);
    void *bytes = encode(picture, path, &length, diag);
    bool saved = bytes && file_write(path, bytes, length, diag);
    free(bytes);
    /* A command draws one picture, so the caches of cairo and fontconfig are freed. */
    cairo_destroy(picture->cairo);
    cairo_surface_destroy(picture->surface);
    cairo_debug_reset_static_data();
    FcFini();
    return saved;
}

static void select_font(Picture *picture, Font font, double size) {
    cairo_select_font_face(picture->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           font == FONT_BOLD ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(picture->cairo, size);
}

double picture_fitting_size(Picture *picture, Font font, double size, double width,
                            const char *text) {
    cairo_text_extents_t extents;
    select_font(picture, font, size);
    cairo_text_extents(picture->cairo, text, &extents);
    return extents.x_advance > width ? size * width / extents.x_advance : size;
}

void picture_text(Picture *picture, double x, double y, Align align, Font font, double size,
                  Colour colour, const char *text) {
    cairo_text_extents_t extents;
    select_font(picture, font, size);
    cairo_text_extents(picture->cairo, text, &extents);
    picture_colour(picture, colour);
    cairo_move_to(picture->cairo, x - extents.x_advance * (double)align / 2, y);
    cairo_show_text(picture->cairo, text);
}

void picture_line(Picture *picture, double x0, double y0, double x1, double y1, double width,
                  Colour colour) {
    picture_colour(picture, colour);
    cairo_set_line_width(picture->cairo, width);
    cairo_move_to(picture->cairo, x0, y0);
    cairo_line_to(picture->cairo, x1, y1);
    cairo_stroke(picture->cairo);
}

void picture_frame(Picture *picture, double x, double y, double width, double height, double line,
                   Colour colour) {
    picture_colour(picture, colour);
    cairo_set_line_width(picture->cairo, line);
    cairo_rectangle(picture->cairo, x, y, width, height);
    cairo_stroke(picture->cairo);
}

void picture_dot(Picture *picture, double x, double y, double radius, Colour colour) {
    picture_colour(picture, colour);
    cairo_arc(picture->cairo, x, y, radius, 0, 6.283185307179586);
    cairo_fill(picture->cairo);
}

void picture_box(Picture *picture, double x, double y, double width, double height, Colour colour) {
    picture_colour(picture, colour);
    cairo_rectangle(picture->cairo, x, y, width, height);
    cairo_fill(picture->cairo);
}

static cairo_surface_t *image_surface(const uint8_t *pixels, int rows, int columns, int channels) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
    unsigned char *bytes = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    size_t plane = channels == 3 ? (size_t)rows * (size_t)columns : 0;
    for (int y = 0; bytes && y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            const uint8_t *at = pixels + y * columns + x;
            uint32_t pixel = (uint32_t)at[0] << 16 | (uint32_t)at[plane] << 8 | at[2 * plane];
            memcpy(bytes + y * stride + 4 * x, &pixel, sizeof pixel);
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

void picture_image(Picture *picture, double x, double y, double width, double height,
                   const uint8_t *pixels, int rows, int columns, int channels) {
    cairo_surface_t *image = image_surface(pixels, rows, columns, channels);
    cairo_save(picture->cairo);
    cairo_translate(picture->cairo, x, y);
    cairo_scale(picture->cairo, width / columns, height / rows);
    cairo_set_source_surface(picture->cairo, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(picture->cairo), CAIRO_FILTER_NEAREST);
    cairo_paint(picture->cairo);
    cairo_restore(picture->cairo);
    cairo_surface_destroy(image);
}

double picture_tick_step(double range, int wanted) {
    double power = pow(10, floor(log10(range / wanted))), times = range / wanted / power;
    return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}
