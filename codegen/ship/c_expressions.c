/* Comparisons and conversions in C. Integer variables are unsigned, so signed operations cast their
 * operands. */
#include "codegen/ship/c_expressions.h"
#include "ir/base/diag.h"

#include <inttypes.h>
#include <string.h>

const char *c_in(CPrinter *p, LLVMValueRef at, unsigned i) {
    return c_lane(p, LLVMGetOperand(at, i));
}

const char *c_signed(CPrinter *p, LLVMValueRef at, const char *type, const char *sign) {
    LLVMTypeRef of = c_element_of(LLVMTypeOf(LLVMGetOperand(at, 0)));
    unsigned width = LLVMGetIntTypeWidth(of);
    return arena_format(p->arena, "(%s)((int%u_t)%s %s (int%u_t)%s)", type, width, c_in(p, at, 0),
                        sign, width, c_in(p, at, 1));
}

const char *c_icmp(CPrinter *p, LLVMValueRef at) {
    static const struct {
        LLVMIntPredicate predicate;
        const char *sign;
        bool is_signed;
    } all[] = {{LLVMIntEQ, "==", false},  {LLVMIntNE, "!=", false}, {LLVMIntUGT, ">", false},
               {LLVMIntUGE, ">=", false}, {LLVMIntULT, "<", false}, {LLVMIntULE, "<=", false},
               {LLVMIntSGT, ">", true},   {LLVMIntSGE, ">=", true}, {LLVMIntSLT, "<", true},
               {LLVMIntSLE, "<=", true}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].predicate == LLVMGetICmpPredicate(at))
            return all[i].is_signed ? c_signed(p, at, "i1", all[i].sign)
                                    : arena_format(p->arena, "(i1)(%s %s %s)", c_in(p, at, 0),
                                                   all[i].sign, c_in(p, at, 1));
    return NULL;
}

const char *c_fcmp(CPrinter *p, LLVMValueRef at) {
    static const struct {
        LLVMRealPredicate predicate;
        const char *text; /* of a and b */
    } all[] = {{LLVMRealOEQ, "%s == %s"},    {LLVMRealOLT, "%s < %s"},
               {LLVMRealOLE, "%s <= %s"},    {LLVMRealOGT, "%s > %s"},
               {LLVMRealOGE, "%s >= %s"},    {LLVMRealUNE, "!(%s == %s)"},
               {LLVMRealUGE, "!(%s < %s)"},  {LLVMRealUGT, "!(%s <= %s)"},
               {LLVMRealULT, "!(%s >= %s)"}, {LLVMRealULE, "!(%s > %s)"}};
    const char *a = c_in(p, at, 0), *b = c_in(p, at, 1);
    LLVMRealPredicate predicate = LLVMGetFCmpPredicate(at);
    if (predicate == LLVMRealUNO)
        return arena_format(p->arena, "(i1)(%s != %s || %s != %s)", a, a, b, b);
    if (predicate == LLVMRealORD)
        return arena_format(p->arena, "(i1)(%s == %s && %s == %s)", a, a, b, b);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].predicate == predicate) {
            const char *mark = strstr(all[i].text, "%s"), *rest = strstr(mark + 2, "%s");
            return arena_format(p->arena, "(i1)(%.*s%s%.*s%s%s)", (int)(mark - all[i].text),
                                all[i].text, a, (int)(rest - mark - 2), mark + 2, b, rest + 2);
        }
    diag_bug("C: a comparison");
}

const char *c_convert(CPrinter *p, LLVMValueRef at, bool is_signed) {
    LLVMTypeRef from = c_element_of(LLVMTypeOf(LLVMGetOperand(at, 0)));
    const char *to = c_element_type(at), *value = c_in(p, at, 0);
    bool whole = LLVMGetTypeKind(from) == LLVMIntegerTypeKind;
    unsigned width = whole ? LLVMGetIntTypeWidth(from) : 0;
    if (LLVMGetInstructionOpcode(at) == LLVMTrunc && !strcmp(to, "i1"))
        return arena_format(p->arena, "(i1)(%s & 1u)", value);
    if (!is_signed) return arena_format(p->arena, "(%s)%s", to, value);
    if (width == 1) return arena_format(p->arena, "(%s)(0u - (%s)%s)", to, to, value);
    bool real = strcmp(to, "f32") == 0 || strcmp(to, "f64") == 0;
    return arena_format(p->arena, real ? "(%s)(int%u_t)%s" : "(%s)(int64_t)(int%u_t)%s", to, width,
                        value);
}
