/* From object code to functions that can be called. Internal to codegen/. */
#ifndef MLC_CODEGEN_LLVM_JIT_H
#define MLC_CODEGEN_LLVM_JIT_H

#include "codegen/target/target.h"

#include <llvm-c/LLJIT.h>

/* Takes over the object code. False after reporting an error; *jit may be NULL then, and must be
 * closed with jit_close in any case. */
bool jit_open(const CodegenOptions *options, LLVMMemoryBufferRef object, LLVMOrcLLJITRef *jit,
              Diagnostics *diag);
/* The address of a function, linked now; NULL after reporting an error. */
void *jit_lookup(LLVMOrcLLJITRef jit, const char *name, Diagnostics *diag);
void jit_close(LLVMOrcLLJITRef jit);

#endif
