/* Texts and their numbers: a table with open addressing over an array in order of arrival. */
#include "runtime/categories.h"

#include <stdlib.h>
#include <string.h>

struct Categories {
    Arena *arena;
    const char **names;
    uint32_t count, capacity;
    uint32_t *slots; /* number + 1, 0: free */
    uint32_t slot_count;
};

Categories *categories_new(Arena *arena) {
    Categories *categories = ARENA_NEW(arena, Categories);
    categories->arena = arena;
    return categories;
}

static uint32_t hash(const char *text) {
    uint32_t h = 2166136261u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 16777619u;
    return h ^ h >> 15;
}

static uint32_t *slot_of(const Categories *categories, const char *text) {
    uint32_t mask = categories->slot_count - 1, at = hash(text) & mask;
    while (categories->slots[at] && strcmp(categories->names[categories->slots[at] - 1], text)) at = (at + 1) & mask;
    return &categories->slots[at];
}

static void grow(Categories *categories) {
    uint32_t capacity = categories->capacity ? 2 * categories->capacity : 16;
    const char **names = ARENA_ARRAY(categories->arena, const char *, capacity);
    if (categories->count) memcpy(names, categories->names, categories->count * sizeof *names);
    categories->names = names;
    categories->capacity = capacity;
    categories->slot_count = 2 * capacity;
    categories->slots = ARENA_ARRAY(categories->arena, uint32_t, categories->slot_count);
    for (uint32_t i = 0; i < categories->count; i++) *slot_of(categories, names[i]) = i + 1;
}

int32_t categories_add(Categories *categories, const char *text) {
    int32_t known = categories_find(categories, text);
    if (known >= 0) return known;
    if (categories->count == categories->capacity) grow(categories);
    categories->names[categories->count++] = text;
    *slot_of(categories, text) = categories->count;
    return (int32_t)categories->count - 1;
}

int32_t categories_find(const Categories *categories, const char *text) {
    return categories->slot_count ? (int32_t)*slot_of(categories, text) - 1 : -1;
}

uint32_t categories_count(const Categories *categories) {
    return categories->count;
}

/* -- sorting -- */

typedef struct {
    const char *name;
    uint32_t number; /* before */
} Ranked;

static int by_name(const void *a, const void *b) {
    return strcmp(((const Ranked *)a)->name, ((const Ranked *)b)->name);
}

static void renumber(int32_t *codes, int64_t count, const int32_t *new_number) {
    for (int64_t i = 0; i < count; i++)
        if (codes[i] >= 0) codes[i] = new_number[codes[i]];
}

const char **categories_sort(Categories *categories, int32_t *codes, int64_t count) {
    Ranked *ranked = ARENA_ARRAY(categories->arena, Ranked, categories->count);
    int32_t *new_number = ARENA_ARRAY(categories->arena, int32_t, categories->count);
    for (uint32_t i = 0; i < categories->count; i++) ranked[i] = (Ranked){categories->names[i], i};
    qsort(ranked, categories->count, sizeof *ranked, by_name);
    for (uint32_t i = 0; i < categories->count; i++) {
        new_number[ranked[i].number] = (int32_t)i;
        categories->names[i] = ranked[i].name;
    }
    renumber(codes, count, new_number);
    return categories->names;
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
    int32_t *new_number = malloc(((size_t)name_count + 1) * sizeof *new_number);
    if (!new_number) abort();
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
