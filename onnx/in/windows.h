/* Windows of convolution and pooling. Sequences are treated as pictures of height 1. Private to
 * onnx/in. */
#ifndef MLC_ONNX_IN_WINDOWS_H
#define MLC_ONNX_IN_WINDOWS_H

#include "onnx/in/translate.h"

/* A window with its height and width; in sequences [N, C, W] the height is 1. */
typedef struct {
    int64_t kernel[2], stride[2], dilation[2], before[2], after[2];
    Dim size[2];
    int axes; /* 1 or 2 */
} Windowing;

/* Reads kernel, strides, dilations and pads. `kernel` is that of the filters, or NULL. false after
 * reporting an error. */
bool window_take(const Import *import, const OpNode *node, const Tensor *x, const int64_t *kernel,
                 Windowing *window);
/* Whether the padding is the same on both sides. */
bool window_is_symmetric(const Windowing *window);
/* [N, C, W] as pictures of height 1. */
Tensor *window_picture(Import *import, Tensor *x, int axes);
/* Pads the input where the layer cannot: with zeros or another number, before and after each
 * axis. */
Tensor *window_padded(Import *import, Tensor *x, Windowing *window, const char *below);
/* The shape of the result; false after reporting that the kernel is larger than the input. */
bool window_dims(const Import *import, const OpNode *node, const Tensor *x, const Windowing *window,
                 int64_t channels, Dim dims[4]);
/* Gives a node on sequences its output 0: y without the axis of height 1. */
void window_give_sequence(Import *import, OpNode *node, Tensor *y, const Dim dims[4]);
/* The result of a layer in the shape of the file. In a file of sequences, the axis of height 1 is
 * removed. */
Tensor *window_layer(Import *import, OpNode *node, Tensor *x, const Windowing *window,
                     const char *text, const Dim dims[4]);
/* The text of the numbers: "3", or "[3, 5]". */
const char *window_pair(const Import *import, const int64_t pair[2]);
/* The text of an argument, ", NAME = VALUE"; "" if it has the default. */
const char *window_argument(const Import *import, const char *name, const int64_t pair[2],
                            int64_t standard);

#endif
