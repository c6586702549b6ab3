/* Internal to codegen/: from an LLVM module to functions that can be called. */
#ifndef MLC_CODEGEN_JIT_H
#define MLC_CODEGEN_JIT_H

#include "codegen/target.h"

#include <llvm-c/LLJIT.h>

/* Writes a module in the context, for the target. */
typedef LLVMModuleRef MakeModule(LLVMContextRef context, const Target *target, const void *what);

/* *jit is set, or NULL; in either case jit_close is right. false after reporting an error. */
bool jit_open(const CodegenOptions *options, LLVMOrcLLJITRef *jit, Diagnostics *diag);
/* Makes a module, lets LLVM's passes of options->level run over it and hands it to the JIT. */
bool jit_add(LLVMOrcLLJITRef jit, MakeModule *make, const void *what, const CodegenOptions *options, Diagnostics *diag);
/* The address of a function, compiled now; NULL after reporting an error. */
void *jit_lookup(LLVMOrcLLJITRef jit, const char *name, Diagnostics *diag);
void jit_close(LLVMOrcLLJITRef jit);

/* LLVM's own check; false after reporting what is wrong, which is a bug here. */
bool module_valid(LLVMModuleRef module, Diagnostics *diag);

#endif
