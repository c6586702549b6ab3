/* The machine that code is made for. Internal to codegen/. */
#ifndef MLC_CODEGEN_TARGET_TARGET_H
#define MLC_CODEGEN_TARGET_TARGET_H

#include "codegen/codegen.h"

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

/* How a * b + c is computed with one rounding. */
typedef enum {
    FMA_INSTRUCTION, /* the target has one */
    FMA_RELAXED,     /* that of WebAssembly's relaxed vectors */
    FMA_EMULATED     /* by other instructions: emit/fused.c */
} FmaKind;

/* An instruction that multiplies two vectors of i16 and adds neighbouring products: <2n x i16> times
 * <2n x i16> is <n x i32>. */
typedef struct {
    const char *intrinsic; /* NULL: the target has none */
    int lanes;             /* n */
} PairProduct;

typedef struct {
    LLVMTargetMachineRef machine;
    char *triple, *cpu, *features;
    bool many_registers; /* 32 vector registers, not 16 */
    /* 16 vector registers of 128 bits, and a compiler that keeps few values in them. PCs without
     * AVX, which have no multiply-add either, are faster with more rows, which share the work of
     * converting the columns. */
    bool short_vectors;
    /* Steps of k that share an iteration of a product's loop. They save the end of a loop and its
     * addresses, but need more room for decoded instructions. */
    int steps_together;
    size_t return_bytes; /* that a call puts on the stack; of a platform */
    FmaKind fma;
    PairProduct pairs;
    bool wasm;
} Target;

/* Fills in a target for options->platform and cpu; false after reporting an unknown one. */
bool target_open(Target *target, const CodegenOptions *options, Diagnostics *diag);
/* Whether this machine can run the code; false after reporting a STATUS_USAGE error. */
bool target_runs_here(const CodegenOptions *options, Diagnostics *diag);
void target_close(Target *target);
/* LLVM's level of instruction selection and scheduling: for -O3 that of -O2. */
LLVMCodeGenOptLevel target_codegen_level(int level);
/* LLVM's text for the passes of that level; "": none. */
const char *target_pipeline(int level);
/* Runs LLVM's passes on a module: those that a text names, or those of that level. */
bool target_run_passes(const Target *target, LLVMModuleRef module, const char *pipeline,
                       Diagnostics *diag);
bool target_optimize(const Target *target, LLVMModuleRef module, int level, Diagnostics *diag);

#endif
