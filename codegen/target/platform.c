/* The table of platforms. */
#include "codegen/target/platform.h"

#include "ir/base/names.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <string.h>

/* also: a parser, for code that contains assembly */
#define INITIALIZE(backend, also)                                                                  \
    static void initialize_##backend(void) {                                                       \
        LLVMInitialize##backend##TargetInfo();                                                     \
        LLVMInitialize##backend##Target();                                                         \
        LLVMInitialize##backend##TargetMC();                                                       \
        LLVMInitialize##backend##AsmPrinter();                                                     \
        also;                                                                                      \
    }
INITIALIZE(X86, )
INITIALIZE(AArch64, )
INITIALIZE(ARM, LLVMInitializeARMAsmParser())
INITIALIZE(RISCV, )
INITIALIZE(WebAssembly, )
#ifdef MLC_NVPTX
INITIALIZE(NVPTX, )
#endif
#undef INITIALIZE

static const Platform platforms[] = {
#define PLATFORM(name, backend, triple, cpu, features, abi, return_bytes, no_vectors, no_doubles)  \
    {name, triple, cpu, features, abi, return_bytes, no_vectors, no_doubles, initialize_##backend},
#include "codegen/target/platforms.def"
};
enum { PLATFORMS = sizeof platforms / sizeof *platforms };

const Platform *platform_find(const char *name) {
    for (int i = 0; i < PLATFORMS; i++)
        if (!strcmp(platforms[i].name, name)) return &platforms[i];
    return NULL;
}

const Platform *platform_named(const char *name, Diagnostics *diag) {
    const char *names[PLATFORMS];
    const Platform *found = platform_find(name);
    if (found) return found;
    for (int i = 0; i < PLATFORMS; i++) names[i] = platforms[i].name;
    Arena *arena = arena_new();
    diag_error(diag, STATUS_USAGE, (Span){0}, "unknown target '%s'", name);
    if (!diag_suggest(diag, name, names, PLATFORMS))
        diag_help(diag, "the targets are %s", names_quoted(arena, names, PLATFORMS, PLATFORMS));
    arena_free(arena);
    return NULL;
}

const Platform *platform_wasm(CodegenWasm wasm) {
#define VECTORS "+simd128,+nontrapping-fptoint,+sign-ext,+mutable-globals"
#define ROW(features)                                                                              \
    {                                                                                              \
        "wasm32", "wasm32-unknown-unknown", "generic", features, "", 0, false, false,              \
            initialize_WebAssembly                                                                 \
    }
    static const Platform rows[] = {
        [WASM_RELAXED] = ROW(VECTORS ",+relaxed-simd"), [WASM_EXACT] = ROW(VECTORS)};
#undef ROW
#undef VECTORS
    return &rows[wasm];
}

#ifndef MLC_NVPTX
const Platform *platform_gpu(const char *name, Diagnostics *diag) {
    (void)name;
    diag_error(diag, STATUS_USAGE, (Span){0}, "this mlc is built without code for GPUs");
    diag_help(diag,
              "build it with an LLVM that has the target NVPTX; --device cpu computes the same "
              "bits");
    return NULL;
}
#else
/* Drivers since 2018 and 2020 take these versions of PTX, and compile them for any later GPU. From
 * sm_80 on, a GPU has instructions for the larger and the smaller of two numbers that keep a NaN. */
const Platform *platform_gpu(const char *name, Diagnostics *diag) {
#define ROW(cpu, features)                                                                         \
    { "GPUs", "nvptx64-nvidia-cuda", cpu, features, "", 0, true, false, initialize_NVPTX }
    static const Platform rows[] = {ROW("sm_75", "+ptx63"), ROW("sm_80", "+ptx70")};
#undef ROW
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].cpu, name)) return &rows[i];
    diag_error(diag, STATUS_USAGE, (Span){0}, "code for GPUs does not take '%s'", name);
    diag_help(diag, "it takes sm_75 and sm_80 (the default), the oldest GPUs that run it");
    return NULL;
}
#endif

const Platform *platform_here(void) {
    char *triple = LLVMGetDefaultTargetTriple();
    size_t length = strcspn(triple, "-") + 1;
    const Platform *here = platforms;
    for (int i = 0; i < PLATFORMS; i++)
        if (!strncmp(platforms[i].triple, triple, length)) here = &platforms[i];
    LLVMDisposeMessage(triple);
    return here;
}
