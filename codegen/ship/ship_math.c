/* floor and roundeven of float and double, as text of LLVM IR, for modules that may call no
 * library. Their results are exact.
 *
 * A number |x| < 2^23 (2^52 for double) is rounded to a whole number by adding and subtracting
 * 2^23. */
#include "codegen/ship/ship_math.h"

#include "ir/base/diag.h"

#include <llvm-c/IRReader.h>
#include <llvm-c/Linker.h>
#include <string.h>

static const char *const names[] = {"floorf", "roundevenf", "floor", "roundeven"};
enum { NAMES = sizeof names / sizeof *names, SINGLE_NAMES = 2 };

#define WHOLE_NUMBERS(type, suffix, limit)                                                         \
    "define internal " type " @roundeven" suffix "(" type " %x) {\n"                               \
    "  %size = call " type " @llvm.fabs." type "(" type " %x)\n"                                   \
    "  %up = fadd " type " %size, " limit "\n"                                                     \
    "  %whole = fsub " type " %up, " limit "\n"                                                    \
    "  %signed = call " type " @llvm.copysign." type "(" type " %whole, " type " %x)\n"            \
    "  %small = fcmp olt " type " %size, " limit "\n"                                              \
    "  %result = select i1 %small, " type " %signed, " type " %x\n"                                \
    "  ret " type " %result\n"                                                                     \
    "}\n"                                                                                          \
    "define internal " type " @floor" suffix "(" type " %x) {\n"                                   \
    "  %near = call " type " @roundeven" suffix "(" type " %x)\n"                                  \
    "  %below = fsub " type " %near, 1.0\n"                                                        \
    "  %above = fcmp ogt " type " %near, %x\n"                                                     \
    "  %result = select i1 %above, " type " %below, " type " %near\n"                              \
    "  ret " type " %result\n"                                                                     \
    "}\n"                                                                                          \
    "declare " type " @llvm.fabs." type "(" type ")\n"                                             \
    "declare " type " @llvm.copysign." type "(" type ", " type ")\n"

static const char single_text[] = WHOLE_NUMBERS("float", "f", "8388608.0"),
                  double_text[] = WHOLE_NUMBERS("double", "", "4503599627370496.0");

bool math_has(const char *name) {
    for (int i = 0; i < NAMES; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

LLVMValueRef math_next(LLVMModuleRef module, LLVMValueRef function) {
    int i = 0;
    if (!function) return LLVMGetNamedFunction(module, names[0]);
    size_t length;
    while (strcmp(names[i], LLVMGetValueName2(function, &length)) != 0) i++;
    return i + 1 < NAMES ? LLVMGetNamedFunction(module, names[i + 1]) : NULL;
}

/* Keeps the functions from being removed as unused. LLVM emits calls of them, by name, only after
 * all passes. */
static void keep(LLVMModuleRef module, int first, int end) {
    LLVMContextRef context = LLVMGetModuleContext(module);
    LLVMValueRef kept[NAMES];
    for (int i = first; i < end; i++) kept[i - first] = LLVMGetNamedFunction(module, names[i]);
    LLVMTypeRef pointer = LLVMPointerTypeInContext(context, 0);
    LLVMValueRef list = LLVMConstArray2(pointer, kept, (uint64_t)(end - first));
    LLVMValueRef used = LLVMAddGlobal(module, LLVMTypeOf(list), "llvm.compiler.used");
    LLVMSetInitializer(used, list);
    LLVMSetLinkage(used, LLVMAppendingLinkage);
    LLVMSetSection(used, "llvm.metadata");
}

static void add_text(LLVMModuleRef module, const char *text, size_t length, int first, int end) {
    LLVMModuleRef math;
    char *message = NULL;
    LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRange(text, length, "math", true);
    if (LLVMParseIRInContext(LLVMGetModuleContext(module), buffer, &math, &message))
        diag_bug("the functions of shipped objects: %s", message);
    LLVMSetTarget(math, LLVMGetTarget(module));
    LLVMSetDataLayout(math, LLVMGetDataLayoutStr(module));
    keep(math, first, end);
    if (LLVMLinkModules2(module, math)) diag_bug("the functions of shipped objects do not link");
}

void math_add(LLVMModuleRef module, ShipMath which) {
    if (which >= MATH_SINGLE)
        add_text(module, single_text, sizeof single_text - 1, 0, SINGLE_NAMES);
    if (which >= MATH_DOUBLE)
        add_text(module, double_text, sizeof double_text - 1, SINGLE_NAMES, NAMES);
}
