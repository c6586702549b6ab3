/* Runs two programs of one graph side by side on random inputs and compares every output and state bit. */
#ifndef MLC_TESTS_PROGRAM_CHECK_H
#define MLC_TESTS_PROGRAM_CHECK_H

#include "ir/ir.h"

typedef struct {
    uint64_t seed;
    int steps, threads; /* threads: of program `a`; `b` runs on one */
    double tolerance;   /* 0: all bits; else |a - b| <= tolerance * max(1, |b|), for what is outside the contract */
} ProgramCheck;

/* NULL if all bits are equal (all NaNs count as equal), else what differs (in a static buffer). Symbols and outputs are
 * matched by name. u8 inputs of rank 1 are drawn from 0..9. */
const char *program_compare(const Program *a, const Program *b, const ProgramCheck *check);

#endif
