/* The programs of a command: requested first, then compiled together on several threads. */
#ifndef MLC_ENGINE_BUILD_PROGRAMS_H
#define MLC_ENGINE_BUILD_PROGRAMS_H

#include "engine/build/stock.h"
#include "runtime/train/runners.h"

/* of three splits, for expected and for found row counts; the training may have three kinds, and
 * its update three programs */
enum { PROGRAMS_MAX = 2 * (3 + 2) * SHARE_SIZES + SHARE_SIZES + 2 };

typedef struct ProgramJobs ProgramJobs;

typedef struct {
    GraphKind kind;
    uint32_t batch;
    Program *program;
    bool from_stock; /* its code belongs to a program in stock */
} CompiledProgram;

typedef struct {
    CompiledProgram items[PROGRAMS_MAX];
    uint32_t count;
    Stock *stock;      /* NULL: every program is compiled */
    ProgramJobs *jobs; /* compilations in progress; NULL: none */
    /* Called with the context on a compiler thread when all jobs are done; may be NULL. */
    void (*compiled)(void *context);
    void *context;
} Programs;

/* Requests the programs that run the rows of a split: for full batches, for a smaller last batch,
 * or for their shares. */
void programs_want(Programs *programs, GraphKind kind, const Cut *cut);
/* Starts to compile the requested programs on other threads. programs_compile must follow. false
 * after reporting errors. */
bool programs_begin(Programs *programs, const Build *build);
/* Waits for the started compilations, then compiles all other requested programs. false after
 * reporting errors. */
bool programs_compile(Programs *programs, const Build *build);
/* The programs that programs_want requested with the same arguments. */
SplitPrograms programs_of_split(const Programs *programs, GraphKind kind, const Cut *cut);
/* Puts the compiled programs into the stock. */
void programs_put(Programs *programs);
void programs_free(Programs *programs);

/* Checks that the memory of the compiled programs is available, on the device too. Errors go to
 * `diag`; false after reporting one. */
bool programs_fit(const Programs *programs, const Build *build, Diagnostics *diag);

/* A batch size for a forward pass over `rows` rows. It is a divisor of `rows` from 4 batch down to
 * batch, so that one program suffices, or else `batch`. */
uint32_t programs_forward_batch(int64_t rows, uint32_t batch);

#endif
