/* The state of mlc tune, and what its files share: tune.c opens the model and prints the answer,
 * tune_trials.c measures. */
#ifndef MLC_CLI_COMMANDS_TUNING_H
#define MLC_CLI_COMMANDS_TUNING_H

#include "cli/session/build.h"

/* the tiles of the cost model, and other steps for the best of them */
enum { MAX_TUNE_TILES = MAX_PRODUCT_TILES + 3 };

/* The products of a step that have the same best tile. */
typedef struct {
    const char *product; /* as a TileChooser gets it */
    ProductTile tiles[MAX_TUNE_TILES];
    double seconds[MAX_TUNE_TILES]; /* of all its kernels in a step; INFINITY: not measured */
    uint32_t count, best;           /* best: the fastest, or 0, the tile in use until now */
} TunedProduct;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Cut cut; /* of the training rows */
    TunedProduct *products;
    uint32_t count, capacity;
    /* [kernel_count]: the product of a kernel, from 1; 0: the kernel is no product that has
     * tiles */
    uint32_t *product_of;
    /* which tile of every product the next program gets; TUNE_BEST: the best one */
    uint32_t trial;
    double before, after; /* seconds of a step with the first tiles, and with the best */
} Tuning;

/* Measures the tiles of all products, and sets their best ones and the seconds of a step. false
 * after reporting errors. */
bool tune_measure(Tuning *tuning);

#endif
