/* An interpreter of PTX, the assembly language of NVIDIA's GPUs, for tests. It knows what LLVM
 * writes for mlc. */
#ifndef MLC_TESTS_PTX_PTX_H
#define MLC_TESTS_PTX_PTX_H

#include "ir/ir.h"

enum { PTX_ERROR = 256, PTX_ARGUMENTS = 5 };

typedef struct PtxCode PtxCode;
/* NULL after writing into `error` what is not known. */
PtxCode *ptx_read(const char *text, char error[PTX_ERROR]);
void ptx_code_free(PtxCode *code);
/* How many parameters the kernel has. */
int ptx_parameters(const PtxCode *code);

/* Memory that the code may use. */
typedef struct {
    void *first;
    size_t bytes;
    bool writable;
    bool filled; /* it holds values when the kernel starts */
} PtxRange;

typedef struct {
    uint32_t blocks;
    uint64_t seed; /* decides in which order warps run */
    const PtxRange *ranges;
    uint32_t range_count;
    bool quick; /* of accesses, only place and alignment are checked */
    /* the instructions that all warps have run before, which the clocks of the GPU count; the launch
     * adds its own. NULL: none before */
    uint64_t *clock;
    uint64_t *requests; /* to which the memories of the blocks add their answers; may be NULL */
} PtxLaunch;

/* Runs the kernel of the code. false after writing into `error` what went wrong: an access outside
 * of the ranges, or not aligned, or to memory in which nothing was stored; two accesses, one of
 * them a store, whose order no barrier decides; a barrier that some threads of a warp do not
 * reach; no end. */
bool ptx_run(const PtxCode *code, const PtxLaunch *launch, const uint64_t args[PTX_ARGUMENTS],
             char error[PTX_ERROR]);

/* -- as a program -- */

/* A change of the text before it is read: each `from` becomes `to`. number: only that occurrence,
 * counted from 1, or from the last one, -1; 0: all. */
typedef struct {
    const char *from, *to;
    int number;
} PtxMutation;
enum { PTX_MUTATIONS = 2 };

typedef struct {
    uint32_t blocks;
    uint64_t seed;
    int level;
    const char *gpu;    /* as in CodegenOptions; NULL: "sm_80" */
    int64_t data_rows;  /* rows of the data set behind each input with rows of a batch */
    uint64_t *requests; /* as in PtxLaunch */
    PtxMutation mutations[PTX_MUTATIONS]; /* from NULL: none */
} PtxSetting;

/* A program whose only kernel has one unit: the whole step, interpreted. Takes over plan and graph.
 * NULL after reporting why. */
Program *ptx_program(Plan *plan, Graph *graph, const PtxSetting *setting, Diagnostics *diag);
/* What went wrong in the last run; "": nothing. */
const char *ptx_program_error(const Program *program);

#endif
