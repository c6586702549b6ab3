/* Names, numbered in the order of their arrival, each with a pointer for its owner: scopes,
 * parameters, functions, symbols of a graph, categories of a column. Lives in an arena. */
#ifndef MLC_IR_BASE_NAMES_H
#define MLC_IR_BASE_NAMES_H

#include "ir/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Names Names;

Names *names_new(Arena *arena);
/* The number of a name; a new one gets the next number and the value NULL. The name is kept, not
 * copied. */
uint32_t names_add(Names *names, const char *name);
/* The number of a name, -1 if it is not there. */
int32_t names_index(const Names *names, const char *name);
/* The value of a name, NULL if it is not there. */
void *names_find(const Names *names, const char *name);
/* Adds the name with its value, or replaces its value. */
void names_put(Names *names, const char *name, void *value);
uint32_t names_count(const Names *names);
/* All names, by their numbers. */
const char *const *names_all(const Names *names);
/* "'a', 'b'..." of a list of names: the first `most` of them, in the arena. */
const char *names_quoted(Arena *arena, const char *const *list, size_t count, size_t most);

#endif
