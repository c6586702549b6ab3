/* The decoders of pictures: a file's bytes become rows of 8-bit pixels. Private to runtime/;
 * bitmap.c chooses among them. */
#ifndef MLC_RUNTIME_FORMATS_RASTER_H
#define MLC_RUNTIME_FORMATS_RASTER_H

#include "runtime/formats/file_problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture as its file stores it. Transparent parts are laid over white. */
typedef struct {
    int height, width; /* as stored: before `orientation` turns the picture */
    int orientation;   /* of EXIF, 1 to 8; 1: as stored */
    bool coloured;
    /* [height][width], 3 bytes each (red, green, blue) if coloured, else 1. NULL if only looked at;
     * the caller frees it */
    uint8_t *pixels;
} Raster;

/* Reads size, colour and orientation, and with `whole` the pixels. False after saying what is
 * wrong; `raster->pixels` may be set even then. */
typedef bool RasterRead(const uint8_t *bytes, size_t length, bool whole, Raster *raster,
                        Problem *problem);
RasterRead raster_read_png, raster_read_jpeg, raster_read_webp, raster_read_bmp;

/* Sets the size, which must not exceed the bound on pixels, and with `whole` allocates the
 * pixels. */
bool raster_begin(Raster *raster, uint64_t height, uint64_t width, bool whole, Problem *problem);

/* A sample (0 to `max`) with an alpha (0 to `max`, 0 being transparent), over white, as a byte:
 * rounded to the nearest. */
static inline uint8_t raster_over_white(uint32_t sample, uint32_t alpha, uint32_t max) {
    uint64_t square = (uint64_t)max * max,
             mixed = (uint64_t)sample * alpha + (uint64_t)max * (max - alpha);
    return (uint8_t)((255 * mixed + square / 2) / square);
}

/* The orientation that EXIF data (with or without "Exif\0\0" before them) say; 1 if they say none
 * or are damaged. */
int exif_orientation(const uint8_t *exif, size_t length);

#endif
