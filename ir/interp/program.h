/* A program: a graph compiled for one batch size, ready to run. codegen makes programs of machine
 * code; program_interpret makes one that interprets the graph. The runtime runs both through this
 * interface. */
#ifndef MLC_IR_INTERP_PROGRAM_H
#define MLC_IR_INTERP_PROGRAM_H

#include "ir/plan/plan.h"

typedef struct Program Program;

enum { PROGRAM_STACK = 2 << 20 }; /* the most bytes of a thread's stack that a step needs */

/* The memory that a step reads and writes. */
typedef struct {
    /* Program.slab_bytes, 64-byte aligned; private to this running program */
    void *slab;
    void *const *states; /* [state_count]: 64-byte aligned memory of layout_bytes each */
    /* [symbol count]: VALUE: the tensor; BATCH: row 0 of the data set; STATE: unused */
    const void *const *inputs;
    const int32_t *rows; /* [batch]: which rows of the data set make up this batch */
    void *outputs;       /* Program.output_bytes, 64-byte aligned */
    /* Program.thread_slab_bytes, 64-byte aligned: private to the thread */
    void *thread_slab;
} StepArgs;

/* The threads of a block of a GPU. The code that codegen makes for GPUs needs this number. */
enum { DEVICE_BLOCK = 256 };

/* A kernel's work is divided into units, which any thread may do in any order. A kernel may begin
 * when all kernels before the last barrier are finished; one for a single thread also needs the
 * other kernels for a single thread since then. */
typedef struct {
    int64_t units;
    uint32_t threads; /* the most threads that make it faster; 1: one thread does all units */
    uint32_t pieces;  /* into how many pieces the part of each thread is cut */
    bool barrier_before;
    /* 0, or the number of equal groups of rows that the units form. Kernels between two barriers
     * with the same number run in step: the thread that does some groups of one does these groups
     * of all of them, in order. */
    uint32_t groups;
    /* A replicated kernel is not divided among threads: every thread does all units of it, before
     * its first piece in a step of a kernel that reads_replicated
     * (runtime/program/replicated.h). */
    bool replicated, reads_replicated;
} ProgramKernel;

struct Program {
    /* symbols (inputs and states with their shapes) and outputs; outlives the program */
    const Graph *graph;
    const PlanState *states;
    uint32_t state_count;
    size_t slab_bytes, output_bytes, thread_slab_bytes;
    /* [graph->output_count]: byte offset of each output, plain layout */
    const size_t *output_offsets;
    const Plan *plan;             /* of compiled programs; else NULL */
    double compile_seconds;       /* from the plan to code that can run */
    const ProgramKernel *kernels; /* a step does all units of all kernels */
    uint32_t kernel_count;
    void (*run)(const Program *program, const StepArgs *args, uint32_t kernel, int64_t first,
                int64_t last); /* units [first, last) */
    void (*destroy)(Program *program);
    void *context;
    /* where its steps run, instead of `run` (runtime/device/device.h); NULL: on the CPU */
    struct Device *device;
};

/* Runs a step on the calling thread alone. */
static inline void program_run(const Program *program, const StepArgs *args) {
    for (uint32_t k = 0; k < program->kernel_count; k++)
        program->run(program, args, k, 0, program->kernels[k].units);
}
void program_free(Program *program); /* NULL is allowed */

/* The interpreter as a program: plain layouts, one kernel of one unit. The graph must hold
 * primitives only. */
Program *program_interpret(const Graph *graph);

#endif
