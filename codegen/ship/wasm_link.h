/* LLVM's linker for WebAssembly. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_WASM_LINK_H
#define MLC_CODEGEN_SHIP_WASM_LINK_H

#include "ir/ir.h"

typedef struct {
    void *bytes; /* the module, to be freed; NULL after reporting an error */
    size_t length;
    size_t memory; /* bytes of its memory, in whole pages */
} WasmModule;

/* Makes a module of one object. It exports its memory, which cannot grow, and those symbols:
 * functions, and addresses of data. stack: bytes for the stack, which lies below all data, so that
 * a stack that is too deep traps. An object that needs a symbol from elsewhere is refused. */
WasmModule wasm_link(const void *object, size_t length, const char *const *exports, uint32_t count,
                     size_t stack, Diagnostics *diag);

#endif
