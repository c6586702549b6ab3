/* What the rest of runtime/ may know about states beyond the public header. Private to runtime/. */
#ifndef MLC_RUNTIME_PROGRAM_STATES_H
#define MLC_RUNTIME_PROGRAM_STATES_H

#include "runtime/runtime.h"

/* All states, ordered by name. */
uint32_t states_count(const States *states);
const Symbol *states_symbol(const States *states, uint32_t index);
const Symbol *states_find(const States *states, const char *name); /* NULL: none of that name */

/* The program has run: brings the forms of the states it updates that it does not know itself up to date. */
void states_publish(States *states, const Program *program);

/* A copy of all states as they are now, in the order of their names, plain layout; states_restore brings it back. */
size_t states_bytes(const States *states);
void states_save(const States *states, void *to);
void states_restore(States *states, const void *from);

/* A state that holds a NaN or an infinity, a weight if there is one; NULL: none. A state that was meant to begin as an infinity may
 * hold any. */
const Symbol *states_nonfinite(const States *states);

#endif
