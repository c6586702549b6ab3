/* The platforms that code can be made for, and their names. */
#ifndef MLC_CODEGEN_TARGET_PLATFORM_H
#define MLC_CODEGEN_TARGET_PLATFORM_H

#include "codegen/codegen.h"

/* A row of platforms.def. */
typedef struct {
    const char *name, *triple, *cpu, *features, *abi;
    size_t return_bytes; /* bytes that a call puts on the stack */
    bool no_vectors, no_doubles;
    void (*initialize)(void); /* registers LLVM's backend */
} Platform;

/* The platform of that name, or NULL. */
const Platform *platform_find(const char *name);
/* The same. NULL after reporting an error (STATUS_USAGE). */
const Platform *platform_named(const char *name, Diagnostics *diag);
/* The platform of WebAssembly modules. It has no name in the table, as modules are not objects for
 * C. */
const Platform *platform_wasm(CodegenWasm wasm);
/* NVIDIA's GPUs from "sm_75" or "sm_80" on. They have no name in the table either. NULL after
 * reporting an error (STATUS_USAGE). */
const Platform *platform_gpu(const char *name, Diagnostics *diag);
/* The platform of this machine; the table's first one if this machine is not in it. */
const Platform *platform_here(void);

#endif
