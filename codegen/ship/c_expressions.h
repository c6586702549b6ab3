/* Expressions of instructions in C, for a scalar or for lane i. Internal to c_print.c. */
#ifndef MLC_CODEGEN_SHIP_C_EXPRESSIONS_H
#define MLC_CODEGEN_SHIP_C_EXPRESSIONS_H

#include "codegen/ship/c_values.h"

/* Operand i of an instruction. */
const char *c_in(CPrinter *p, LLVMValueRef at, unsigned i);
/* "(type)(a sign b)" with operands as signed numbers. */
const char *c_signed(CPrinter *p, LLVMValueRef at, const char *type, const char *sign);
const char *c_icmp(CPrinter *p, LLVMValueRef at);
const char *c_fcmp(CPrinter *p, LLVMValueRef at);
const char *c_convert(CPrinter *p, LLVMValueRef at, bool is_signed);

#endif
