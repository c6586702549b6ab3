/* Warm start: a training begins with the weights of another one. */
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
    uint32_t count;  /* copied tensors */
    TextList anew;   /* tensors of the model that keep their initial values, and why */
    TextList unused; /* tensors of the file that the model does not have */
    TextList paired; /* layers paired by their order: "features.0 = conv1" */
} WeightsTaken;
/* Copies the weights and running statistics of `network` from a safetensors or NPZ file into the
 * states: those that the file has under the same name, after `maps`, with the same shape. Real
 * numbers of other widths are rounded to f32. If the file has none of the names, the layers of each
 * kind are paired by their order. Texts go into the arena. STATUS_FILE errors: the file cannot be
 * read, or no tensor fits. STATUS_USAGE: a map names a tensor or layer that does not exist. */
bool weights_take(const char *path, States *states, const Graph *network, const WeightMap *maps,
                  uint32_t map_count, Arena *arena, WeightsTaken *taken, Diagnostics *diag);

#endif
