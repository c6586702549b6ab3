/* A module as C, instruction by instruction. A value becomes a variable, a block a label. A vector
 * is a struct with an array, and an instruction on vectors a loop over lanes:
 *
 *     for (i = 0; i < 16; i++) v12.l[i] = fma_f32(v9.l[i], v10.l[i], v11.l[i]);
 *
 * A phi node has a second variable, which every preceding block sets at its end. Only the
 * instructions that codegen/ emits are known; any other one is a bug. */
#include "codegen/ship/c_print.h"
#include "codegen/ship/c_expressions.h"
#include "ir/base/diag.h"
#include "ir/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- instructions -- */

static void begin_lanes(const CPrinter *p, LLVMTypeRef type) {
    fputs("    ", p->code);
    if (c_is_vector(type)) fprintf(p->code, "for (i = 0; i < %u; i++) ", c_lanes(type));
}

/* v = text, in every lane. */
static void assign(const CPrinter *p, LLVMValueRef at, const char *text) {
    begin_lanes(p, LLVMTypeOf(at));
    fprintf(p->code, "%s%s = %s;\n", c_value_name(at), c_is_vector(LLVMTypeOf(at)) ? ".l[i]" : "",
            text);
}

static const char *binary_text(CPrinter *p, LLVMValueRef at, const char *sign) {
    return arena_format(p->arena, "(%s)(%s %s %s)", c_element_type(at), c_in(p, at, 0), sign,
                        c_in(p, at, 1));
}

static void print_bitcast(CPrinter *p, LLVMValueRef at) {
    LLVMValueRef from = LLVMGetOperand(at, 0);
    LLVMTypeRef source = LLVMTypeOf(from);
    bool bits = c_is_vector(source) &&
                LLVMGetTypeKind(c_element_of(source)) == LLVMIntegerTypeKind &&
                LLVMGetIntTypeWidth(c_element_of(source)) == 1;
    if (bits) { /* the lanes of a mask as the bits of a number */
        fprintf(p->code, "    for (i = 0, %s = 0; i < %u; i++) %s = (%s)(%s | (%s)%s << i);\n",
                c_value_name(at), c_lanes(source), c_value_name(at), c_element_type(at),
                c_value_name(at), c_element_type(at), c_lane(p, from));
        return;
    }
    const char *value = c_operand(p, from);
    if (LLVMIsConstant(from) && !c_is_vector(source)) {
        fprintf(p->code, "    { %s t = %s; memcpy(&%s, &t, sizeof t); }\n", c_type(p, source),
                value, c_value_name(at));
        return;
    }
    fprintf(p->code, "    memcpy(&%s, &%s, sizeof %s);\n", c_value_name(at), value,
            c_value_name(at));
}

static void print_gep(CPrinter *p, LLVMValueRef at) {
    int64_t each = (int64_t)LLVMABISizeOfType(p->layout, LLVMGetGEPSourceElementType(at));
    assign(p, at,
           arena_format(p->arena, "%s + (ptrdiff_t)((int64_t)%s * %" PRId64 ")", c_in(p, at, 0),
                        c_in(p, at, 1), each));
}

/* *(T *)pointer, at lane i */
static const char *memory_text(CPrinter *p, LLVMTypeRef type, LLVMValueRef pointer) {
    const char *element = c_scalar_type(c_element_of(type)),
               *memory = strcmp(element, "i1") ? element : "i8";
    if (c_is_vector(LLVMTypeOf(pointer)))
        return arena_format(p->arena, "*(%sm *)%s", memory, c_lane(p, pointer));
    return arena_format(p->arena, c_is_vector(type) ? "((%sm *)%s)[i]" : "*(%sm *)%s", memory,
                        c_operand(p, pointer));
}

static void print_store(CPrinter *p, LLVMValueRef value, LLVMValueRef pointer, LLVMValueRef mask) {
    begin_lanes(p, LLVMTypeOf(value));
    if (mask) fprintf(p->code, "if (%s) ", c_lane(p, mask));
    fprintf(p->code, "%s = %s;\n", memory_text(p, LLVMTypeOf(value), pointer), c_lane(p, value));
}

/* Lane i of the result is lane mask[i] of both operands, counted as if the second followed the
 * first. */
static void print_shuffle(CPrinter *p, LLVMValueRef at) {
    unsigned width = c_lanes(LLVMTypeOf(LLVMGetOperand(at, 0)));
    for (unsigned i = 0; i < LLVMGetNumMaskElements(at); i++) {
        int from = LLVMGetMaskValue(at, i);
        if (from < 0) from = 0;
        LLVMValueRef vector = LLVMGetOperand(at, (unsigned)from >= width);
        fprintf(p->code, "    %s.l[%u] = %s.l[%u];\n", c_value_name(at), i, c_operand(p, vector),
                (unsigned)from % width);
    }
}

static void print_insert(CPrinter *p, LLVMValueRef at) {
    fprintf(p->code, "    %s = %s;\n    %s.l[%s] = %s;\n", c_value_name(at),
            c_operand(p, LLVMGetOperand(at, 0)), c_value_name(at),
            c_operand(p, LLVMGetOperand(at, 2)), c_operand(p, LLVMGetOperand(at, 1)));
}

static void print_select(CPrinter *p, LLVMValueRef at) {
    bool lanes = c_is_vector(LLVMTypeOf(LLVMGetOperand(at, 0)));
    if (!lanes && c_is_vector(LLVMTypeOf(at)))
        fprintf(p->code, "    %s = %s ? %s : %s;\n", c_value_name(at),
                c_operand(p, LLVMGetOperand(at, 0)), c_operand(p, LLVMGetOperand(at, 1)),
                c_operand(p, LLVMGetOperand(at, 2)));
    else
        assign(p, at,
               arena_format(p->arena, "(%s)(%s ? %s : %s)", c_element_type(at), c_in(p, at, 0),
                            c_in(p, at, 1), c_in(p, at, 2)));
}

/* -- intrinsics -- */

static bool begins(const char *name, const char *with) {
    return !strncmp(name, with, strlen(with));
}

static void print_reduction(CPrinter *p, LLVMValueRef at, bool is_or) {
    LLVMValueRef of = LLVMGetOperand(at, 0);
    const char *name = c_value_name(at), *value = c_lane(p, of);
    fprintf(p->code, "    for (i = 0, %s = %s.l[0]; i < %u; i++) ", name, c_operand(p, of),
            c_lanes(LLVMTypeOf(of)));
    if (is_or)
        fprintf(p->code, "%s = (%s)(%s | %s);\n", name, c_element_type(at), name, value);
    else
        fprintf(p->code, "if ((int32_t)%s > (int32_t)%s) %s = %s;\n", value, name, name, value);
}

static void print_load(CPrinter *p, LLVMValueRef at, LLVMValueRef pointer, LLVMValueRef mask,
                       LLVMValueRef otherwise) {
    const char *text = memory_text(p, LLVMTypeOf(at), pointer);
    if (!strcmp(c_element_type(at), "i1")) text = arena_format(p->arena, "(i1)(%s & 1u)", text);
    assign(p, at,
           mask ? arena_format(p->arena, "(%s)(%s ? %s : %s)", c_element_type(at), c_lane(p, mask),
                               text, c_lane(p, otherwise))
                : text);
}

/* The function of the prelude that computes an intrinsic, such as "fma_f32" for llvm.fma. */
static const char *function_of(const CPrinter *p, LLVMValueRef at, const char *name) {
    static const char *const same[] = {"fma",       "fabs",    "sqrt",    "floor", "ctpop",
                                       "roundeven", "maximum", "minimum", "cttz"};
    const char *from = c_element_type(LLVMGetOperand(at, 0)), *to = c_element_type(at);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (begins(name + strlen("llvm."), arena_format(p->arena, "%s.", same[i])))
            return arena_format(p->arena, "%s_%s", same[i], to);
    if (begins(name, "llvm.fptosi.sat")) return arena_format(p->arena, "%s_of_%s", to, from);
    if (begins(name, "llvm.fptoui.sat")) return "u8_of_f32";
    return NULL;
}

static void print_intrinsic(CPrinter *p, LLVMValueRef at, const char *name) {
    bool smax = begins(name, "llvm.smax"), smin = begins(name, "llvm.smin");
    const char *function = NULL;
    if (begins(name, "llvm.masked.load") || begins(name, "llvm.masked.gather"))
        print_load(p, at, LLVMGetOperand(at, 0), LLVMGetOperand(at, 2), LLVMGetOperand(at, 3));
    else if (begins(name, "llvm.masked.store") || begins(name, "llvm.masked.scatter"))
        print_store(p, LLVMGetOperand(at, 0), LLVMGetOperand(at, 1), LLVMGetOperand(at, 3));
    else if (begins(name, "llvm.vector.reduce."))
        print_reduction(p, at, begins(name, "llvm.vector.reduce.or"));
    else if (smax || smin)
        assign(p, at,
               arena_format(p->arena, "%s ? %s : %s", c_signed(p, at, "i1", smax ? ">" : "<"),
                            c_in(p, at, 0), c_in(p, at, 1)));
    else if ((function = function_of(p, at, name))) {
        unsigned count = LLVMGetNumArgOperands(at) - begins(name, "llvm.cttz");
        const char *text = arena_format(p->arena, "%s(%s", function, c_in(p, at, 0));
        for (unsigned i = 1; i < count; i++)
            text = arena_format(p->arena, "%s, %s", text, c_in(p, at, i));
        assign(p, at, arena_format(p->arena, "%s)", text));
    } else
        diag_bug("C: the intrinsic %s", name);
}

static void print_call(CPrinter *p, LLVMValueRef at) {
    const char *name = c_value_name(LLVMGetCalledValue(at));
    if (begins(name, "llvm.")) {
        print_intrinsic(p, at, name);
        return;
    }
    fputs("    ", p->code);
    if (LLVMGetFirstUse(at)) fprintf(p->code, "%s = ", c_value_name(at));
    fprintf(p->code, "%s(", name);
    for (unsigned i = 0; i < LLVMGetNumArgOperands(at); i++)
        fprintf(p->code, "%s%s", i ? ", " : "", c_in(p, at, i));
    fputs(");\n", p->code);
}

/* -- blocks -- */

static const char *block_name(LLVMBasicBlockRef block) {
    return c_value_name(LLVMBasicBlockAsValue(block));
}

/* Sets the phi nodes of block `to` for the edge from another block, and jumps to it. */
static void print_edge(CPrinter *p, LLVMBasicBlockRef from, LLVMBasicBlockRef to) {
    for (LLVMValueRef phi = LLVMGetFirstInstruction(to); phi && LLVMIsAPHINode(phi);
         phi = LLVMGetNextInstruction(phi))
        for (unsigned i = 0; i < LLVMCountIncoming(phi); i++)
            if (LLVMGetIncomingBlock(phi, i) == from)
                fprintf(p->code, "n%s = %s; ", c_value_name(phi),
                        c_operand(p, LLVMGetIncomingValue(phi, i)));
    fprintf(p->code, "goto %s;", block_name(to));
}

static void print_branch(CPrinter *p, LLVMValueRef at) {
    LLVMBasicBlockRef here = LLVMGetInstructionParent(at);
    if (LLVMGetNumSuccessors(at) == 1) {
        fputs("    ", p->code);
        print_edge(p, here, LLVMGetSuccessor(at, 0));
    } else {
        fprintf(p->code, "    if (%s) { ", c_operand(p, LLVMGetCondition(at)));
        print_edge(p, here, LLVMGetSuccessor(at, 0));
        fputs(" }\n    ", p->code);
        print_edge(p, here, LLVMGetSuccessor(at, 1));
    }
    fputc('\n', p->code);
}

static void print_switch(CPrinter *p, LLVMValueRef at) {
    LLVMBasicBlockRef here = LLVMGetInstructionParent(at);
    for (unsigned i = 1; i < LLVMGetNumSuccessors(at); i++) {
        fprintf(p->code, "    if (%s == %s) { ", c_in(p, at, 0),
                c_operand(p, LLVMGetOperand(at, 2 * i)));
        print_edge(p, here, LLVMGetSuccessor(at, i));
        fputs(" }\n", p->code);
    }
    fputs("    ", p->code);
    print_edge(p, here, LLVMGetSwitchDefaultDest(at));
    fputc('\n', p->code);
}

static void print_instruction(CPrinter *p, LLVMValueRef at) {
    static const char *const signs[] = {
        [LLVMAdd] = "+",  [LLVMSub] = "-",  [LLVMMul] = "*",  [LLVMUDiv] = "/", [LLVMURem] = "%",
        [LLVMAnd] = "&",  [LLVMOr] = "|",   [LLVMXor] = "^",  [LLVMShl] = "<<", [LLVMLShr] = ">>",
        [LLVMFAdd] = "+", [LLVMFSub] = "-", [LLVMFMul] = "*", [LLVMFDiv] = "/"};
    LLVMOpcode op = LLVMGetInstructionOpcode(at);
    const char *type = c_element_type(at);
    switch (op) {
    case LLVMPHI: fprintf(p->code, "    %s = n%s;\n", c_value_name(at), c_value_name(at)); break;
    case LLVMRet:
        fprintf(p->code, "    return%s%s;\n", LLVMGetNumOperands(at) ? " " : "",
                LLVMGetNumOperands(at) ? c_in(p, at, 0) : "");
        break;
    case LLVMBr: print_branch(p, at); break;
    case LLVMSwitch: print_switch(p, at); break;
    case LLVMICmp: assign(p, at, c_icmp(p, at)); break;
    case LLVMFCmp: assign(p, at, c_fcmp(p, at)); break;
    case LLVMSDiv: assign(p, at, c_signed(p, at, type, "/")); break;
    case LLVMSRem: assign(p, at, c_signed(p, at, type, "%")); break;
    case LLVMAShr: assign(p, at, c_signed(p, at, type, ">>")); break;
    case LLVMFNeg: assign(p, at, arena_format(p->arena, "-%s", c_in(p, at, 0))); break;
    case LLVMZExt:
    case LLVMTrunc:
    case LLVMUIToFP:
    case LLVMFPExt:
    case LLVMFPTrunc: assign(p, at, c_convert(p, at, false)); break;
    case LLVMSExt:
    case LLVMSIToFP: assign(p, at, c_convert(p, at, true)); break;
    case LLVMPtrToInt:
        assign(p, at, arena_format(p->arena, "(%s)(uintptr_t)%s", type, c_in(p, at, 0)));
        break;
    case LLVMBitCast: print_bitcast(p, at); break;
    case LLVMGetElementPtr: print_gep(p, at); break;
    case LLVMLoad: print_load(p, at, LLVMGetOperand(at, 0), NULL, NULL); break;
    case LLVMStore: print_store(p, LLVMGetOperand(at, 0), LLVMGetOperand(at, 1), NULL); break;
    case LLVMSelect: print_select(p, at); break;
    case LLVMShuffleVector: print_shuffle(p, at); break;
    case LLVMInsertElement: print_insert(p, at); break;
    case LLVMExtractElement:
        fprintf(p->code, "    %s = %s.l[%s];\n", c_value_name(at),
                c_operand(p, LLVMGetOperand(at, 0)), c_operand(p, LLVMGetOperand(at, 1)));
        break;
    case LLVMAlloca:
        fprintf(p->code, "    %s = (ptr)m%s;\n", c_value_name(at), c_value_name(at));
        break;
    case LLVMCall: print_call(p, at); break;
    default:
        if (op >= sizeof signs / sizeof *signs || !signs[op]) diag_bug("C: instruction %d", op);
        assign(p, at, binary_text(p, at, signs[op]));
    }
}

/* Whether a block can run: it is the first one, or a branch leads to it. */
static bool is_reached(LLVMBasicBlockRef block) {
    return LLVMGetFirstUse(LLVMBasicBlockAsValue(block)) || !LLVMGetPreviousBasicBlock(block);
}

/* Whether an instruction is printed: its block can run, and it has users or an effect. */
static bool is_printed(LLVMValueRef at) {
    LLVMOpcode op = LLVMGetInstructionOpcode(at);
    if (!is_reached(LLVMGetInstructionParent(at))) return false;
    return LLVMGetFirstUse(at) || op == LLVMStore || op == LLVMCall || LLVMIsATerminatorInst(at);
}

/* -- functions -- */

#define EACH_INSTRUCTION(function, block, at)                                                      \
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block;                        \
         block = LLVMGetNextBasicBlock(block))                                                     \
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at))

static void set_name(const CPrinter *p, LLVMValueRef value, const char *prefix, uint32_t number) {
    const char *name = arena_format(p->arena, "%s%u", prefix, number);
    LLVMSetValueName2(value, name, strlen(name));
}

static void name_values(const CPrinter *p, LLVMValueRef function) {
    uint32_t values = 0, blocks = 0;
    for (LLVMValueRef at = LLVMGetFirstParam(function); at; at = LLVMGetNextParam(at))
        set_name(p, at, "p", values++);
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block;
         block = LLVMGetNextBasicBlock(block))
        set_name(p, LLVMBasicBlockAsValue(block), "b", blocks++);
    EACH_INSTRUCTION(function, block, at)
    if (LLVMGetTypeKind(LLVMTypeOf(at)) != LLVMVoidTypeKind) set_name(p, at, "v", values++);
}

static void declare_values(CPrinter *p, LLVMValueRef function) {
    EACH_INSTRUCTION(function, block, at) {
        if (LLVMGetTypeKind(LLVMTypeOf(at)) == LLVMVoidTypeKind || !is_printed(at)) continue;
        if (LLVMIsACallInst(at) && !LLVMGetFirstUse(at)) continue;
        fprintf(p->code, "    %s %s;\n", c_type(p, LLVMTypeOf(at)), c_value_name(at));
        if (LLVMIsAPHINode(at))
            fprintf(p->code, "    %s n%s;\n", c_type(p, LLVMTypeOf(at)), c_value_name(at));
        if (!LLVMIsAAllocaInst(at)) continue;
        uint64_t bytes = LLVMABISizeOfType(p->layout, LLVMGetAllocatedType(at)) *
                         LLVMConstIntGetZExtValue(LLVMGetOperand(at, 0));
        fprintf(p->code, "    uint64_t m%s[%" PRIu64 "];\n", c_value_name(at), (bytes + 7) / 8);
    }
}

/* The head of a function. All functions are declared before the first one is defined, as they may
 * call later ones. */
static void print_head(LLVMValueRef function, FILE *out) {
    fprintf(out, "static %s %s(",
            c_scalar_type(LLVMGetReturnType(LLVMGlobalGetValueType(function))),
            c_value_name(function));
    for (LLVMValueRef at = LLVMGetFirstParam(function); at; at = LLVMGetNextParam(at))
        fprintf(out, "%s %s%s", c_scalar_type(LLVMTypeOf(at)), c_value_name(at),
                LLVMGetNextParam(at) ? ", " : ")");
}

static void print_function(CPrinter *p, LLVMValueRef function) {
    name_values(p, function);
    print_head(function, p->constants);
    fputs(";\n", p->constants);
    fputc('\n', p->code);
    print_head(function, p->code);
    fputs(" {\n", p->code);
    fputs("    size_t i = 0;\n", p->code);
    declare_values(p, function);
    fputs("    (void)i;\n", p->code);
    for (LLVMValueRef at = LLVMGetFirstParam(function); at; at = LLVMGetNextParam(at))
        fprintf(p->code, "    (void)%s;\n", c_value_name(at));
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block;
         block = LLVMGetNextBasicBlock(block)) {
        if (LLVMGetPreviousBasicBlock(block) && is_reached(block))
            fprintf(p->code, "%s:;\n", block_name(block));
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at))
            if (is_printed(at)) print_instruction(p, at);
    }
    fputs("}\n", p->code);
}

/* -- modules -- */

static void name_globals(const CPrinter *p, LLVMModuleRef module) {
    uint32_t count = 0;
    for (LLVMValueRef at = LLVMGetFirstGlobal(module); at; at = LLVMGetNextGlobal(at))
        if (!LLVMIsDeclaration(at)) set_name(p, at, "g", count++);
    for (LLVMValueRef at = LLVMGetFirstFunction(module); at; at = LLVMGetNextFunction(at)) {
        if (LLVMIsDeclaration(at)) continue;
        const char *seen = LLVMGetLinkage(at) == LLVMExternalLinkage ? "ship_" : "";
        char *name = arena_format(p->arena, "%s%s", seen, c_value_name(at));
        for (char *dot = strchr(name, '.'); dot; dot = strchr(dot, '.')) *dot = '_';
        LLVMSetValueName2(at, name, strlen(name));
    }
}

static void append(MemoryStream *stream, FILE *out) {
    char *text = memory_stream_end(stream);
    fwrite(text, 1, stream->length, out);
    free(text);
}

void c_print_module(LLVMModuleRef module, FILE *out) {
    MemoryStream types, constants, code;
    memory_stream_begin(&types);
    memory_stream_begin(&constants);
    memory_stream_begin(&code);
    CPrinter p = {.arena = arena_new(),
                  .layout = LLVMGetModuleDataLayout(module),
                  .types = types.out,
                  .constants = constants.out,
                  .code = code.out};
    name_globals(&p, module);
    for (LLVMValueRef at = LLVMGetFirstGlobal(module); at; at = LLVMGetNextGlobal(at))
        c_print_global(&p, at);
    for (LLVMValueRef at = LLVMGetFirstFunction(module); at; at = LLVMGetNextFunction(at))
        if (!LLVMIsDeclaration(at)) print_function(&p, at);
    append(&types, out);
    fputc('\n', out);
    append(&constants, out);
    append(&code, out);
    arena_free(p.arena);
}
