/* Prints a module as C. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_C_PRINT_H
#define MLC_CODEGEN_SHIP_C_PRINT_H

#include "ir/base/arena.h"

#include <llvm-c/Core.h>
#include <stdio.h>

/* Prints the constants and functions of a module that codegen/ emitted, in C99 that is also valid
 * C++. All are static. The functions that a caller of the object sees are called ship_SYMBOL. */
void c_print_module(LLVMModuleRef module, FILE *out);

#endif
