/* Measured tiles of products, stored in the folder of the code cache: a text file for each CPU,
 * with a line for each product, for instance "64x512x784,panels 8x2/4" for 8 rows by 2 vectors and
 * 4 steps. A line that cannot be read is ignored, and so is a tile that a product cannot take.
 * Internal to codegen/. */
#ifndef MLC_CODEGEN_LLVM_TILES_H
#define MLC_CODEGEN_LLVM_TILES_H

#include "codegen/target/target.h"

typedef struct {
    char *text; /* owned; the names of products point into it */
    MeasuredTile *tiles;
    uint32_t count;
    TileChooser chooser; /* chooses among them */
} StoredTiles;

/* Sets target->tiles to the chooser of the options. If they have none, to a chooser among the tiles
 * stored for the target's CPU, if there are any. `stored` must live as long as the target. */
void tiles_open(StoredTiles *stored, Target *target, const CodegenOptions *options);
void tiles_close(StoredTiles *stored);

#endif
