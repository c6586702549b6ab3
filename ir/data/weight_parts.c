/* The parts of the trained weights that processes own. */
#include "ir/data/weight_parts.h"
#include "ir/base/integers.h"
#include "ir/data/step_parts.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b) {
    return strcmp(((const WeightPlace *)a)->name, ((const WeightPlace *)b)->name);
}

int64_t parts_place(WeightPlace *places, uint32_t count) {
    int64_t at = 0;
    if (count) qsort(places, count, sizeof *places, compare_names);
    for (uint32_t i = 0; i < count; i++) {
        places[i].at = at;
        at += round_up(places[i].elements, PART_UNIT);
    }
    return at;
}

/* The begin of a block that is nearest to an element of the vector, or nearly so. */
static int64_t block_at(const WeightParts *parts, int64_t element) {
    uint32_t i = 0;
    while (i + 1 < parts->count && parts->places[i + 1].at <= element) i++;
    const WeightPlace *place = &parts->places[i];
    int64_t first = (element - place->at + NORM_BLOCK / 2) / NORM_BLOCK * NORM_BLOCK;
    return place->at + (first < place->elements ? first : round_up(place->elements, PART_UNIT));
}

int64_t part_at(const WeightParts *parts, int rank) {
    int64_t at = parts->elements / PART_UNIT * rank / parts->processes * PART_UNIT;
    return parts->whole_blocks && at < parts->elements ? block_at(parts, at) : at;
}

int64_t part_elements(const WeightParts *parts, int rank) {
    return part_at(parts, rank + 1) - part_at(parts, rank);
}

int64_t part_block(const WeightParts *parts, int rank) {
    int64_t blocks = 0, at = part_at(parts, rank);
    for (uint32_t i = 0; i < parts->count; i++)
        blocks += divide_up(clamp_i64(at - parts->places[i].at, 0, parts->places[i].elements),
                            NORM_BLOCK);
    return blocks;
}

WeightPiece part_piece(const WeightParts *parts, const WeightPlace *place, int rank) {
    int64_t first = clamp_i64(part_at(parts, rank) - place->at, 0, place->elements),
            end = clamp_i64(part_at(parts, rank + 1) - place->at, 0, place->elements);
    return (WeightPiece){first, end - first};
}

const WeightPlace *parts_of_moment(const WeightParts *parts, const char *state) {
    const char *role = strchr(state, '.'), *weight = role ? strchr(role + 1, '.') : NULL;
    if (!weight || !strncmp(state, ACCUMULATE_PREFIX, strlen(ACCUMULATE_PREFIX))) return NULL;
    for (uint32_t i = 0; i < parts->count; i++)
        if (!strcmp(parts->places[i].name, weight + 1)) return &parts->places[i];
    return NULL;
}
