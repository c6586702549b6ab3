/* Finds the strokes of a drawn or photographed figure, crops and centres them as in MNIST. */
#ifndef MLC_CLI_SESSION_INK_H
#define MLC_CLI_SESSION_INK_H

#include "runtime/formats/bitmap.h"

/* Fills pixels[height][width] with bright strokes on black. The bounding box of the strokes is
 * scaled to 20/28 of the size, and their centre of mass is moved to the middle: see Y. LeCun, C.
 * Cortes, C. Burges, "The MNIST database of handwritten digits". dark: the strokes are darker than
 * the background. Only the first channel is used. false if the picture has no strokes; then nothing
 * is written. */
bool ink_centre(const Bitmap *bitmap, bool dark, int height, int width, uint8_t *pixels);

#endif
