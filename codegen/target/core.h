/* What the cost model of products knows of a processor's core. Internal to codegen/. */
#ifndef MLC_CODEGEN_TARGET_CORE_H
#define MLC_CODEGEN_TARGET_CORE_H

#include <stdbool.h>

typedef struct {
    const char *family; /* LLVM's names of the CPUs with this core begin so */
    /* How many steps of k share an iteration of a product's loop. More steps save instructions at
     * the loop's end, but take more room in the cache of decoded instructions. */
    int steps;
    /* half cycles to load a cache line of columns from the second-level cache */
    int line_fetch;
    /* half cycles of a load of 512 bits, while lines come from other caches beside it; 0: a load
     * takes one, and waits for its line */
    int wide_load;
    /* half cycles to load a cache line of weights that no block of rows has read before; 0: the same
     * as later */
    int first_fetch;
    /* half cycles for a column of a tile to be stored as a piece of a panel along the rows */
    int piece_store;
    /* Whether an epilogue starts square roots and divisions well before their results are needed.
     * Then multiply-adds of the next tile run meanwhile. */
    bool starts_slow_ops;
    /* Elements of all columns that may be read anew from the second-level cache for every block of
     * rows; 0: they never are. */
    int few_columns;
    /* Lines of rows that may share a set of the first-level cache until the next tile reads them
     * again. If there are more, rows are copied first. 0: short blocks of rows never are. */
    int ways;
} Core;

/* The core of a CPU by its LLVM name. Unknown CPUs count as Intel's. */
const Core *core_of(const char *cpu);

#endif
