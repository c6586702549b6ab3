/* The states of programs: weights, moments of the optimizer, running statistics. Programs share them by name. */
#ifndef MLC_RUNTIME_PROGRAM_STATES_H
#define MLC_RUNTIME_PROGRAM_STATES_H

#include "ir/interp/program.h"

typedef struct States States;
States *states_new(void);
void states_free(States *states);
/* Makes sure every state of the program has its memory; binds by name. New ones are zero until initialized. */
bool states_bind(States *states, const Program *program, Diagnostics *diag);
/* Makes sure of the states of a graph that no program has: they are initialized, saved and loaded with the others. */
void states_keep(States *states, const Graph *graph);
/* The pointer array for StepArgs.states; lives as long as the States. */
void *const *states_pointers(States *states, const Program *program);
void states_initialize(States *states, uint64_t seed);
/* Plain-layout copy out and in, by name (all copies in other layouts are refreshed). */
bool states_read(const States *states, const char *name, void *data);
bool states_write(States *states, const char *name, const void *data);

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
