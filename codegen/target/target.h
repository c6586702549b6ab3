/* Internal to codegen/: the machine code is made for. */
#ifndef MLC_CODEGEN_TARGET_TARGET_H
#define MLC_CODEGEN_TARGET_TARGET_H

#include "codegen/codegen.h"

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

typedef struct {
    LLVMTargetMachineRef machine;
    char *triple, *cpu, *features;
    bool many_registers; /* 32 vector registers, not 16 */
} Target;

/* Fills in a target for options->cpu; false after reporting an unknown CPU. */
bool target_open(Target *target, const CodegenOptions *options, Diagnostics *diag);
/* Whether this machine can run the code; false after reporting a STATUS_USAGE error. */
bool target_runs_here(const CodegenOptions *options, Diagnostics *diag);
void target_close(Target *target);
/* How hard LLVM tries to make good instructions at that level: -O3 is as -O2. */
LLVMCodeGenOptLevel target_codegen_level(int level);
/* The passes of that level, as LLVM names them; "" if there are none. */
const char *target_pipeline(int level);
/* SegmentLoop LLVM's passes of that level on a module. */
bool target_optimize(const Target *target, LLVMModuleRef module, int level, Diagnostics *diag);

#endif
