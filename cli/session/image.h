/* Converts a picture of any size and colour into the image format that a network reads. */
#ifndef MLC_CLI_SESSION_IMAGE_H
#define MLC_CLI_SESSION_IMAGE_H

#include "cli/session/options.h"
#include "ir/base/diag.h"

typedef struct {
    int height, width; /* of the file */
    bool coloured;     /* the file has colours */
    bool light;        /* its background is light */
    bool inverted;     /* light and dark have been exchanged */
    bool centred;      /* cropped to its strokes */
} ImageFacts;

typedef struct {
    /* exchange light and dark, for networks trained on bright strokes on black */
    Choice_invert invert;
    /* crop a grey picture of another size to its strokes and centre it (ink.h) */
    bool centre;
} FitRequest;

/* Fills pixels[channels][height][width] and keeps the proportions of the picture: two sides are
 * filled with its background. false after a STATUS_DATA error if the file cannot be read. */
bool image_fit(const char *path, int channels, int height, int width, FitRequest request,
               uint8_t *pixels, ImageFacts *facts, Diagnostics *diag);
/* The same, but stretches the picture to the size, as the source images() does. */
bool image_stretch(const char *path, int channels, int height, int width, uint8_t *pixels,
                   ImageFacts *facts, Diagnostics *diag);

#endif
