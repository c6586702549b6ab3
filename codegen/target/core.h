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
    /* Whether an epilogue starts square roots and divisions well before their results are needed.
     * Then multiply-adds of the next tile run meanwhile. */
    bool starts_slow_ops;
    /* Elements of all columns that may be read anew from the second-level cache for every block of
     * rows; 0: they never are. */
    int few_columns;
} Core;

/* The core of a CPU by its LLVM name. Unknown CPUs count as Intel's. */
const Core *core_of(const char *cpu);

#endif
