/* The step of a plan as code for NVIDIA's GPUs. Internal to codegen/cuda.
 *
 * All threads of all blocks walk through the kernels of the plan together. Thread t of T threads
 * computes the units t, t + T, t + 2 T, ... of each kernel. A unit is a single element; of sums
 * along rows it is a row, which LANES neighbouring threads share. */
#ifndef MLC_CODEGEN_CUDA_CUDA_H
#define MLC_CODEGEN_CUDA_CUDA_H

#include "codegen/cuda/cuda_tile.h"
#include "codegen/emit/arithmetic.h"

/* How a module is made. */
typedef struct {
    bool timed;     /* as in CodegenOptions */
    CudaWork *work; /* [kernel_count]: receives how each kernel is divided; NULL: nobody asks */
} CudaSettings;

/* The module of a plan. Its kernel is
 *
 *     step(args, steps, arrivals, arrived)
 *
 * args: StepArgs[steps] in global memory, whose pointers lead to global memory too. A step sees
 * what the one before has stored. arrivals: a u32 in global memory that counts the blocks that
 * arrive at barriers; arrived: its value when the kernel starts. The grid must be small enough for
 * all its blocks to run at once. No bit depends on its size. Timed code has a fifth parameter
 * (codegen.h, GpuKernel). */
LLVMModuleRef cuda_module(LLVMContextRef context, const Plan *plan, const Target *target,
                          const CudaSettings *settings);

/* Before the next stage, all threads wait for each other. The kernels of a stage form chains, which
 * may run side by side. In a chain, each block reads only what it has stored itself, so that only its
 * own threads wait for each other. The plan's own barriers and its order are for CPUs. */
typedef struct {
    uint32_t count;
    uint32_t *kernels; /* [kernel_count]: all kernels, stage by stage */
    uint32_t *begin;   /* stage s has kernels[begin[s] .. begin[s + 1]) */
    uint32_t *stage;   /* [kernel] */
    bool *last;        /* [kernel]: no later kernel waits for it */
    uint32_t *head;    /* [kernel]: the first kernel of its chain; may be itself */
    bool *waits;       /* [kernel]: the threads of each block wait for each other before it */
    int64_t *block;    /* [kernel]: the block that gets the first units, if there are so many */
} CudaStages;
/* work: [kernel_count]. */
CudaStages cuda_stages(const Plan *plan, const CudaWork *work, Arena *arena);

/* The kernels of products and of convolutions by tiles, as codegen/kernels/kernels.h has the
 * others. */
int64_t cuda_matmul(Emitter *e, LLVMValueRef unit, LLVMValueRef last);
int64_t cuda_winograd(Emitter *e, LLVMValueRef unit, LLVMValueRef last);

#endif
