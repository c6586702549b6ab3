/* Weights of another training as the first ones of this. */
#ifndef MLC_RUNTIME_TRAIN_WARM_START_H
#define MLC_RUNTIME_TRAIN_WARM_START_H

#include "ir/data/source.h"
#include "runtime/program/states.h"

typedef struct {
    const char *there, *here; /* a tensor's or a layer's name in the file, and in the model */
} WeightMap;
typedef struct {
    const char **items;
    uint32_t count, capacity;
} TextList;
typedef struct {
    uint32_t count; /* tensors taken */
    TextList anew,
        unused; /* of the model: what keeps its first values, and why; of the file: what nothing in the model asks for */
} WeightsTaken;
/* Writes into the states whatever weights and running statistics of `network` the file has under the same name (after `maps`)
 * with the same dtype and shape. Texts go into the arena. STATUS_FILE errors: the file cannot be read, or nothing in it fits; STATUS_USAGE:
 * a map names what is not there. */
bool weights_take(const char *path, States *states, const Graph *network, const WeightMap *maps, uint32_t map_count,
                  Arena *arena, WeightsTaken *taken, Diagnostics *diag);

#endif
