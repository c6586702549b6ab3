/* Finds equal rows by 128 bits of the BLAKE3 of their elements: different rows practically never
 * have equal hashes. */
#include "runtime/data/duplicates.h"
#include "runtime/formats/blake3.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t hash[16];
    int32_t row;
    Split split;
} HashedRow;

static void hash_row(const Dataset *dataset, HashedRow *row) {
    const SourceSchema *schema = dataset_fields(dataset);
    llvm_blake3_hasher hasher;
    llvm_blake3_hasher_init(&hasher);
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const void *bytes;
        size_t length = dataset_row_bytes(dataset, i, row->row, &bytes);
        llvm_blake3_hasher_update(&hasher, bytes, length);
    }
    llvm_blake3_hasher_finalize(&hasher, row->hash, sizeof row->hash);
}

static HashedRow *hash_rows(const Dataset *dataset, int64_t *count) {
    HashedRow *rows = memory_new(sizeof *rows * (size_t)(dataset_rows(dataset, SPLIT_TRAIN) +
                                                         dataset_rows(dataset, SPLIT_VALID) +
                                                         dataset_rows(dataset, SPLIT_TEST)),
                                 "the rows that are compared");
    *count = 0;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        for (int64_t i = 0; i < dataset_rows(dataset, split); i++) {
            rows[*count] = (HashedRow){.row = dataset_split(dataset, split)[i], .split = split};
            hash_row(dataset, &rows[(*count)++]);
        }
    }
    return rows;
}

/* Sorts equal rows next to each other, training rows first. */
static int by_hash(const void *a, const void *b) {
    const HashedRow *x = a, *y = b;
    int order = memcmp(x->hash, y->hash, sizeof x->hash);
    if (order) return order;
    return x->split != y->split ? (x->split > y->split) - (x->split < y->split)
                                : (x->row > y->row) - (x->row < y->row);
}

static void note(int64_t *count, int32_t pair[2], const HashedRow *row, const HashedRow *before) {
    if ((*count)++ && row->row > pair[0]) return;
    pair[0] = row->row;
    pair[1] = before->row;
}

void duplicates_find(const Dataset *dataset, Duplicates *duplicates) {
    int64_t count;
    HashedRow *rows = hash_rows(dataset, &count);
    *duplicates = (Duplicates){0};
    qsort(rows, (size_t)count, sizeof *rows, by_hash);
    for (int64_t i = 1, first = 0; i < count; i++) {
        Split split = rows[i].split;
        if (memcmp(rows[i].hash, rows[first].hash, sizeof rows[i].hash)) first = i;
        if (first == i) continue;
        if (rows[i - 1].split == split)
            note(&duplicates->repeated[split], duplicates->repeated_pair[split], &rows[i],
                 &rows[i - 1]);
        if (split != SPLIT_TRAIN && rows[first].split == SPLIT_TRAIN)
            note(&duplicates->trained[split], duplicates->trained_pair[split], &rows[i],
                 &rows[first]);
    }
    free(rows);
}
