/* Internal to codegen/: from an LLVM module to object code, compiled or taken from the cache. */
#ifndef MLC_CODEGEN_LLVM_OBJECT_H
#define MLC_CODEGEN_LLVM_OBJECT_H

#include "codegen/target/target.h"

/* Writes a module in the context, for the target. */
typedef LLVMModuleRef MakeModule(LLVMContextRef context, const Target *target, const void *what);

typedef struct {
    LLVMMemoryBufferRef buffer; /* NULL: an error was reported */
    bool cached;                /* it was compiled before */
} Object;

/* Makes the module, and object code of it at options->level that this machine can run. The module is gone afterwards, with all that LLVM keeps of it. */
Object object_make(MakeModule *make, const void *what, const CodegenOptions *options, Diagnostics *diag);

/* LLVM's own check; false after reporting what is wrong, which is a bug here. */
bool module_valid(LLVMModuleRef module, Diagnostics *diag);

#endif
