/* The code of a plan for NVIDIA's GPUs as text in PTX, their assembly language. */
#include "codegen/cuda/ptx.h"
#include "codegen/cuda/cuda.h"
#include "codegen/llvm/object.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"

static bool can_run(const Plan *plan, Diagnostics *diag) {
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        if (plan->kernels[k].kind == KERNEL_GEMM) {
            diag_error(diag, STATUS_USAGE, (Span){0}, "OpenBLAS does not run on a GPU");
            diag_help(diag, "leave --gemm=openblas out");
            return false;
        }
    return true;
}

/* LLVM passes that run after those of all targets. Unrolled loops load several elements at once,
 * and pointers that step through memory replace multiplications: a multiply-add of a product then
 * takes five instructions instead of eleven. CPUs need none of this, as their kernels unroll by
 * themselves. */
static const char *loop_passes(int level) {
    enum { LEVEL_OF_LOOPS = 2 };
    return level < LEVEL_OF_LOOPS ? ""
                                  : "function(loop-unroll<O2;partial;runtime>,loop(loop-reduce),"
                                    "instcombine<no-verify-fixpoint>,early-cse)";
}

bool ptx_emit(PtxModule *ptx, const Plan *plan, const CodegenOptions *options, CudaWork *work,
              Diagnostics *diag) {
    *ptx = (PtxModule){0};
    if (!can_run(plan, diag) || !target_open(&ptx->target, options, diag)) return false;
    ptx->context = LLVMContextCreate();
    ptx->module = cuda_module(ptx->context, plan, &ptx->target, work);
    return true;
}

bool ptx_open(PtxModule *ptx, const Plan *plan, const CodegenOptions *options, Diagnostics *diag) {
    return ptx_emit(ptx, plan, options, NULL, diag) && module_valid(ptx->module, diag) &&
           target_optimize(&ptx->target, ptx->module, options->level, diag) &&
           target_run_passes(&ptx->target, ptx->module, loop_passes(options->level), diag);
}

LLVMMemoryBufferRef ptx_text(const PtxModule *ptx, Diagnostics *diag) {
    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    if (!LLVMTargetMachineEmitToMemoryBuffer(ptx->target.machine, ptx->module, LLVMAssemblyFile,
                                             &message, &buffer))
        return buffer;
    diag_error(diag, STATUS_BUG, (Span){0}, "LLVM makes no PTX: %s", message);
    LLVMDisposeMessage(message);
    return NULL;
}

void ptx_close(PtxModule *ptx) {
    if (ptx->module) LLVMDisposeModule(ptx->module);
    if (ptx->context) LLVMContextDispose(ptx->context);
    target_close(&ptx->target);
}

char *codegen_ptx(const Plan *plan, const CodegenOptions *options, Diagnostics *diag) {
    PtxModule ptx;
    LLVMMemoryBufferRef buffer = NULL;
    double start = seconds_now();
    if (ptx_open(&ptx, plan, options, diag)) buffer = ptx_text(&ptx, diag);
    char *text =
        buffer ? memory_copy_string(LLVMGetBufferStart(buffer), "the code of a step") : NULL;
    if (buffer) LLVMDisposeMemoryBuffer(buffer);
    ptx_close(&ptx);
    if (text && options->verbose)
        fprintf(stderr, "mlc: %s: %u kernels, PTX in %.0f ms\n", plan->graph->name,
                plan->kernel_count, 1e3 * (seconds_now() - start));
    return text;
}
