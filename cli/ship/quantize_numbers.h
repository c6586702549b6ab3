/* The numbers of products of bytes: weights, biases, scales. Internal to quantize*.c. */
#ifndef MLC_CLI_SHIP_QUANTIZE_NUMBERS_H
#define MLC_CLI_SHIP_QUANTIZE_NUMBERS_H

#include "cli/ship/quantize_find.h"

/* The states of a product together with the factors and addends after it. */
typedef struct ProductNumbers {
    const char *name, *weights, *bias, *step;
    const double *steps; /* [channels]: the number for which a sum of 1 stands */
    int64_t channels;
} ProductNumbers;

/* The state that holds the multipliers of the channels, and the shift of all of them. */
typedef struct {
    const char *multiplier;
    int32_t shift;
} SumScale;

/* Computes the numbers, once for the affine node's factors. NULL after reporting errors. */
const ProductNumbers *numbers_of(Quantization *quantization, const Found *found,
                                 const Affine *affine);
/* The multipliers and the shift that convert the sums to bytes of a scale. */
SumScale numbers_scaled_to(Quantization *quantization, const ProductNumbers *numbers,
                           ByteScale scale);
/* Chooses the scales of all left operands. false after reporting errors. */
bool numbers_choose_scales(Quantization *quantization, Found *found);
/* Drops the products whose range is not known. */
void numbers_keep_ranged(const Quantization *quantization, Found *found);

/* The state of that name, which exists. */
const QuantizedState *quantized_find(const Quantization *quantization, const char *name);

#endif
