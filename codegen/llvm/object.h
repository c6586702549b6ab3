/* From an LLVM module to its code, compiled or taken from the cache. Internal to codegen/. */
#ifndef MLC_CODEGEN_LLVM_OBJECT_H
#define MLC_CODEGEN_LLVM_OBJECT_H

#include "codegen/target/target.h"

/* Makes a module in the context for the target; what: from the caller of object_make. */
typedef LLVMModuleRef MakeModule(LLVMContextRef context, const Target *target, const void *what);

typedef struct {
    LLVMMemoryBufferRef buffer; /* NULL: an error was reported */
    bool cached;                /* it was in the cache */
} Object;

/* Makes the module and compiles it, or finds its code in the cache. Frees the module. Fails if this
 * machine cannot run the code. */
Object object_make(MakeModule *make, const void *what, const CodegenOptions *options,
                   Diagnostics *diag);

/* Makes object code, or text, of a module. passes: those that it runs besides target_pipeline. */
typedef struct {
    LLVMMemoryBufferRef (*compile)(LLVMModuleRef module, const Target *target, int level,
                                   Diagnostics *diag);
    const char *passes;
} ModuleCompiler;
/* The code of a module by that compiler, from the cache if it is there. */
Object object_find(LLVMModuleRef module, const Target *target, const CodegenOptions *options,
                   const ModuleCompiler *compiler, Diagnostics *diag);

/* Optimizes and compiles a module, whatever CPU this is. NULL after reporting an error. */
LLVMMemoryBufferRef object_compile(LLVMModuleRef module, const Target *target, int level,
                                   Diagnostics *diag);

/* Checks the module with LLVM's verifier; false after reporting what is wrong, which is a bug of
 * mlc. */
bool module_valid(LLVMModuleRef module, Diagnostics *diag);

#endif
