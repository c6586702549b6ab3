/* A program: a graph compiled for one batch size, ready to run. Made by codegen (machine code) or by ir (the interpreter
 * behind the same interface); run by the runtime, which needs to know nothing else. */
#ifndef MLC_IR_PROGRAM_H
#define MLC_IR_PROGRAM_H

#include "ir/plan.h"

typedef struct Program Program;

/* What a thread passes for one step. All threads pass equal contents. */
typedef struct {
    void *slab;                /* Program.slab_bytes, 64-byte aligned; private to this running program */
    void *const *states;       /* [state_count]: 64-byte aligned memory of layout_bytes each */
    const void *const *inputs; /* [symbol count]: VALUE: the tensor; BATCH: row 0 of the data set; STATE: unused */
    const int32_t *rows;       /* [batch]: which rows of the data set make up this batch */
    void *outputs;             /* Program.output_bytes, 64-byte aligned */
    void (*barrier)(void *context, int thread); /* all threads meet; never called when threads == 1 */
    void *barrier_context;
    /* Programs compiled for profiling only: a clock, and where this thread notes begin and end of each kernel (of its own, not
     * shared): times[2 k] and times[2 k + 1] for kernel k. */
    uint64_t (*now)(void);
    uint64_t *times;
} StepArgs;

struct Program {
    const Graph *graph; /* symbols (inputs and states with their shapes) and outputs; outlives the program */
    const PlanState *states;
    uint32_t state_count;
    size_t slab_bytes, output_bytes;
    const size_t *output_offsets; /* [graph->output_count]: byte offset of each output, plain layout */
    const Plan *plan;             /* of compiled programs: what the kernels are; else NULL */
    double compile_seconds;       /* from the plan to code that can run */
    /* Runs one step; called by every thread 0 .. threads - 1 at the same time. Returns after a closing barrier, so that all
     * updates are visible to all threads. */
    void (*run)(const Program *program, const StepArgs *args, int thread, int threads);
    void (*destroy)(Program *program);
    void *context;
};

static inline void program_run(const Program *program, const StepArgs *args, int thread, int threads) {
    program->run(program, args, thread, threads);
}
void program_free(Program *program); /* NULL is allowed */

/* The interpreter as a program: plain layouts, thread 0 does all the work. The graph must hold primitives only. */
Program *program_interpret(const Graph *graph);

#endif
