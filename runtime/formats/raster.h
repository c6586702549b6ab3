/* Decoders of pictures: from the bytes of a file to rows of 8-bit pixels. bitmap.c chooses the
 * decoder. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_RASTER_H
#define MLC_RUNTIME_FORMATS_RASTER_H

#include "runtime/formats/file_problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture as stored in its file. Transparent pixels are blended with white. */
typedef struct {
    int height, width; /* as stored, before `orientation` is applied */
    int orientation;   /* the EXIF orientation, 1 to 8; 1: upright as stored */
    bool coloured;
    /* [height][width], each 3 bytes (red, green, blue) if coloured, else 1 byte; the caller frees
     * it. NULL without `whole` */
    uint8_t *pixels;
} Raster;

/* Reads size, colour and orientation, and with `whole` the pixels. False after setting the problem;
 * raster->pixels may be set even then. */
typedef bool RasterRead(const uint8_t *bytes, size_t length, bool whole, Raster *raster,
                        Problem *problem);
RasterRead raster_read_png, raster_read_jpeg, raster_read_webp, raster_read_bmp;

/* Sets the size and with `whole` allocates the pixels. False after a problem: too many pixels. */
bool raster_begin(Raster *raster, uint64_t height, uint64_t width, bool whole, Problem *problem);

/* Blends a sample with white: round(255 (sample alpha + max (max - alpha)) / max^2). sample and
 * alpha are 0 to max; alpha 0 is transparent. */
static inline uint8_t raster_over_white(uint32_t sample, uint32_t alpha, uint32_t max) {
    uint64_t square = (uint64_t)max * max,
             mixed = (uint64_t)sample * alpha + (uint64_t)max * (max - alpha);
    return (uint8_t)((255 * mixed + square / 2) / square);
}

/* The orientation in EXIF data, with or without a leading "Exif\0\0"; 1 if it is missing or
 * damaged. */
int exif_orientation(const uint8_t *exif, size_t length);

#endif
