/* Prints a module as C. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_C_PRINT_H
#define MLC_CODEGEN_SHIP_C_PRINT_H

#include "ir/base/arena.h"

#include <llvm-c/Core.h>
#include <stdio.h>

/* Prints the constants and functions of a module that emit/ made, in C99 that is C++ as well. All
 * are static; the functions that a caller of an object sees are called ship_SYMBOL. */
void c_print_module(LLVMModuleRef module, FILE *out);

#endif
