/* A table from names to pointers: scopes, parameters, functions, counters. Lives in an arena. */
#ifndef MLC_FRONTEND_NAMES_H
#define MLC_FRONTEND_NAMES_H

#include "ir/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Names Names;

Names *names_new(Arena *arena);
/* NULL if the name is not there. */
void *names_find(const Names *names, const char *name);
/* Adds or replaces; the name is kept, not copied. */
void names_put(Names *names, const char *name, void *value);
uint32_t names_count(const Names *names);
/* All names, in the order in which they were first put. */
const char *const *names_all(const Names *names);

#endif
