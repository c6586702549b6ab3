/* A picture of any size and colour becomes the image that a network was trained on. */
#ifndef MLC_CLI_SESSION_IMAGE_H
#define MLC_CLI_SESSION_IMAGE_H

#include "ir/base/diag.h"

/* What to do about a picture whose background is light, where the network knows bright strokes on black. */
typedef enum { INVERT_AUTO, INVERT_YES, INVERT_NO } Invert;

typedef struct {
    int height, width; /* of the file */
    bool coloured;     /* the file is */
    bool light;        /* its background is light */
    bool inverted;
    bool centred; /* cropped to its strokes */
} ImageFacts;

/* Whether the strokes of a grey picture are cropped and centred (ink.h). */
typedef enum { FIT_AUTO, FIT_YES, FIT_NO } FitChoice;

typedef struct {
    Invert invert;
    bool centre; /* a picture of another size whose channels are 1 */
} FitRequest;

/* Fills pixels[channels][height][width], keeping the picture's proportions; what is missing at two sides is filled with its
 * background. STATUS_DATA error and false if the file cannot be read. */
bool image_fit(const char *path, int channels, int height, int width, FitRequest request, uint8_t *pixels, ImageFacts *facts,
               Diagnostics *diag);
/* The same, but stretched to the size, as the source images() does it. */
bool image_stretch(const char *path, int channels, int height, int width, uint8_t *pixels, ImageFacts *facts,
                   Diagnostics *diag);

#endif
