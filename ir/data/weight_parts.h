/* How several processes divide the trained weights: each owns a part of them, and of the states
 * that the optimizer has for them.
 *
 * The weights lie in a vector one after the other, ordered by name, each filled up to PART_UNIT
 * elements. Process p of P owns the elements from n p / P to n (p + 1) / P, in whole units. */
#ifndef MLC_IR_DATA_WEIGHT_PARTS_H
#define MLC_IR_DATA_WEIGHT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PART_UNIT = 16,
    NORM_BLOCK = 4096, /* elements of a gradient whose squares are added first (clip_norm) */
};

/* A weight and its place in the vector. */
typedef struct {
    const char *name;
    int64_t elements, at;
} WeightPlace;

typedef struct {
    const WeightPlace *places;
    uint32_t count;
    int64_t elements; /* of the vector */
    int processes;
    bool whole_blocks; /* a part begins with a block of a weight, as clip_norm needs it */
} WeightParts;

/* Orders the weights by name and sets `at`. Returns the elements of the vector. */
int64_t parts_place(WeightPlace *places, uint32_t count);
/* The part of a process: elements part_at(rank) to part_at(rank + 1) - 1 of the vector. */
int64_t part_at(const WeightParts *parts, int rank);
int64_t part_elements(const WeightParts *parts, int rank);
/* The number of blocks in the parts of all processes before `rank`, with whole_blocks. */
int64_t part_block(const WeightParts *parts, int rank);

/* What a process owns of a weight: `count` elements from `first` on. */
typedef struct {
    int64_t first, count;
} WeightPiece;
WeightPiece part_piece(const WeightParts *parts, const WeightPlace *place, int rank);

/* A state of the optimizer is named OPTIMIZER.ROLE.WEIGHT, as "adam.m.dense1.weight". */
#define MOMENT_NAME "%s.%s.%s"
/* The place of the weight that a state of that name belongs to; NULL: it is no such state. */
const WeightPlace *parts_of_moment(const WeightParts *parts, const char *state);

#endif
