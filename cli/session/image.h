/* A picture of any size and colour becomes the image that a network was trained on. */
#ifndef MLC_CLI_SESSION_IMAGE_H
#define MLC_CLI_SESSION_IMAGE_H

#include "cli/session/options.h"
#include "ir/base/diag.h"

typedef struct {
    int height, width; /* of the file */
    bool coloured;     /* the file is */
    bool light;        /* its background is light */
    bool inverted;
    bool centred; /* cropped to its strokes */
} ImageFacts;

typedef struct {
    /* exchange light and dark: a network may know bright strokes on black only */
    Choice_invert invert;
    /* crop a grey picture of another size to its strokes and centre it (ink.h) */
    bool centre;
} FitRequest;

/* Fills pixels[channels][height][width], keeping the picture's proportions; what is missing at two
 * sides is filled with its background. STATUS_DATA error and false if the file cannot be read. */
bool image_fit(const char *path, int channels, int height, int width, FitRequest request,
               uint8_t *pixels, ImageFacts *facts, Diagnostics *diag);
/* The same, but stretched to the size, as the source images() does it. */
bool image_stretch(const char *path, int channels, int height, int width, uint8_t *pixels,
                   ImageFacts *facts, Diagnostics *diag);

#endif
