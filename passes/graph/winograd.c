/* Writes a convolution as the product of transformed tiles and filters: see ir/ops/winograd.h. */
#include "passes/graph/winograd.h"
#include "ir/base/integers.h"
#include "ir/ops/winograd.h"

/* -- when it pays -- */

/* The cost of a tile, in multiply-adds of one long product, as measured. OF_PRODUCTS, for each pair
 * of a channel and a filter: 36 multiply-adds, which take a quarter longer in short products.
 * OF_CHANNEL and OF_FILTER: the transforms for each channel and for each filter. */
enum { OF_PRODUCTS = 45, OF_CHANNEL = 400, OF_FILTER = 250 };

/* The cost of a tile for the gradient of the weights. At least sixteen channels share a transform
 * of gradients. */
enum { OF_SUMS = 54, OF_CHANNEL_SUM = 400, OF_GRADIENT = 300 };

/* Tiles are used if the sums in order cost at least GAIN / GAIN_OF times as much. */
enum { GAIN = 13, GAIN_OF = 10 };

bool winograd_allows(const Attrs *conv, Shape weights) {
    bool allows = conv->conv.groups == 1;
    for (int i = 0; i < 2; i++)
        allows &= conv->conv.stride[i] == 1 && conv->conv.dilation[i] == 1 &&
                  weights.dim[2 + i] == WINOGRAD_TAPS && weights.dim[i] % WINOGRAD_CHANNELS == 0 &&
                  weights.dim[i] <= WINOGRAD_MAX_CHANNELS;
    return allows;
}

/* cost: of a tile */
static bool tiles_pay(Shape weights, Shape result, int64_t cost) {
    int64_t whole = WINOGRAD_TAPS * WINOGRAD_TAPS * weights.dim[0] * weights.dim[1];
    int64_t tiles =
        divide_up(result.dim[2], WINOGRAD_RESULT) * divide_up(result.dim[3], WINOGRAD_RESULT);
    return whole * result.dim[2] * result.dim[3] * GAIN_OF >= cost * tiles * GAIN;
}

bool winograd_pays(Shape weights, Shape result) {
    int64_t filters = weights.dim[0], channels = weights.dim[1];
    return tiles_pay(weights, result,
                     OF_PRODUCTS * channels * filters + OF_CHANNEL * channels +
                         OF_FILTER * filters);
}

bool winograd_weights_pay(Shape weights, Shape result) {
    int64_t filters = weights.dim[0], channels = weights.dim[1];
    return tiles_pay(weights, result,
                     OF_SUMS * channels * filters + OF_CHANNEL_SUM * channels +
                         OF_GRADIENT * filters);
}

/* -- the transformed filters -- */

static NodeId number(Graph *graph, double value) {
    return build_f32(graph, value, shape_of(2, (int64_t[]){1, 1}));
}

/* The powers 1, p, p^2 of each point, [6, 3]. Of infinity, the last power counts. */
static NodeId powers(Graph *graph) {
    static const double points[] = {0, WINOGRAD_NEAR, -WINOGRAD_NEAR, WINOGRAD_FAR, -WINOGRAD_FAR};
    NodeId rows[WINOGRAD_TILE], zero = number(graph, 0), one = number(graph, 1);
    for (int i = 0; i < WINOGRAD_TILE - 1; i++)
        rows[i] = build_concat(
            graph, (NodeId[]){one, number(graph, points[i]), number(graph, points[i] * points[i])},
            WINOGRAD_TAPS, 1);
    rows[WINOGRAD_TILE - 1] = build_concat(graph, (NodeId[]){zero, zero, one}, WINOGRAD_TAPS, 1);
    return build_concat(graph, rows, WINOGRAD_TILE, 0);
}

/* For each point the product of its distances from the other points, [6, 1]; of infinity, 1. */
static NodeId distances(Graph *graph) {
    const double apart = 2 * (WINOGRAD_NEAR_2 - WINOGRAD_FAR_2);
    NodeId near = number(graph, WINOGRAD_NEAR_2 * apart),
           far = number(graph, -WINOGRAD_FAR_2 * apart);
    NodeId all[] = {number(graph, WINOGRAD_PRODUCT), near, near, far, far, number(graph, 1)};
    return build_concat(graph, all, WINOGRAD_TILE, 0);
}

/* m[i, k] m[j, l] for a matrix with six rows, [6, 6, columns, columns]. */
static NodeId pairs(Graph *graph, NodeId m, int64_t columns) {
    int64_t down[] = {WINOGRAD_TILE, 1, columns, 1}, across[] = {1, WINOGRAD_TILE, 1, columns};
    return build_binary(graph, OP_mul, build_reshape(graph, m, shape_of(4, down)),
                        build_reshape(graph, m, shape_of(4, across)));
}

/* G along both axes as one matrix, [36, 9]. Powers and distances are exact, so that each element is
 * rounded once. */
static NodeId filter_transform(Graph *graph) {
    NodeId matrix = build_binary(graph, OP_div, pairs(graph, powers(graph), WINOGRAD_TAPS),
                                 pairs(graph, distances(graph), 1));
    return build_reshape(
        graph, matrix, shape_of(2, (int64_t[]){WINOGRAD_PRODUCTS, WINOGRAD_TAPS * WINOGRAD_TAPS}));
}

/* From [O,C,3,3] to [36,C,O]. */
static NodeId transformed_filters(Graph *graph, NodeId weights) {
    Shape shape = graph_node(graph, weights)->shape;
    int64_t filters = shape.dim[0], channels = shape.dim[1];
    int64_t taps[] = {WINOGRAD_TAPS * WINOGRAD_TAPS, channels * filters};
    NodeId by_tap = build_reshape(graph, build_transpose(graph, weights, (int64_t[]){2, 3, 1, 0}),
                                  shape_of(2, taps));
    NodeId product = build_matmul(graph, filter_transform(graph), by_tap, false, false);
    return build_reshape(graph, product,
                         shape_of(3, (int64_t[]){WINOGRAD_PRODUCTS, channels, filters}));
}

NodeId winograd_conv(Graph *graph, NodeId x, NodeId weights) {
    NodeId pictures = build_channels_last(graph, x);
    return build_channels_first(
        graph, build_winograd(graph, pictures, transformed_filters(graph, weights)));
}

NodeId winograd_weights(Graph *graph, NodeId x, NodeId gradient) {
    NodeId parts = build_winograd_weights(graph, build_channels_last(graph, x),
                                          build_channels_last(graph, gradient));
    NodeId sums = build_reduce(graph, OP_sum, parts, 0, false);
    Shape shape = graph_node(graph, sums)->shape; /* [36,C,O] */
    int64_t channels = shape.dim[1], filters = shape.dim[2];
    sums =
        build_reshape(graph, sums, shape_of(2, (int64_t[]){WINOGRAD_PRODUCTS, channels * filters}));
    NodeId by_tap = build_matmul(graph, filter_transform(graph), sums, true, false);
    int64_t apart[] = {WINOGRAD_TAPS, WINOGRAD_TAPS, channels, filters};
    return build_transpose(graph, build_reshape(graph, by_tap, shape_of(4, apart)),
                           (int64_t[]){3, 2, 0, 1});
}
