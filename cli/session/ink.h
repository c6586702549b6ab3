/* The strokes of a drawn or photographed figure: found, cropped and centred, as the digits of MNIST
 * were. */
#ifndef MLC_CLI_SESSION_INK_H
#define MLC_CLI_SESSION_INK_H

#include "runtime/formats/bitmap.h"

/* Fills pixels[height][width] with bright strokes on black. The box around the strokes is scaled,
 * with its proportions, into a box of 20/28 of the size, and the centre of mass of the strokes
 * comes to the middle: see Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
 * digits". dark: the strokes are darker than the background. The first channel of the picture
 * counts. false: there are no strokes that differ from a plain background; then nothing is
 * written. */
bool ink_centre(const Bitmap *bitmap, bool dark, int height, int width, uint8_t *pixels);

#endif
