/* Sorting and thinning out categories: each time the codes of a column get new numbers. */
#include "runtime/categories.h"
#include "ir/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    uint32_t number; /* before */
} Ranked;

static int by_name(const void *a, const void *b) { return strcmp(((const Ranked *)a)->name, ((const Ranked *)b)->name); }

static void renumber(int32_t *codes, int64_t count, const int32_t *new_number) {
    for (int64_t i = 0; i < count; i++)
        if (codes[i] >= 0) codes[i] = new_number[codes[i]];
}

const char **categories_sort(const Names *names, int32_t *codes, int64_t count, Arena *arena) {
    uint32_t name_count = names_count(names);
    Ranked *ranked = ARENA_ARRAY(arena, Ranked, name_count);
    int32_t *new_number = ARENA_ARRAY(arena, int32_t, name_count);
    const char **sorted = ARENA_ARRAY(arena, const char *, name_count);
    for (uint32_t i = 0; i < name_count; i++) ranked[i] = (Ranked){names_all(names)[i], i};
    qsort(ranked, name_count, sizeof *ranked, by_name);
    for (uint32_t i = 0; i < name_count; i++) {
        new_number[ranked[i].number] = (int32_t)i;
        sorted[i] = ranked[i].name;
    }
    renumber(codes, count, new_number);
    return sorted;
}

static void count_lost(const char *const *names, const int32_t *codes, int64_t count, const int32_t *new_number, int64_t *lost,
                       const char **lost_name) {
    *lost = 0;
    for (int64_t i = 0; i < count; i++)
        if (codes[i] >= 0 && new_number[codes[i]] < 0 && !(*lost)++) *lost_name = names[codes[i]];
}

uint32_t categories_keep(const char **names, uint32_t name_count, int32_t *codes, int64_t count, const int32_t *kept,
                         int64_t kept_count, int64_t *lost, const char **lost_name) {
    uint32_t left = 0;
    int32_t *new_number = memory_array(name_count, sizeof *new_number, "the classes of a column");
    for (uint32_t i = 0; i < name_count; i++) new_number[i] = -1;
    for (int64_t i = 0; i < kept_count; i++)
        if (codes[kept[i]] >= 0) new_number[codes[kept[i]]] = 0;
    count_lost(names, codes, count, new_number, lost, lost_name);
    for (uint32_t i = 0; i < name_count; i++) {
        if (new_number[i] < 0) continue;
        new_number[i] = (int32_t)left;
        names[left++] = names[i];
    }
    renumber(codes, count, new_number);
    free(new_number);
    return left;
}
