/* A program: a graph compiled for one batch size, ready to run. Made by codegen (machine code) or by ir (the interpreter
 * behind the same interface); run by the runtime, which needs to know nothing else. */
#ifndef MLC_IR_INTERP_PROGRAM_H
#define MLC_IR_INTERP_PROGRAM_H

#include "ir/plan/plan.h"

typedef struct Program Program;

enum { PROGRAM_STACK = 2 << 20 }; /* bytes of a thread's stack that a step needs at most */

/* What a step works on. */
typedef struct {
    void *slab;                /* Program.slab_bytes, 64-byte aligned; private to this running program */
    void *const *states;       /* [state_count]: 64-byte aligned memory of layout_bytes each */
    const void *const *inputs; /* [symbol count]: VALUE: the tensor; BATCH: row 0 of the data set; STATE: unused */
    const int32_t *rows;       /* [batch]: which rows of the data set make up this batch */
    void *outputs;             /* Program.output_bytes, 64-byte aligned */
    void *thread_slab;         /* Program.thread_slab_bytes, 64-byte aligned: private to the thread */
} StepArgs;

/* A kernel's work comes in units. Any thread may do any range of them at any time after the kernels that must be finished, which
 * are those before the last join up to here, and, if it is for one thread only, the kernels of that kind since then. */
typedef struct {
    int64_t units;
    uint32_t threads; /* so many are worth having; 1: one thread does it */
    uint32_t pieces;  /* ranges worth handing out one by one, of what each of them gets */
    bool barrier_before;
    /* 0, or: the units are that many equal groups of rows, and the kernel goes in step with the others between two joins that have as
     * many. Whoever does some groups of one does these groups of all of them, in order. */
    uint32_t groups;
    /* A replicated kernel is not divided among threads: every thread does all units of it, before its first piece in a step of a kernel
     * that reads_replicated (runtime/program/replicated.h). */
    bool replicated, reads_replicated;
} ProgramKernel;

struct Program {
    const Graph *graph; /* symbols (inputs and states with their shapes) and outputs; outlives the program */
    const PlanState *states;
    uint32_t state_count;
    size_t slab_bytes, output_bytes, thread_slab_bytes;
    const size_t *output_offsets; /* [graph->output_count]: byte offset of each output, plain layout */
    const Plan *plan;             /* of compiled programs: what the kernels are; else NULL */
    double compile_seconds;       /* from the plan to code that can run */
    const ProgramKernel *kernels; /* a step is all units of all of them */
    uint32_t kernel_count;
    void (*run)(const Program *program, const StepArgs *args, uint32_t kernel, int64_t first,
                int64_t last); /* units [first, last) */
    void (*destroy)(Program *program);
    void *context;
};

/* A step on this thread alone. */
static inline void program_run(const Program *program, const StepArgs *args) {
    for (uint32_t k = 0; k < program->kernel_count; k++) program->run(program, args, k, 0, program->kernels[k].units);
}
void program_free(Program *program); /* NULL is allowed */

/* The interpreter as a program: plain layouts, one kernel of one unit. The graph must hold primitives only. */
Program *program_interpret(const Graph *graph);

#endif
