/* Internal to codegen/: from object code to functions that can be called. */
#ifndef MLC_CODEGEN_LLVM_JIT_H
#define MLC_CODEGEN_LLVM_JIT_H

#include "codegen/target/target.h"

#include <llvm-c/LLJIT.h>

/* Takes over the object code. *jit is set, or NULL; in either case jit_close is right. false after reporting an error. */
bool jit_open(const CodegenOptions *options, LLVMMemoryBufferRef object, LLVMOrcLLJITRef *jit, Diagnostics *diag);
/* The address of a function, linked now; NULL after reporting an error. */
void *jit_lookup(LLVMOrcLLJITRef jit, const char *name, Diagnostics *diag);
void jit_close(LLVMOrcLLJITRef jit);

#endif
