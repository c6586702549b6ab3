/* The programs that a command needs: wanted first, then compiled together, on several threads. */
#ifndef MLC_CLI_SESSION_PROGRAMS_H
#define MLC_CLI_SESSION_PROGRAMS_H

#include "cli/session/build.h"
#include "runtime/train/pair.h"

enum { PROGRAMS_MAX = 12 }; /* whole and last batches of three splits, as expected and as found */

typedef struct ProgramJobs ProgramJobs;

typedef struct {
    GraphKind kind;
    uint32_t batch;
    Program *program;
} CompiledProgram;

typedef struct {
    CompiledProgram items[PROGRAMS_MAX];
    uint32_t count;
    ProgramJobs *jobs; /* begun and not finished */
    /* Called with the context when all that is begun is compiled, on a thread of its own; may be
     * NULL. */
    void (*compiled)(void *context);
    void *context;
} Programs;

/* Wants what it takes to run `rows` rows in batches of `batch`: a program for whole batches, and
 * one for the rest. */
void programs_want(Programs *programs, GraphKind kind, int64_t rows, uint32_t batch);
/* Begins to compile what is wanted so far, on threads of its own; programs_compile comes later.
 * false after reporting errors. */
bool programs_begin(Programs *programs, const Build *build);
/* Compiles what is wanted and not begun, and waits for all. false after reporting errors. */
bool programs_compile(Programs *programs, const Build *build);
/* The programs wanted by the same call before. */
ProgramPair programs_pair(const Programs *programs, GraphKind kind, int64_t rows, uint32_t batch);
void programs_free(Programs *programs);

/* Of the weights, moments and running statistics, in the layouts in which a program wants them. */
size_t stored_state_bytes(const Graph *graph, const PlanState *states, uint32_t count);
/* Whether the memory that compiled programs are going to take on so many threads is no more than
 * the process can have; reports it. */
bool programs_fit(const Programs *programs, int threads, Diagnostics *diag);

/* A batch size for running `rows` rows forward only: a divisor of `rows` near the model's batch, if
 * there is one, so that one program is enough. */
uint32_t programs_forward_batch(int64_t rows, uint32_t batch);

#endif
