/* The states of programs: weights, moments of the optimizer, running statistics. Programs share a
 * state by its name. Each program may need another layout (a form); all forms of a state hold the
 * same values. */
#ifndef MLC_RUNTIME_PROGRAM_STATES_H
#define MLC_RUNTIME_PROGRAM_STATES_H

#include "ir/interp/program.h"

typedef struct States States;
States *states_new(void);
void states_free(States *states);
/* Allocates the states of a program in its layouts. A new state is zero until it is initialized. */
bool states_bind(States *states, const Program *program, Diagnostics *diag);
/* Adds the states of a graph that no program has bound. They are initialized, saved and loaded with
 * the others. They have memory only after they were written. */
void states_keep(States *states, const Graph *graph);
/* Frees the memory of a state that no program has bound: it is zero then. */
void states_clear(States *states, const char *name);
/* The pointer array for StepArgs.states; lives as long as the States. */
void *const *states_pointers(States *states, const Program *program);
/* [state_count]: numbers that grow whenever this memory is changed, by programs at the time of
 * states_publish. They live as long as the States. */
const uint64_t *const *states_versions(const States *states, const Program *program);
void states_initialize(States *states, uint64_t seed);
/* Copies a state out or in, in row-major order. Writing updates all forms. false: no such state. */
bool states_read(const States *states, const char *name, void *data);
bool states_write(States *states, const char *name, const void *data);

/* All states, ordered by name. */
uint32_t states_count(const States *states);
const Symbol *states_symbol(const States *states, uint32_t index);
const Symbol *states_find(const States *states, const char *name); /* NULL: none of that name */

/* Copies the states that a program has updated into their other forms. Call it after the program
 * has run. */
void states_publish(States *states, const Program *program);

/* Copies all states out, in the order of their names, each in row-major order; states_restore
 * copies them back. */
size_t states_bytes(const States *states);
void states_save(const States *states, void *to);
void states_restore(States *states, const void *from);

/* A state with a NaN or an infinity, a weight first; NULL: none. States that are initialized with
 * an infinity are not checked. */
const Symbol *states_nonfinite(const States *states);

#endif
