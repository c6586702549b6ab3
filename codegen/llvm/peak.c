/* The machine's rate of fused multiply-adds, measured with code like that of the kernels: CHAINS
 * independent accumulators, enough to hide the latency of an FMA. */
#include "ir/base/clock.h"
#include "codegen/llvm/step.h"
#include "codegen/llvm/jit.h"
#include "codegen/llvm/object.h"

enum { CHAINS = 12, ITERATIONS = 200000, ROUNDS = 12 };
typedef void BurnFunction(float *seed);

/* burn(seed): chain[i] = (i + 1) * *seed; ITERATIONS times: chain[i] = fma(chain[i], *seed, *seed);
 * *seed = the sum of the chains, so that LLVM removes nothing. */
static LLVMModuleRef make_burn(LLVMContextRef context, const Target *target, const void *what) {
    (void)what;
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("peak", context);
    Emitter e = emitter_new(context, module, target);
    e.function = LLVMAddFunction(module, "burn", LLVMFunctionType(e.nothing, &e.pointer, 1, false));
    function_set_target(&e, e.function, target);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(context, e.function, "entry");
    LLVMPositionBuilderAtEnd(e.builder, entry);
    LLVMTypeRef type = lanes_of(e.f32);
    LLVMValueRef start = value_splat(
        &e, (LaneValue){LLVMBuildLoad2(e.builder, e.f32, LLVMGetParam(e.function, 0), ""), true});
    LLVMValueRef chain[CHAINS], starts[CHAINS]; /* all different, or LLVM would keep one of them */
    starts[0] = start;
    for (int i = 1; i < CHAINS; i++) starts[i] = LLVMBuildFAdd(e.builder, starts[i - 1], start, "");
    LLVMValueRef tiny = fused_tiny(&e, start);
    Loop loop = loop_begin(&e, const_i64(&e, 0));
    for (int i = 0; i < CHAINS; i++) {
        chain[i] = LLVMBuildPhi(e.builder, type, "");
        LLVMAddIncoming(chain[i], &starts[i], &entry, 1);
    }
    LLVMValueRef sum = start, next[CHAINS];
    for (int i = 0; i < CHAINS; i++) {
        next[i] = fused_hot(&e, chain[i], start, start, tiny);
    }
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e.builder);
    for (int i = 0; i < CHAINS; i++) LLVMAddIncoming(chain[i], &next[i], &end, 1);
    loop_end(&e, loop, const_i64(&e, ITERATIONS), 1);
    for (int i = 0; i < CHAINS; i++) sum = LLVMBuildFAdd(e.builder, sum, next[i], "");
    LLVMBuildStore(e.builder, LLVMBuildExtractElement(e.builder, sum, const_i32(&e, 0), ""),
                   LLVMGetParam(e.function, 0));
    LLVMBuildRetVoid(e.builder);
    emitter_close(&e);
    return module;
}

static double best_rate(BurnFunction *burn) {
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        float seed = 0.5f;
        double start = seconds_now();
        burn(&seed);
        double rate = (double)(2L * CHAINS * LANES * ITERATIONS) / (seconds_now() - start);
        if (rate > best) best = rate;
    }
    return best;
}

double codegen_measure_peak(const CodegenOptions *options, Diagnostics *diag) {
    LLVMOrcLLJITRef jit = NULL;
    double rate = 0;
    Object object = object_make(make_burn, NULL, options, diag);
    if (object.buffer && jit_open(options, object.buffer, &jit, diag)) {
        BurnFunction *burn = (BurnFunction *)(uintptr_t)jit_lookup(jit, "burn", diag);
        if (burn) rate = best_rate(burn);
    }
    jit_close(jit);
    return rate;
}
