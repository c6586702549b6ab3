/* Pictures in memory. Private to runtime/; the command line sees bitmap_open and what is made of it (runtime.h). */
#ifndef MLC_RUNTIME_FORMATS_BITMAP_H
#define MLC_RUNTIME_FORMATS_BITMAP_H

#include "runtime/formats/file_problem.h"
#include "runtime/runtime.h"

/* Size and colours, without the pixels. */
bool bitmap_look(const void *bytes, size_t length, Bitmap *bitmap, Problem *problem);
/* Decodes a picture, told by its content; channels 1: grey, 3: red, green, blue; 0: whichever it is. */
bool bitmap_decode(const void *bytes, size_t length, int channels, Bitmap *bitmap, Problem *problem);

#endif
