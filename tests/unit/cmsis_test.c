/* Networks of bytes compute what CMSIS-NN computes where it rounds once
 * (CMSIS_NN_USE_SINGLE_ROUNDING). The functions below compute what its documentation defines: the
 * requantization of a sum, and a fully connected layer with a multiplier for each channel. Its
 * bytes have signs: x is q - 128. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"

static uint32_t number;

/* A whole number from low to high. */
static int64_t draw_between(int64_t low, int64_t high) {
    number = number * 1664525u + 1013904223u;
    uint64_t wide = (uint64_t)number << 32;
    number = number * 1664525u + 1013904223u;
    return low + (int64_t)((wide | number) % (uint64_t)(high - low + 1));
}

/* -- what CMSIS-NN defines -- */

/* a / 2^bits to the nearest whole number, from the middle up */
static int64_t nearest_up(int64_t a, int bits) {
    int64_t unit = (int64_t)1 << bits, whole = a / unit, rest = a % unit;
    if (rest < 0) whole--, rest += unit;
    return whole + (rest >= unit - rest);
}

/* The same, from the middle away from zero. */
static int64_t nearest_away(int64_t a, int bits) {
    return a < 0 ? -nearest_up(-a, bits) : nearest_up(a, bits);
}

/* value * multiplier / 2^(31 - shift), where shift is at most 0. The variant that rounds once. */
static int32_t requantized(int32_t value, int32_t multiplier, int32_t shift) {
    return (int32_t)nearest_up((int64_t)value * multiplier, 31 - shift);
}

/* The default of CMSIS-NN, which rounds the quotient by 2^31, and then that by 2^-shift. */
static int32_t requantized_twice(int32_t value, int32_t multiplier, int32_t shift) {
    int64_t high = nearest_up((int64_t)value * multiplier, 31);
    return (int32_t)(shift ? nearest_away(high, -shift) : high);
}

enum { ROWS = 7, INPUTS = 61, OUTPUTS = 19 };
typedef struct {
    int8_t x[ROWS * INPUTS], weights[OUTPUTS * INPUTS]; /* each output has a row of weights */
    int32_t bias[OUTPUTS], multiplier[OUTPUTS], shift;
    int32_t input_offset, output_offset; /* minus the zero of x; the zero of y */
} ConnectedLayer;

static int8_t connected(const ConnectedLayer *layer, int row, int output) {
    int32_t sum = layer->bias[output];
    for (int i = 0; i < INPUTS; i++)
        sum += (layer->x[row * INPUTS + i] + layer->input_offset) *
               layer->weights[output * INPUTS + i];
    int32_t y = requantized(sum, layer->multiplier[output], layer->shift) + layer->output_offset;
    return (int8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
}

/* -- the same by the operations of mlc -- */

typedef struct {
    NodeId x, weights, bias, multiplier, y;
} LayerNodes;

static NodeId input_of(Graph *graph, const char *name, DType dtype, int64_t rows, int64_t columns) {
    return graph_input(graph, SYMBOL_VALUE, name, dtype, shape_of(2, (int64_t[]){rows, columns}));
}

static LayerNodes build_layer(Graph *graph, const ConnectedLayer *layer) {
    LayerNodes nodes = {.x = input_of(graph, "x", DTYPE_U8, ROWS, INPUTS),
                        .weights = input_of(graph, "weights", DTYPE_I8, INPUTS, OUTPUTS),
                        .bias = input_of(graph, "bias", DTYPE_I32, ROWS, OUTPUTS),
                        .multiplier = input_of(graph, "multiplier", DTYPE_I32, ROWS, OUTPUTS)};
    Shape shape = graph_node(graph, nodes.bias)->shape;
    NodeId sums = build_matmul(graph, nodes.x, nodes.weights, false, false);
    NodeId whole = build_ternary(graph, OP_scale, build_binary(graph, OP_add, sums, nodes.bias),
                                 nodes.multiplier, build_i32(graph, -layer->shift, shape));
    NodeId zero = build_i32(graph, layer->output_offset + 128, shape);
    nodes.y = build_convert(graph, build_binary(graph, OP_add, whole, zero), DTYPE_U8);
    graph_output(graph, "y", nodes.y);
    return nodes;
}

/* The zero of x goes into the bias. */
static void fill_layer(Interp *interp, const LayerNodes *nodes, const ConnectedLayer *layer) {
    uint8_t *x = interp_value(interp, nodes->x);
    int8_t *weights = interp_value(interp, nodes->weights);
    int32_t *bias = interp_value(interp, nodes->bias),
            *multiplier = interp_value(interp, nodes->multiplier);
    for (int i = 0; i < ROWS * INPUTS; i++) x[i] = (uint8_t)(layer->x[i] + 128);
    for (int output = 0; output < OUTPUTS; output++) {
        int32_t sum = 0;
        for (int i = 0; i < INPUTS; i++) {
            weights[i * OUTPUTS + output] = layer->weights[output * INPUTS + i];
            sum += layer->weights[output * INPUTS + i];
        }
        for (int row = 0; row < ROWS; row++) {
            bias[row * OUTPUTS + output] = layer->bias[output] + (layer->input_offset - 128) * sum;
            multiplier[row * OUTPUTS + output] = layer->multiplier[output];
        }
    }
}

static void draw_layer(ConnectedLayer *layer) {
    for (int i = 0; i < ROWS * INPUTS; i++) layer->x[i] = (int8_t)draw_between(-128, 127);
    for (int i = 0; i < OUTPUTS * INPUTS; i++) layer->weights[i] = (int8_t)draw_between(-127, 127);
    for (int i = 0; i < OUTPUTS; i++) layer->bias[i] = (int32_t)draw_between(-100000, 100000);
    for (int i = 0; i < OUTPUTS; i++)
        layer->multiplier[i] = (int32_t)draw_between(1 << 30, INT32_MAX);
    layer->shift = (int32_t)draw_between(-14, -6);
    layer->input_offset = (int32_t)draw_between(-127, 128);
    layer->output_offset = (int32_t)draw_between(-128, 127);
}

/* -- tests -- */

static void a_connected_layer_is_equal(void **state) {
    (void)state;
    int inside = 0;
    for (int round = 0; round < 200; round++) {
        ConnectedLayer layer;
        draw_layer(&layer);
        Diagnostics *diag = diag_new();
        Graph *graph = graph_new("layer", diag);
        LayerNodes nodes = build_layer(graph, &layer);
        Interp *interp = interp_new(graph, INTERP_F32);
        fill_layer(interp, &nodes, &layer);
        interp_run(interp);
        const uint8_t *y = interp_value(interp, nodes.y);
        for (int i = 0; i < ROWS * OUTPUTS; i++) {
            int8_t expected = connected(&layer, i / OUTPUTS, i % OUTPUTS);
            assert_int_equal(y[i] - 128, expected);
            inside += expected > -128 && expected < 127;
        }
        interp_free(interp);
        graph_free(graph);
        diag_free(diag);
    }
    assert_true(inside > 200 * ROWS * OUTPUTS / 4); /* not all are cut off */
}

enum { NUMBERS = 4096 };

/* Computes one scale for all numbers. */
static void scale_numbers(const int32_t *values, const int32_t *multipliers, int32_t shift,
                          int32_t *results) {
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("scale", diag);
    NodeId a = input_of(graph, "a", DTYPE_I32, 1, NUMBERS),
           b = input_of(graph, "b", DTYPE_I32, 1, NUMBERS);
    NodeId scaled =
        build_ternary(graph, OP_scale, a, b, build_i32(graph, -shift, graph_node(graph, a)->shape));
    graph_output(graph, "scaled", scaled);
    Interp *interp = interp_new(graph, INTERP_F32);
    for (int i = 0; i < NUMBERS; i++) {
        ((int32_t *)interp_value(interp, a))[i] = values[i];
        ((int32_t *)interp_value(interp, b))[i] = multipliers[i];
    }
    interp_run(interp);
    for (int i = 0; i < NUMBERS; i++)
        results[i] = ((const int32_t *)interp_value(interp, scaled))[i];
    interp_free(interp);
    graph_free(graph);
    diag_free(diag);
}

static void draw_numbers(int32_t *values, int32_t *multipliers) {
    static const int32_t edges[] = {0, 1, -1, 2, -2, 1 << 29, -(1 << 29), (1 << 30) - 1};
    for (int i = 0; i < NUMBERS; i++) {
        int32_t bound = 1 << draw_between(1, 30);
        values[i] = i < 64 ? edges[i % 8] : (int32_t)draw_between(-bound, bound - 1);
        multipliers[i] =
            i < 64 ? (i / 8 % 2 ? INT32_MAX : 1 << 30) : (int32_t)draw_between(1 << 30, INT32_MAX);
    }
}

/* What rounds twice is another number in some cases, by one. */
static void scale_is_the_requantization_that_rounds_once(void **state) {
    (void)state;
    static int32_t values[NUMBERS], multipliers[NUMBERS], results[NUMBERS];
    int others = 0;
    for (int32_t shift = 0; shift >= -30; shift--) {
        draw_numbers(values, multipliers);
        scale_numbers(values, multipliers, shift, results);
        for (int i = 0; i < NUMBERS; i++) {
            int32_t twice = requantized_twice(values[i], multipliers[i], shift);
            assert_int_equal(results[i], requantized(values[i], multipliers[i], shift));
            assert_true(twice - results[i] >= -1 && twice - results[i] <= 1);
            others += twice != results[i];
        }
    }
    assert_true(others > 0);
    print_message("rounded twice, %d of %d numbers differ\n", others, 31 * NUMBERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connected_layer_is_equal),
        cmocka_unit_test(scale_is_the_requantization_that_rounds_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
