/* The stock: what the trainings of a sweep share, which are data as they were read, and compiled
 * programs. One process fills the stock. Each training is a child of that process and uses its copy
 * of the memory.
 *
 * One program serves all trainings whose plans differ only in some constants, such as a learning
 * rate: its code reads these from a table. The constants are found by comparing plans of the same
 * model with other values. A pass may make other nodes for a constant, such as none for a weight
 * decay of 0. This leads to another plan, and so to another program. */
#ifndef MLC_ENGINE_BUILD_STOCK_H
#define MLC_ENGINE_BUILD_STOCK_H

#include "engine/build/build.h"

enum { STOCK_PROGRAMS = 64 };

typedef struct {
    DataCache *data;                   /* owned */
    Program *programs[STOCK_PROGRAMS]; /* owned */
    uint32_t count;
    uint32_t data_count; /* how many data sets it had when it was filled last */
    /* set while the stock is filled: builds of the model with other values */
    const Build *others;
    uint32_t other_count;
    /* is_strict: a training that needs what the stock does not have sets `lacks` and ends, without
     * an error. */
    bool is_strict, lacks;
} Stock;

void stock_open(Stock *stock);
void stock_close(Stock *stock);
/* A program that runs a compilation with the code of one in stock, and takes the compilation over.
 * NULL: none in stock has the same code. */
Program *stock_program(const Stock *stock, Compilation *compilation);
/* Marks the constants in which a plan differs from the plans of `others`, so that its code reads
 * them from a table. */
void stock_loosen(const Stock *stock, GraphKind kind, uint32_t batch, const Plan *plan);
/* Adds a compiled program, which the stock then owns. A full stock frees its oldest one. */
void stock_put(Stock *stock, Program *program);

#endif
