/* Pictures in memory. */
#ifndef MLC_RUNTIME_FORMATS_BITMAP_H
#define MLC_RUNTIME_FORMATS_BITMAP_H

#include "ir/base/diag.h"
#include "runtime/formats/file_problem.h"

typedef struct {
    int height, width, channels; /* 1: grey; 3: red, green, blue */
    bool coloured;               /* the file's pixels are; `channels` may have been asked for */
    uint8_t *pixels;             /* [channels][height][width] */
} Bitmap;
/* What kind of picture a file is by its first bytes: "PNG", "GIF"...; NULL: none, or no file that
 * can be read. readable: mlc decodes that kind. */
const char *bitmap_kind(const char *path, bool *readable);
/* Whether a name ends as those of pictures do that mlc reads: .png, .JPG... */
bool bitmap_has_ending(const char *name);
/* Reads a picture, whatever its name; channels 1 or 3 makes it grey or coloured, 0 takes it as it
 * is. STATUS_DATA error and false if it cannot be read. */
bool bitmap_open(const char *path, int channels, Bitmap *bitmap, Diagnostics *diag);
void bitmap_free(Bitmap *bitmap);
/* Stretched or shrunk to another size, every pixel the mean of the area it covers; fills
 * to[channels][height][width]. */
void bitmap_resize(const Bitmap *bitmap, int height, int width, uint8_t *to);
/* The mean over an area of one channel's plane, which may lie outside of the picture: there it is
 * `outside`. */
typedef struct {
    double top, left, height, width;
} Area;
double bitmap_mean(const Bitmap *bitmap, int channel, Area area, double outside);

/* Size and colours, without the pixels. */
bool bitmap_look(const void *bytes, size_t length, Bitmap *bitmap, Problem *problem);
/* Decodes a picture, told by its content; channels 1: grey, 3: red, green, blue; 0: whichever it
 * is. */
bool bitmap_decode(const void *bytes, size_t length, int channels, Bitmap *bitmap,
                   Problem *problem);

#endif
