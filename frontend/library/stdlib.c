/* The text of the standard library, made part of the program by embed.cmake. */
#include "frontend/library/library.h"

extern const char stdlib_mdl[];

const char *stdlib_text(void) { return stdlib_mdl; }
