/* Convolution with 3 by 3 filters by Winograd's minimal filtering F(4 x 4, 3 x 3). A tile of 6 by 6
 * elements of a picture gives 4 by 4 elements of the result:
 *
 *     result = A' [(G filter G') * (B' tile B)] A
 *
 * The product * is elementwise, and the channels are added there. It takes 36 multiplications where
 * the definition takes 144. B', G and A' evaluate and interpolate polynomials at the points 0,
 * +-NEAR, +-FAR and infinity. With these two points the rounding errors are half of those of +-1
 * and +-2.
 *
 * The gradient of a filter is G' [sum over tiles of (B' tile B) * (A gradient A')] G.
 *
 * Each matrix is applied along the height first, then along the width. winograd_tile,
 * winograd_result and winograd_gradients in ir/eval/eval_winograd_loops.h are the sequences of
 * operations along one axis; compiled code performs the same. */
#ifndef MLC_IR_OPS_WINOGRAD_H
#define MLC_IR_OPS_WINOGRAD_H

#include "ir/base/integers.h"
#include "ir/ops/node.h"

enum {
    WINOGRAD_TAPS = 3,   /* of a filter, along one axis */
    WINOGRAD_RESULT = 4, /* elements of the result that a tile gives, along one axis */
    WINOGRAD_TILE = WINOGRAD_RESULT + WINOGRAD_TAPS - 1,
    WINOGRAD_PRODUCTS = WINOGRAD_TILE * WINOGRAD_TILE,
    /* Channels and filters are multiples of the first, and at most the second. */
    WINOGRAD_CHANNELS = 16,
    WINOGRAD_MAX_CHANNELS = 256
};

/* The points, and the numbers made of them. All are exact in f32. */
#define WINOGRAD_NEAR 0.75
#define WINOGRAD_FAR 1.5
#define WINOGRAD_NEAR_2 (WINOGRAD_NEAR * WINOGRAD_NEAR)
#define WINOGRAD_FAR_2 (WINOGRAD_FAR * WINOGRAD_FAR)
#define WINOGRAD_NEAR_3 (WINOGRAD_NEAR_2 * WINOGRAD_NEAR)
#define WINOGRAD_FAR_3 (WINOGRAD_FAR_2 * WINOGRAD_FAR)
#define WINOGRAD_SUM (WINOGRAD_NEAR_2 + WINOGRAD_FAR_2)
#define WINOGRAD_PRODUCT (WINOGRAD_NEAR_2 * WINOGRAD_FAR_2)

/* The number of tiles of pictures [N,H,W,C]. The last ones of a picture may stick out. */
static inline int64_t winograd_tiles(Shape pictures) {
    return pictures.dim[0] * divide_up(pictures.dim[1] - (WINOGRAD_TAPS - 1), WINOGRAD_RESULT) *
           divide_up(pictures.dim[2] - (WINOGRAD_TAPS - 1), WINOGRAD_RESULT);
}

/* Floating-point operations of a tile: its products, and both transforms. In the gradient of the
 * weights, the transform of the gradients takes as many as that of the results. */
static inline int64_t winograd_operations(int64_t channels, int64_t filters) {
    enum { OF_TILE_LINE = 24, OF_RESULT_LINE = 16 }; /* of one application along one axis */
    return 2 * WINOGRAD_PRODUCTS * channels * filters +
           2 * WINOGRAD_TILE * OF_TILE_LINE * channels +
           (WINOGRAD_TILE + WINOGRAD_RESULT) * OF_RESULT_LINE * filters;
}

#endif
