/* Arenas: memory that is freed whole. A compilation owns one; each pass may own a scratch one. All
 * blocks are zeroed and aligned to 16 bytes. Running out of memory ends the process: see
 * ir/base/memory.h. */
#ifndef MLC_IR_BASE_ARENA_H
#define MLC_IR_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena); /* NULL is allowed */
void *arena_alloc(Arena *arena, size_t bytes);
char *arena_copy_string(Arena *arena, const char *text, size_t length); /* adds the closing NUL */
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vformat(Arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* ARENA_NEW(arena, Type): one zeroed object; ARENA_ARRAY: count of them (at least one, so never
 * NULL) */
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), sizeof(type) * ((size_t)(count) + 1)))

/* ARENA_ROOM: makes room for one more element in `array`, which holds `count` and has room for
 * `capacity`; it may move. The old array stays in the arena unused, so an array takes at most twice
 * its size. */
#define ARENA_ROOM(arena, array, count, capacity)                                                  \
    ((array) = arena_room((arena), (array), (count), &(capacity), sizeof *(array)))
void *arena_room(Arena *arena, void *array, uint32_t count, uint32_t *capacity, size_t size);

#endif
