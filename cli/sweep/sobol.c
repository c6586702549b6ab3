/* Computes one point of Sobol's sequence without those before it. gray(n) = n ^ (n >> 1) is the
 * Gray code of its number n, and v[i] are the direction numbers of a dimension:
 *
 *     coordinate = the exclusive or of v[i] over all i where bit i of gray(n) is set */
#include "cli/sweep/sobol.h"

enum { BITS = 32, MAX_DEGREE = 6 };

/* A primitive polynomial of `degree` with the inner coefficients `inner`, and the first direction
 * numbers. */
typedef struct {
    uint32_t degree, inner, first[MAX_DEGREE];
} Polynomial;

static const Polynomial polynomials[SOBOL_DIMENSIONS] = {
    {0, 0, {0}},
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
};

/* The direction numbers. With s the degree of the polynomial and a[k] its inner coefficients:
 *
 *     v[i] = v[i - s] ^ v[i - s] >> s ^ (v[i - k] for each k where a[k] is 1) */
static void make_directions(uint32_t dimension, uint32_t v[BITS]) {
    const Polynomial *p = &polynomials[dimension];
    for (uint32_t i = 0; i < BITS; i++) {
        if (!p->degree || i < p->degree) {
            v[i] = (p->degree ? p->first[i] : 1) << (BITS - 1 - i);
            continue;
        }
        v[i] = v[i - p->degree] ^ v[i - p->degree] >> p->degree;
        for (uint32_t k = 1; k < p->degree; k++)
            if (p->inner >> (p->degree - 1 - k) & 1) v[i] ^= v[i - k];
    }
}

uint32_t sobol_bits(uint32_t dimension, uint32_t number) {
    uint32_t v[BITS], gray = number ^ number >> 1, bits = 0;
    make_directions(dimension, v);
    for (uint32_t i = 0; i < BITS; i++)
        if (gray >> i & 1) bits ^= v[i];
    return bits;
}
