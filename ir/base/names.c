/* Names and their numbers: open addressing over an array in the order of arrival. */
#include "ir/base/names.h"
#include "ir/base/hash.h"

#include <string.h>

struct Names {
    Arena *arena;
    const char **names;
    void **values;
    uint32_t count, capacity;
    uint32_t *slots; /* index + 1, 0: free */
    uint32_t slot_count;
};

Names *names_new(Arena *arena) {
    Names *names = ARENA_NEW(arena, Names);
    names->arena = arena;
    return names;
}

static uint32_t *slot_of(const Names *names, const char *name) {
    uint32_t hash = hash32(HASH32_START, name, strlen(name));
    uint32_t at = (hash ^ hash >> 15) & (names->slot_count - 1);
    while (names->slots[at] && strcmp(names->names[names->slots[at] - 1], name))
        at = (at + 1) & (names->slot_count - 1);
    return &names->slots[at];
}

int32_t names_index(const Names *names, const char *name) {
    return names->slot_count ? (int32_t)*slot_of(names, name) - 1 : -1;
}

uint32_t names_add(Names *names, const char *name) {
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity ? 2 * names->capacity : 8;
        const char **all = ARENA_ARRAY(names->arena, const char *, capacity);
        void **values = ARENA_ARRAY(names->arena, void *, capacity);
        if (names->count) memcpy(all, names->names, names->count * sizeof *all);
        if (names->count) memcpy(values, names->values, names->count * sizeof *values);
        names->names = all;
        names->values = values;
        names->capacity = capacity;
        names->slot_count = 2 * capacity;
        names->slots = ARENA_ARRAY(names->arena, uint32_t, names->slot_count);
        for (uint32_t i = 0; i < names->count; i++) *slot_of(names, all[i]) = i + 1;
    }
    uint32_t *slot = slot_of(names, name);
    if (*slot) return *slot - 1;
    names->names[names->count] = name;
    *slot = ++names->count;
    return names->count - 1;
}

void *names_find(const Names *names, const char *name) {
    int32_t index = names_index(names, name);
    return index < 0 ? NULL : names->values[index];
}

void names_put(Names *names, const char *name, void *value) {
    uint32_t number = names_add(names, name); /* may move the values */
    names->values[number] = value;
}

uint32_t names_count(const Names *names) { return names->count; }

const char *const *names_all(const Names *names) { return names->names; }

const char *names_quoted(Arena *arena, const char *const *list, size_t count, size_t most) {
    const char *text = "";
    for (size_t i = 0; i < count && i < most; i++)
        text = arena_format(arena, "%s%s'%.60s'", text, i ? ", " : "", list[i]);
    return count > most ? arena_format(arena, "%s...", text) : text;
}
