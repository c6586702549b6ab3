/* The code of a module, compiled or taken from the cache. It depends on the module as it is emitted, LLVM's version, the CPU
 * and the passes: a hash of all of these is its key in the cache. Emitting a module takes a
 * fiftieth of the time of compiling it. */
#include "codegen/llvm/object.h"
#include "codegen/llvm/cache.h"
#include "codegen/llvm/tiles.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <string.h>

bool module_valid(LLVMModuleRef module, Diagnostics *diag) {
    char *message = NULL;
    bool broken = LLVMVerifyModule(module, LLVMReturnStatusAction, &message);
    if (broken)
        diag_error(diag, STATUS_BUG, (Span){0}, "the generated code is not valid: %s", message);
    LLVMDisposeMessage(message);
    return !broken;
}

/* Hashes a text with its NUL, so that two texts never run into one. */
static void hash_text(llvm_blake3_hasher *hasher, const char *text) {
    llvm_blake3_hasher_update(hasher, text, strlen(text) + 1);
}

static CacheKey key_of(LLVMModuleRef module, const Target *target, const char *passes, int level) {
    llvm_blake3_hasher hasher;
    unsigned version[3];
    LLVMCodeGenOptLevel codegen_level = target_codegen_level(level);
    /* of the library that runs, not of the one built against */
    LLVMGetVersion(&version[0], &version[1], &version[2]);
    LLVMMemoryBufferRef bitcode = LLVMWriteBitcodeToMemoryBuffer(module);
    llvm_blake3_hasher_init(&hasher);
    llvm_blake3_hasher_update(&hasher, version, sizeof version);
    hash_text(&hasher, MLC_VERSION);
    hash_text(&hasher, target->triple);
    hash_text(&hasher, target->cpu);
    hash_text(&hasher, target->features);
    hash_text(&hasher, target_pipeline(level));
    hash_text(&hasher, passes);
    llvm_blake3_hasher_update(&hasher, &codegen_level, sizeof codegen_level);
    llvm_blake3_hasher_update(&hasher, LLVMGetBufferStart(bitcode), LLVMGetBufferSize(bitcode));
    LLVMDisposeMemoryBuffer(bitcode);
    return cache_key(&hasher);
}

LLVMMemoryBufferRef object_compile(LLVMModuleRef module, const Target *target, int level,
                                   Diagnostics *diag) {
    LLVMMemoryBufferRef object = NULL;
    char *message = NULL;
    if (!module_valid(module, diag) || !target_optimize(target, module, level, diag)) return NULL;
    if (!LLVMTargetMachineEmitToMemoryBuffer(target->machine, module, LLVMObjectFile, &message,
                                             &object))
        return object;
    diag_error(diag, STATUS_BUG, (Span){0}, "LLVM makes no code: %s", message);
    LLVMDisposeMessage(message);
    return NULL;
}

Object object_find(LLVMModuleRef module, const Target *target, const CodegenOptions *options,
                   const ModuleCompiler *compiler, Diagnostics *diag) {
    Cache cache = cache_open(options->cache_folder, options->verbose);
    if (cache.folder < 0)
        return (Object){compiler->compile(module, target, options->level, diag), false};
    CacheKey key = key_of(module, target, compiler->passes, options->level);
    Object object = {.buffer = cache_load(&cache, &key)};
    object.cached = object.buffer != NULL;
    if (!object.cached) object.buffer = compiler->compile(module, target, options->level, diag);
    if (!object.cached && object.buffer) cache_store(&cache, &key, object.buffer);
    cache_close(&cache);
    return object;
}

Object object_make(MakeModule *make, const void *what, const CodegenOptions *options,
                   Diagnostics *diag) {
    static const ModuleCompiler compiler = {object_compile, ""};
    Target target = {0};
    StoredTiles tiles = {0};
    Object object = {0};
    if (target_runs_here(options, diag) && target_open(&target, options, diag)) {
        tiles_open(&tiles, &target, options);
        LLVMContextRef context = LLVMContextCreate();
        LLVMModuleRef module = make(context, &target, what);
        object = object_find(module, &target, options, &compiler, diag);
        LLVMDisposeModule(module);
        LLVMContextDispose(context);
    }
    tiles_close(&tiles);
    target_close(&target);
    return object;
}
