/* The step of a plan as predictions see it. Internal to codegen/cuda. */
#ifndef MLC_CODEGEN_CUDA_CUDA_STEP_H
#define MLC_CODEGEN_CUDA_CUDA_STEP_H

#include "codegen/codegen.h"
#include "codegen/cuda/cuda.h"

typedef struct {
    const Plan *plan;
    const CudaWork *work;
    const KernelWork *kernels; /* [kernel_count] */
    CudaStages stages;
} CudaStep;
/* work: [kernel_count]. arena: owns what the step points to. */
CudaStep cuda_step(const Plan *plan, const CudaWork *work, Arena *arena);
CodegenPrediction cuda_step_predict(const CudaStep *step, const CodegenGpu *gpu);

/* Changes how kernels are divided, so that the predicted time of the step becomes shorter. */
void cuda_divide(const Plan *plan, CudaWork *work);

#endif
