/* Names of the model and its data as names in C. */
#ifndef MLC_CLI_SHIP_SHIP_NAMES_H
#define MLC_CLI_SHIP_SHIP_NAMES_H

#include "ir/base/arena.h"

#include <stdbool.h>

/* Whether a text can be the prefix of all names: lower-case letters, digits and '_', a letter
 * first, no keyword of C or C++. */
bool c_prefix_valid(const char *text);
/* A name in C like `text`: other characters become '_'. It is no keyword and none of
 * taken[0, count). In the arena. */
const char *c_name(Arena *arena, const char *text, const char *const *taken, uint32_t count);
/* The name in capital letters. */
const char *c_capitals(Arena *arena, const char *name);
/* The text as a string of C, with its quotes. */
const char *c_string(Arena *arena, const char *text);

#endif
