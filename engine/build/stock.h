/* What the trainings of a sweep share: data as they were read, and compiled programs. One process
 * fills the stock. Each training is a child of it and takes from its copy.
 *
 * A program serves all trainings whose plans differ from its own in some constants only, such as a
 * learning rate: its code reads these from a table. Which ones they are is found by comparing plans
 * of the same model with other values. So everything that a pass makes of a constant, such as the
 * absence of a weight decay of 0, leads to another plan and another program. */
#ifndef MLC_ENGINE_BUILD_STOCK_H
#define MLC_ENGINE_BUILD_STOCK_H

#include "engine/build/build.h"

enum { STOCK_PROGRAMS = 64 };

typedef struct {
    DataCache *data;                   /* owned */
    Program *programs[STOCK_PROGRAMS]; /* owned */
    uint32_t count;
    uint32_t data_count; /* sets of data that it had when it was filled last */
    /* While it is filled: models with other values. */
    const Build *others;
    uint32_t other_count;
    /* What is not in stock is neither compiled nor trained on: `lacks` is set, and the training
     * ends without an error. */
    bool is_strict, lacks;
} Stock;

void stock_open(Stock *stock);
void stock_close(Stock *stock);
/* A program for a compilation, which it takes over. NULL: none in stock has its code. */
Program *stock_program(const Stock *stock, Compilation *compilation);
/* Marks the constants of a plan in which it differs from those of `others`: its code will read them
 * from a table. */
void stock_loosen(const Stock *stock, GraphKind kind, uint32_t batch, const Plan *plan);
/* Takes over a compiled program. The oldest one makes room. */
void stock_put(Stock *stock, Program *program);

#endif
