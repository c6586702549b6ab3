/* The numbers of a product of bytes. With s and zero those of the left operand, and factor[c] and
 * addend[c] applied after the product:
 *
 *     w[k, c]       = factor[c] * weight[k, c]
 *     step[c]       = s * max(max over k |w[k, c]| / 127, |addend[c]| / (s * 2^30))
 *     weights[k, c] = rint(w[k, c] * s / step[c])
 *     bias[c]       = rint(addend[c] / step[c]) - zero * (sum over k of weights[k, c])
 *     sums of bytes * step[c] = factor[c] * product + addend[c], but for roundings
 *
 * No sum leaves 32 bits: 33,000 * 255 * 127 + 2^30 < 2^31. All is computed in f64, by operations
 * that round the same everywhere. */
#include "cli/ship/quantize_numbers.h"
#include "ir/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WEIGHT 127.0
#define MAX_BYTE 255.0
#define MAX_BIAS 0x1p30
#define MIN_SCALE 0x1p-100

/* -- states -- */

const QuantizedState *quantized_find(const Quantization *quantization, const char *name) {
    uint32_t i = 0;
    while (strcmp(quantization->states[i].name, name) != 0) i++;
    return &quantization->states[i];
}

/* The elements of a state, allocated unless an earlier graph has it. */
static void *quantized_state(Quantization *quantization, const char *name, DType dtype,
                             Shape shape) {
    for (uint32_t i = 0; i < quantization->state_count; i++)
        if (!strcmp(quantization->states[i].name, name)) return quantization->states[i].data;
    void *data =
        arena_alloc(quantization->arena, (size_t)shape_elements(shape) * dtype_bytes(dtype));
    ARENA_ROOM(quantization->arena, quantization->states, quantization->state_count,
               quantization->state_capacity);
    quantization->states[quantization->state_count++] = (QuantizedState){name, dtype, shape, data};
    return data;
}

void quantization_write(const Quantization *quantization, States *states) {
    for (uint32_t i = 0; i < quantization->state_count; i++)
        states_write(states, quantization->states[i].name, quantization->states[i].data);
}

/* -- a product -- */

/* The weight of a channel at k, in the order in which the product reads them: k counts over
 * (height, width, channel) of a window. */
static double weight_at(const Found *found, const Product *product, int64_t k, int64_t channel) {
    const Node *node = graph_node(found->graph, product->node);
    const float *values = found->values[node->operands[1]];
    if (node->op == OP_matmul && !node->attrs.matmul.transpose_b)
        return (double)values[k * product->channels + channel];
    if (node->op == OP_matmul) return (double)values[channel * product->k + k];
    Shape shape = graph_operand(found->graph, node, 1)->shape;
    int64_t in = shape.dim[1], taps = shape.dim[2] * shape.dim[3];
    return (double)values[(channel * in + k % in) * taps + k / in];
}

/* step[c]: the number for which a sum of 1 stands in a channel; 0 if all of its numbers are 0; NaN
 * or infinite if one of them is. */
static double step_of(const Found *found, const Product *product, double factor, double addend,
                      int64_t channel) {
    double largest = 0;
    for (int64_t k = 0; k < product->k; k++) {
        double weight = fabs(factor * weight_at(found, product, k, channel));
        if (weight > largest || isnan(weight)) largest = weight;
        if (isnan(largest)) break;
    }
    double step = (double)product->input.scale * (largest / MAX_WEIGHT),
           least = fabs(addend) / MAX_BIAS;
    return step < least ? least : step + 0 * addend;
}

/* Rounds the weights of a channel to bytes, and its bias to a whole number of steps. The bias also
 * takes away what the zero of the input adds: zero * (sum of the bytes). */
static void fill_channel(const Found *found, const Product *product, double factor, double addend,
                         int64_t channel, double step, int8_t *weights, int32_t *bias) {
    int64_t sum = 0;
    double scale = step > 0 ? (double)product->input.scale / step : 0;
    for (int64_t k = 0; k < product->k; k++) {
        double weight = rint(factor * weight_at(found, product, k, channel) * scale);
        int8_t byte = (int8_t)fmax(-MAX_WEIGHT, fmin(MAX_WEIGHT, weight));
        weights[k * product->channels + channel] = byte;
        sum += byte;
    }
    *bias = (int32_t)((int64_t)(step > 0 ? rint(addend / step) : 0) - product->input.zero * sum);
}

static bool check_step(const Quantization *quantization, const Product *product, double step) {
    if (isfinite(step)) return true;
    diag_error(quantization->diag, STATUS_NONFINITE, (Span){0},
               "--int8: the layer of '%s' has a weight that is not finite", product->weight);
    return false;
}

/* The numbers of a product, with their names but not yet computed. The name is
 * "dense1.weight.int8", with a number for further products of the same weight. */
static ProductNumbers names_of(const Quantization *quantization, const Product *product,
                               uint32_t variant) {
    Arena *arena = quantization->arena;
    const char *name = arena_format(arena, "%s.int8", product->weight);
    if (product->use) name = arena_format(arena, "%s.%u", name, product->use + 1);
    if (variant) name = arena_format(arena, "%s.alone%u", name, variant);
    return (ProductNumbers){.name = name,
                            .weights = name,
                            .bias = arena_format(arena, "%s.bias", name),
                            .step = arena_format(arena, "%s.step", name),
                            .steps = ARENA_ARRAY(arena, double, product->channels),
                            .channels = product->channels};
}

/* Computes the bytes of the weights, the bias and the step of every channel. */
static bool compute_numbers(Quantization *quantization, const Found *found, const Affine *affine,
                            ProductNumbers *numbers) {
    const Product *product = &found->products[affine->product - 1];
    Shape row = shape_of(1, &product->channels),
          shape = shape_of(2, (int64_t[]){product->k, product->channels});
    int8_t *weights = quantized_state(quantization, numbers->weights, DTYPE_I8, shape);
    int32_t *bias = quantized_state(quantization, numbers->bias, DTYPE_I32, row);
    float *step = quantized_state(quantization, numbers->step, DTYPE_F32, row);
    double *steps = (double *)numbers->steps;
    for (int64_t c = 0; c < product->channels; c++) {
        double factor = affine->factor[c], addend = affine->addend[c];
        steps[c] = step_of(found, product, factor, addend, c);
        if (!check_step(quantization, product, steps[c])) return false;
        step[c] = (float)steps[c];
        fill_channel(found, product, factor, addend, c, steps[c], weights, &bias[c]);
    }
    return true;
}

const ProductNumbers *numbers_of(Quantization *quantization, const Found *found,
                                 const Affine *affine) {
    Product *product = &found->products[affine->product - 1];
    uint32_t variant = 0;
    for (ProductVariant *at = product->variants; at; at = at->next, variant++)
        if (at->factor == affine->factor) return at->numbers;
    ProductNumbers *numbers = ARENA_NEW(found->arena, ProductNumbers);
    *numbers = names_of(quantization, product, variant);
    if (!compute_numbers(quantization, found, affine, numbers)) return NULL;
    ProductVariant *made = ARENA_NEW(found->arena, ProductVariant);
    *made = (ProductVariant){affine->factor, numbers, product->variants};
    product->variants = made;
    return numbers;
}

/* -- scales -- */

SumScale numbers_scaled_to(Quantization *quantization, const ProductNumbers *numbers,
                           ByteScale scale) {
    uint32_t bits;
    int32_t shift = 0;
    double largest = 0;
    memcpy(&bits, &scale.scale, sizeof bits);
    const char *name = arena_format(quantization->arena, "%s.multiplier_%08x", numbers->name, bits);
    int32_t *multiplier =
        quantized_state(quantization, name, DTYPE_I32, shape_of(1, &numbers->channels));
    for (int64_t c = 0; c < numbers->channels; c++)
        largest = fmax(largest, numbers->steps[c] / (double)scale.scale);
    /* a factor is multiplier / 2^(31 + shift); the largest multiplier shall have 31 bits */
    for (; largest <= 0.5 && shift < 31; shift++) largest *= 2;
    for (int64_t c = 0; c < numbers->channels; c++)
        multiplier[c] = (int32_t)fmin(
            rint(numbers->steps[c] / (double)scale.scale * ldexp(1, 31 + shift)), INT32_MAX);
    return (SumScale){name, shift};
}

static const ProductRange *range_of(const Quantization *quantization, const Product *product) {
    for (uint32_t i = 0; i < quantization->range_count; i++)
        if (quantization->ranges[i].use == product->use &&
            !strcmp(quantization->ranges[i].weight, product->weight))
            return &quantization->ranges[i];
    return NULL;
}

void numbers_keep_ranged(const Quantization *quantization, Found *found) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < found->product_count; i++)
        if (range_of(quantization, &found->products[i]))
            found->products[count++] = found->products[i];
    found->product_count = count;
}

/* The largest step of the sums that a node moves or compares; 0: there are none. -1 after reporting
 * errors. */
static double largest_step(Quantization *quantization, const Found *found, NodeId id) {
    const Node *node = graph_node(found->graph, id);
    double largest = 0;
    if (found->affine[id].product) {
        const ProductNumbers *numbers = numbers_of(quantization, found, &found->affine[id]);
        for (int64_t c = 0; numbers && c < numbers->channels; c++)
            largest = fmax(largest, numbers->steps[c]);
        return numbers ? largest : -1;
    }
    for (uint32_t i = 0; found_passes_bytes(node) && i < node->operand_count && largest >= 0; i++) {
        double step = largest_step(quantization, found, node->operands[i]);
        largest = step < 0 ? step : fmax(largest, step);
    }
    return largest;
}

/* A scale has 255 steps from the lowest to the highest number, or larger ones if those of the sums
 * are larger. */
bool numbers_choose_scales(Quantization *quantization, Found *found) {
    for (uint32_t i = 0; i < found->product_count; i++) {
        Product *product = &found->products[i];
        NodeId left = graph_node(found->graph, product->node)->operands[0];
        if (found_native(found, left, &product->input)) continue;
        const ProductRange *range = range_of(quantization, product);
        double step = largest_step(quantization, found, left);
        if (step < 0) return false;
        double low = (double)range->low, scale = fmax(((double)range->high - low) / MAX_BYTE, step);
        if (scale < MIN_SCALE) scale = scale > 0 ? MIN_SCALE : 1;
        double zero = fmin(rint(-low / (double)(float)scale), MAX_BYTE);
        product->input = (ByteScale){(float)scale, (uint8_t)zero};
    }
    return true;
}
