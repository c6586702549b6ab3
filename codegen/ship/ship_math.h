/* Functions of the C library that LLVM calls for CPUs without the instruction. Internal to
 * codegen/. */
#ifndef MLC_CODEGEN_SHIP_SHIP_MATH_H
#define MLC_CODEGEN_SHIP_SHIP_MATH_H

#include <llvm-c/Core.h>
#include <stdbool.h>

/* None; those of float; those of double as well, which not every CPU can compute. */
typedef enum { MATH_NONE, MATH_SINGLE, MATH_DOUBLE } ShipMath;

/* Whether math_add defines the function. */
bool math_has(const char *name);
/* Adds the functions to a module, visible only in its object. */
void math_add(LLVMModuleRef module, ShipMath which);
/* The function after this one in a module. Of NULL: the first one; NULL after the last one. */
LLVMValueRef math_next(LLVMModuleRef module, LLVMValueRef function);

#endif
