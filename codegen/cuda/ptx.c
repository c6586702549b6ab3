/* The code of a plan for NVIDIA's GPUs as text in PTX, their assembly language. */
#include "codegen/cuda/ptx.h"
#include "codegen/cuda/cuda.h"
#include "codegen/llvm/object.h"
#include "codegen/target/platform.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"

#include <string.h>

bool codegen_has_gpus(Diagnostics *diag) { return platform_gpu("sm_80", diag) != NULL; }

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
    ptx->module =
        cuda_module(ptx->context, plan, &ptx->target, &(CudaSettings){options->timed, work});
    return true;
}

static bool optimize(LLVMModuleRef module, const Target *target, int level, Diagnostics *diag) {
    return module_valid(module, diag) && target_optimize(target, module, level, diag) &&
           target_run_passes(target, module, loop_passes(level), diag);
}

bool ptx_open(PtxModule *ptx, const Plan *plan, const CodegenOptions *options, Diagnostics *diag) {
    return ptx_emit(ptx, plan, options, NULL, diag) &&
           optimize(ptx->module, &ptx->target, options->level, diag);
}

static LLVMMemoryBufferRef text_of(LLVMModuleRef module, const Target *target, Diagnostics *diag) {
    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    if (!LLVMTargetMachineEmitToMemoryBuffer(target->machine, module, LLVMAssemblyFile, &message,
                                             &buffer))
        return buffer;
    diag_error(diag, STATUS_BUG, (Span){0}, "LLVM makes no PTX: %s", message);
    LLVMDisposeMessage(message);
    return NULL;
}

LLVMMemoryBufferRef ptx_text(const PtxModule *ptx, Diagnostics *diag) {
    return text_of(ptx->module, &ptx->target, diag);
}

static LLVMMemoryBufferRef compile(LLVMModuleRef module, const Target *target, int level,
                                   Diagnostics *diag) {
    return optimize(module, target, level, diag) ? text_of(module, target, diag) : NULL;
}

void ptx_close(PtxModule *ptx) {
    if (ptx->module) LLVMDisposeModule(ptx->module);
    if (ptx->context) LLVMContextDispose(ptx->context);
    target_close(&ptx->target);
}

char *codegen_ptx(const Plan *plan, const CodegenOptions *options, Diagnostics *diag) {
    const ModuleCompiler compiler = {compile, loop_passes(options->level)};
    PtxModule ptx;
    Object object = {0};
    char *text = NULL;
    double start = seconds_now();
    if (ptx_emit(&ptx, plan, options, NULL, diag))
        object = object_find(ptx.module, &ptx.target, options, &compiler, diag);
    if (object.buffer) {
        size_t length = LLVMGetBufferSize(object.buffer);
        text = memory_new(length + 1, "the code of a step");
        memcpy(text, LLVMGetBufferStart(object.buffer), length);
        text[length] = '\0';
        LLVMDisposeMemoryBuffer(object.buffer);
    }
    ptx_close(&ptx);
    if (text && options->verbose)
        fprintf(stderr, "mlc: %s: %u kernels, PTX%s in %.0f ms\n", plan->graph->name,
                plan->kernel_count, object.cached ? " from the cache" : "",
                1e3 * (seconds_now() - start));
    return text;
}
