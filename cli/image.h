/* A PNG of any size and colour becomes the grey image that a network was trained on. */
#ifndef MLC_CLI_IMAGE_H
#define MLC_CLI_IMAGE_H

#include "ir/diag.h"

typedef struct {
    int height, width; /* of the file */
    bool inverted;     /* its background is light; the network knows bright strokes on black */
} ImageFacts;

/* Fills pixels[height][width]. The picture keeps its proportions; what is missing at two sides is filled with its background.
 * STATUS_FILE error and false if the file cannot be read. */
bool image_read(const char *path, int height, int width, uint8_t *pixels, ImageFacts *facts, Diagnostics *diag);

#endif
