/* The manual of the library: mlc explain and docs/library.md. */
#ifndef MLC_FRONTEND_MANUAL_EXPLAIN_H
#define MLC_FRONTEND_MANUAL_EXPLAIN_H

#include "ir/base/diag.h"

#include <stdio.h>

/* All return false after reporting errors, such as an unknown function or an example with an
 * error. */
/* One function: its signature, what it does, an example with its types, and its `def` or the ops
 * that it is made of. */
bool explain_function(const char *name, FILE *out, Diagnostics *diag);
/* The names of all functions, by section. */
bool explain_list(FILE *out, Diagnostics *diag);
/* The page docs/library.md. */
bool explain_manual(FILE *out, Diagnostics *diag);

#endif
