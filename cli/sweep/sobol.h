/* Sobol's sequence: points that fill a cube more evenly than random ones.
 * Direction numbers: S. Joe and F. Y. Kuo, Constructing Sobol sequences with better two-dimensional
 * projections, SIAM J. Sci. Comput. 30 (2008), the first SOBOL_DIMENSIONS of new-joe-kuo-6. */
#ifndef MLC_CLI_SWEEP_SOBOL_H
#define MLC_CLI_SWEEP_SOBOL_H

#include <stdint.h>

enum { SOBOL_DIMENSIONS = 16 };

/* Coordinate `dimension` < SOBOL_DIMENSIONS of point `number`, times 2^32. Point 0 is 0. */
uint32_t sobol_bits(uint32_t dimension, uint32_t number);

#endif
