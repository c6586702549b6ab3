/* The machine's rates of fused multiply-adds, divisions and square roots, measured with code like
 * that of the kernels: CHAINS independent accumulators, enough to hide the latency of each. */
#include "ir/base/clock.h"
#include "codegen/llvm/step.h"
#include "codegen/llvm/jit.h"
#include "codegen/llvm/object.h"

enum { CHAINS = 12, ROUNDS = 12 };
typedef void BurnFunction(float *seed);

typedef LLVMValueRef BurnStep(Emitter *e, LLVMValueRef chain, LLVMValueRef start);

static LLVMValueRef burn_fused(Emitter *e, LLVMValueRef chain, LLVMValueRef start) {
    return fused_hot(e, chain, start, start, fused_tiny(e, start));
}
static LLVMValueRef burn_division(Emitter *e, LLVMValueRef chain, LLVMValueRef start) {
    return LLVMBuildFDiv(e->builder, start, chain, "");
}
/* The addition keeps the chains apart from 1, whose root some processors find early. */
static LLVMValueRef burn_root(Emitter *e, LLVMValueRef chain, LLVMValueRef start) {
    LLVMTypeRef type = LLVMTypeOf(chain);
    LLVMValueRef sum = LLVMBuildFAdd(e->builder, chain, start, "");
    return call_intrinsic(e, "llvm.sqrt", &type, 1, &sum, 1);
}

/* What is measured: the name of its function, a step of a chain, how many steps, and how much one
 * lane of a step counts. */
static const struct {
    const char *name;
    BurnStep *step;
    int64_t iterations;
    double counts;
} burns[] = {{"burn_fused", burn_fused, 200000, 2},
             {"burn_division", burn_division, 20000, 1},
             {"burn_root", burn_root, 20000, 1}};
enum { BURNS = sizeof burns / sizeof *burns };

/* burn(seed): chain[i] = (i + 1) * *seed; for each iteration: chain[i] = step(chain[i], *seed);
 * *seed = the sum of the chains, so that LLVM removes nothing. */
static void emit_burn(Emitter *e, const Target *target, int number) {
    e->function = LLVMAddFunction(e->module, burns[number].name,
                                  LLVMFunctionType(e->nothing, &e->pointer, 1, false));
    function_set_target(e, e->function, target);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(e->context, e->function, "entry");
    LLVMPositionBuilderAtEnd(e->builder, entry);
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef start = value_splat(
        e, (LaneValue){LLVMBuildLoad2(e->builder, e->f32, LLVMGetParam(e->function, 0), ""), true});
    LLVMValueRef chain[CHAINS], starts[CHAINS]; /* all different, or LLVM would keep one of them */
    starts[0] = start;
    for (int i = 1; i < CHAINS; i++)
        starts[i] = LLVMBuildFAdd(e->builder, starts[i - 1], start, "");
    Loop loop = loop_begin(e, const_i64(e, 0));
    for (int i = 0; i < CHAINS; i++) {
        chain[i] = LLVMBuildPhi(e->builder, type, "");
        LLVMAddIncoming(chain[i], &starts[i], &entry, 1);
    }
    LLVMValueRef sum = start, next[CHAINS];
    for (int i = 0; i < CHAINS; i++) next[i] = burns[number].step(e, chain[i], start);
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    for (int i = 0; i < CHAINS; i++) LLVMAddIncoming(chain[i], &next[i], &end, 1);
    loop_end(e, loop, const_i64(e, burns[number].iterations), 1);
    for (int i = 0; i < CHAINS; i++) sum = LLVMBuildFAdd(e->builder, sum, next[i], "");
    LLVMBuildStore(e->builder, LLVMBuildExtractElement(e->builder, sum, const_i32(e, 0), ""),
                   LLVMGetParam(e->function, 0));
    LLVMBuildRetVoid(e->builder);
}

static LLVMModuleRef make_burns(LLVMContextRef context, const Target *target, const void *what) {
    (void)what;
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("peak", context);
    Emitter e = emitter_new(context, module, target);
    for (int i = 0; i < BURNS; i++) emit_burn(&e, target, i);
    emitter_close(&e);
    return module;
}

static double best_rate(BurnFunction *burn, int number) {
    double best = 0, steps = (double)CHAINS * (double)LANES * (double)burns[number].iterations;
    for (int i = 0; i < ROUNDS; i++) {
        float seed = 0.5f;
        double start = seconds_now();
        burn(&seed);
        double rate = burns[number].counts * steps / (seconds_now() - start);
        if (rate > best) best = rate;
    }
    return best;
}

bool codegen_measure_peak(const CodegenOptions *options, PeakRates *rates, Diagnostics *diag) {
    LLVMOrcLLJITRef jit = NULL;
    double measured[BURNS];
    Object object = object_make(make_burns, NULL, options, diag);
    bool good = object.buffer && jit_open(options, object.buffer, &jit, diag);
    for (int i = 0; i < BURNS && good; i++) {
        BurnFunction *burn = (BurnFunction *)(uintptr_t)jit_lookup(jit, burns[i].name, diag);
        good = burn != NULL;
        if (burn) measured[i] = best_rate(burn, i);
    }
    jit_close(jit);
    if (good) *rates = (PeakRates){measured[0], measured[1], measured[2]};
    return good;
}
