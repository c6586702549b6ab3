/* Arenas: a list of growing blocks, freed whole. */
#include "ir/base/arena.h"
#include "ir/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Block Block;
struct Block {
    Block *next;
    size_t used, size;
};

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct Arena {
    Block *blocks; /* the newest first */
    size_t next_size;
};

static const char an_arena[] = "what mlc works with";

static size_t header_bytes(void) {
    return (sizeof(Block) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

Arena *arena_new(void) {
    Arena *arena = MEMORY_NEW(Arena, an_arena);
    arena->next_size = FIRST_BLOCK;
    return arena;
}

void arena_free(Arena *arena) {
    if (!arena) return;
    for (Block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void *arena_alloc(Arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX / 2) memory_exhausted(bytes, an_arena);
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    Block *block = arena->blocks;
    if (!block || block->size - block->used < bytes) {
        size_t size = bytes > arena->next_size ? bytes : arena->next_size;
        block = memory_array(1, header_bytes() + size, an_arena);
        block->size = size;
        block->next = arena->blocks;
        arena->blocks = block;
        if (arena->next_size < LARGEST_BLOCK) arena->next_size *= 2;
    }
    void *result = (char *)block + header_bytes() + block->used;
    block->used += bytes;
    return result;
}

void *arena_room(Arena *arena, void *array, uint32_t count, uint32_t *capacity, size_t size) {
    enum { FIRST_CAPACITY = 16 };
    if (count < *capacity) return array;
    if (*capacity > UINT32_MAX / 2) memory_exhausted(count * size, an_arena);
    *capacity = *capacity ? 2 * *capacity : FIRST_CAPACITY;
    void *grown = arena_alloc(arena, *capacity * size);
    if (count) memcpy(grown, array, count * size);
    return grown;
}

char *arena_copy_string(Arena *arena, const char *text, size_t length) {
    char *copy = arena_alloc(arena, length + 1);
    if (length) memcpy(copy, text, length);
    return copy;
}

char *arena_vformat(Arena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) memory_exhausted(0, "a text");
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_format(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_vformat(arena, format, args);
    va_end(args);
    return text;
}
