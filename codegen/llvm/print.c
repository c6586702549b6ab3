/* The code of a plan as text: LLVM IR after optimization, or assembly. */
#include "codegen/llvm/step.h"
#include "codegen/llvm/object.h"
#include "codegen/llvm/tiles.h"

static bool print_text(const Target *target, LLVMModuleRef module, CodegenText text, FILE *out,
                       Diagnostics *diag) {
    char *message = NULL;
    if (text == CODEGEN_LLVM) {
        message = LLVMPrintModuleToString(module);
        fputs(message, out);
        LLVMDisposeMessage(message);
        return true;
    }
    LLVMMemoryBufferRef buffer;
    if (LLVMTargetMachineEmitToMemoryBuffer(target->machine, module, LLVMAssemblyFile, &message,
                                            &buffer)) {
        diag_error(diag, STATUS_BUG, (Span){0}, "no assembly: %s", message);
        LLVMDisposeMessage(message);
        return false;
    }
    fwrite(LLVMGetBufferStart(buffer), 1, LLVMGetBufferSize(buffer), out);
    LLVMDisposeMemoryBuffer(buffer);
    return true;
}

bool codegen_print(const Plan *plan, const CodegenOptions *options, CodegenText text, FILE *out,
                   Diagnostics *diag) {
    Target target = {0};
    if (!target_open(&target, options, diag)) return target_close(&target), false;
    StoredTiles tiles;
    tiles_open(&tiles, &target, options);
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = step_module(context, plan, &target, NULL);
    bool good = module_valid(module, diag) &&
                target_optimize(&target, module, options->level, diag) &&
                print_text(&target, module, text, out, diag);
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
    tiles_close(&tiles);
    target_close(&target);
    return good;
}
