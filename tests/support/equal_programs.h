/* One graph twice: interpreted, and as machine code. */
#ifndef MLC_TESTS_EQUAL_PROGRAMS_H
#define MLC_TESTS_EQUAL_PROGRAMS_H

#include "ir/ir.h"

typedef struct {
    int level, threads;
    const char *cpu; /* NULL: the host */
    bool gemm;       /* OpenBLAS: equal within a tolerance only, after one step */
} ProgramSetting;

typedef Graph *MakeGraph(Diagnostics *diag, const void *context);

/* Runs the graph, interpreted after the passes that define its meaning, and compiled as the setting
 * says; prints to stderr where outputs or states differ. A CPU that this machine lacks counts as
 * equal. */
bool equal_programs(MakeGraph *make, const void *context, const ProgramSetting *setting);

#endif
