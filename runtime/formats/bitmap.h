/* Pictures in memory. */
#ifndef MLC_RUNTIME_FORMATS_BITMAP_H
#define MLC_RUNTIME_FORMATS_BITMAP_H

#include "ir/base/diag.h"
#include "runtime/formats/file_problem.h"

typedef struct {
    int height, width, channels; /* 1: grey; 3: red, green, blue */
    bool coloured;               /* the file has colours, whatever `channels` is */
    uint8_t *pixels;             /* [channels][height][width] */
} Bitmap;
/* The kind of picture by the first bytes of a file: "PNG", "GIF"...; NULL: not a picture, or
 * unreadable. *readable: mlc can decode it. */
const char *bitmap_kind(const char *path, bool *readable);
/* Whether a name has the ending of a picture that mlc can decode: .png, .JPG... */
bool bitmap_has_ending(const char *name);
/* Reads a picture, recognized by content. channels: 1 converts to grey, 3 to colour, 0 keeps the
 * file's. false after a STATUS_DATA error. */
bool bitmap_open(const char *path, int channels, Bitmap *bitmap, Diagnostics *diag);
void bitmap_free(Bitmap *bitmap);
/* Scales a picture: every pixel of to[channels][height][width] is the mean of the area it
 * covers. */
void bitmap_resize(const Bitmap *bitmap, int height, int width, uint8_t *to);
/* The mean over an area of one channel. Parts outside of the picture count as `outside`. */
typedef struct {
    double top, left, height, width;
} Area;
double bitmap_mean(const Bitmap *bitmap, int channel, Area area, double outside);

/* Reads size and colours, without the pixels. */
bool bitmap_look(const void *bytes, size_t length, Bitmap *bitmap, Problem *problem);
/* Decodes a picture, recognized by content; `channels` as in bitmap_open. */
bool bitmap_decode(const void *bytes, size_t length, int channels, Bitmap *bitmap,
                   Problem *problem);

#endif
