/* The machine that code is made for. Internal to codegen/. */
#ifndef MLC_CODEGEN_TARGET_TARGET_H
#define MLC_CODEGEN_TARGET_TARGET_H

#include "codegen/codegen.h"
#include "codegen/target/core.h"

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

/* How a * b + c is computed with one rounding. */
typedef enum {
    FMA_INSTRUCTION, /* the target has one */
    FMA_RELAXED,     /* the instruction of WebAssembly's relaxed vectors */
    FMA_EMULATED     /* by other instructions: emit/fused.c */
} FmaKind;

/* An instruction that multiplies two vectors of i16 and adds neighbouring products: <2n x i16>
 * times <2n x i16> gives <n x i32>. */
typedef struct {
    const char *intrinsic; /* NULL: the target has none */
    int lanes;             /* n */
} PairProduct;

typedef struct Target {
    LLVMTargetMachineRef machine;
    char *triple, *cpu, *features;
    bool many_registers; /* 32 vector registers, not 16 */
    /* 16 vector registers of 128 bits, and a compiler that keeps few values in them: WebAssembly.
     * It is false for x86 without AVX and multiply-add. There, tiles with more rows are faster, as
     * rows share the conversion of columns to double. */
    bool short_vectors;
    const Core *core;
    /* chooses the tiles of products; NULL, as target_open leaves it: the cost model alone does */
    const TileChooser *tiles;
    size_t return_bytes; /* that a call puts on the stack */
    FmaKind fma;
    PairProduct pairs;
    bool wasm;
    bool x86;
    bool threads; /* a GPU: lanes are threads */
    bool no_vectors;
    bool cortex_m; /* has SMLAD, which adds two products of i16 to an i32, and VLDM */
    /* Shipped code exists a second time for this target, and calls take that where the machine is
     * one; NULL: it does not. */
    const struct Target *wide;
} Target;

/* Fills in a target for options->platform and cpu; false after reporting an unknown one. */
bool target_open(Target *target, const CodegenOptions *options, Diagnostics *diag);
/* The target x86-64-v4, for functions in a module for another CPU of x86-64. It is not closed, and
 * `target` must outlive it. */
Target target_widened(const Target *target);
/* Whether this machine can run the code; false after reporting a STATUS_USAGE error. */
bool target_runs_here(const CodegenOptions *options, Diagnostics *diag);
void target_close(Target *target);
/* LLVM's level of instruction selection and scheduling: for -O3 that of -O2. */
LLVMCodeGenOptLevel target_codegen_level(int level);
/* The passes of a level as text for LLVM; "": none. */
const char *target_pipeline(int level);
/* Run LLVM's passes on a module: those of a text; those of a level. */
bool target_run_passes(const Target *target, LLVMModuleRef module, const char *pipeline,
                       Diagnostics *diag);
bool target_optimize(const Target *target, LLVMModuleRef module, int level, Diagnostics *diag);

#endif
