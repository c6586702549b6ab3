/* Runs one graph in the interpreter and as machine code, and compares the results. */
#ifndef MLC_TESTS_EQUAL_PROGRAMS_H
#define MLC_TESTS_EQUAL_PROGRAMS_H

#include "ir/ir.h"

typedef struct {
    int level, threads;
    const char *cpu; /* NULL: the host */
    bool gemm;       /* use OpenBLAS: then results agree within a tolerance only, after one step */
    uint64_t tiles;  /* a seed by which the tiles of products are drawn; 0: as mlc chooses them */
} ProgramSetting;

typedef Graph *MakeGraph(Diagnostics *diag, const void *context);

/* Interprets the graph after the passes that define its meaning, and compiles it as the setting
 * says. Prints to stderr where outputs or states differ. A CPU that this machine cannot run counts
 * as equal. */
bool equal_programs(MakeGraph *make, const void *context, const ProgramSetting *setting);
/* The same with settings of all kinds: levels, threads, CPUs, and tiles that are drawn. */
bool equal_everywhere(MakeGraph *make, const void *context);

#endif
