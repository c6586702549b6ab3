/* The functions, in LLVM's own language. Each is exact, unlike those of some C libraries: newlib's
 * fmaf rounds twice.
 *
 * fmaf: in double, the product is exact, and the sum is rounded to odd: if it is not exact, its
 * last bit becomes 1. With at least two bits more than float has, rounding that sum to float is
 * right (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
 * rounding to odd", 2008). TwoSum gives the error of the sum.
 *
 * Rounding to whole numbers: below 2^23 (2^52 for double), adding and subtracting that number
 * does it. */
#include "codegen/ship/ship_math.h"

#include "ir/base/diag.h"

#include <llvm-c/IRReader.h>
#include <llvm-c/Linker.h>
#include <string.h>

static const char *const names[] = {"fmaf", "floorf", "floor", "roundevenf", "roundeven"};
enum { NAMES = sizeof names / sizeof *names };

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

static const char text[] = "define internal float @fmaf(float %a, float %b, float %c) {\n"
                           "  %x = fpext float %a to double\n"
                           "  %y = fpext float %b to double\n"
                           "  %z = fpext float %c to double\n"
                           "  %product = fmul double %x, %y\n"
                           "  %sum = fadd double %product, %z\n"
                           "  %part = fsub double %sum, %product\n"
                           "  %rest = fsub double %sum, %part\n"
                           "  %error1 = fsub double %product, %rest\n"
                           "  %error2 = fsub double %z, %part\n"
                           "  %error = fadd double %error1, %error2\n"
                           "  %inexact = fcmp one double %error, 0.0\n"
                           "  %bits = bitcast double %sum to i64\n"
                           "  %last = and i64 %bits, 1\n"
                           "  %even = icmp eq i64 %last, 0\n"
                           "  %moves = and i1 %inexact, %even\n"
                           "  %upwards = fcmp ogt double %error, 0.0\n"
                           "  %positive = fcmp ogt double %sum, 0.0\n"
                           "  %away = icmp eq i1 %upwards, %positive\n"
                           "  %step = select i1 %away, i64 1, i64 -1\n"
                           "  %moved = add i64 %bits, %step\n"
                           "  %odd = select i1 %moves, i64 %moved, i64 %bits\n"
                           "  %wide = bitcast i64 %odd to double\n"
                           "  %result = fptrunc double %wide to float\n"
                           "  ret float %result\n"
                           "}\n" WHOLE_NUMBERS("float", "f", "8388608.0")
                               WHOLE_NUMBERS("double", "", "4503599627370496.0");

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

/* LLVM finds them by their names when it emits calls, after all passes: until then they must not
 * seem unused. */
static void keep(LLVMModuleRef module) {
    LLVMContextRef context = LLVMGetModuleContext(module);
    LLVMValueRef kept[NAMES];
    for (int i = 0; i < NAMES; i++) kept[i] = LLVMGetNamedFunction(module, names[i]);
    LLVMTypeRef pointer = LLVMPointerTypeInContext(context, 0);
    LLVMValueRef list = LLVMConstArray2(pointer, kept, NAMES);
    LLVMValueRef used = LLVMAddGlobal(module, LLVMTypeOf(list), "llvm.compiler.used");
    LLVMSetInitializer(used, list);
    LLVMSetLinkage(used, LLVMAppendingLinkage);
    LLVMSetSection(used, "llvm.metadata");
}

void math_add(LLVMModuleRef module) {
    LLVMModuleRef math;
    char *message = NULL;
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRange(text, sizeof text - 1, "math", true);
    if (LLVMParseIRInContext(LLVMGetModuleContext(module), buffer, &math, &message))
        diag_bug("the functions of shipped objects: %s", message);
    LLVMSetTarget(math, LLVMGetTarget(module));
    LLVMSetDataLayout(math, LLVMGetDataLayoutStr(module));
    keep(math);
    if (LLVMLinkModules2(module, math)) diag_bug("the functions of shipped objects do not link");
}
