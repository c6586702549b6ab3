/* Types, constants and operands in C. Internal to c_print.c. */
#ifndef MLC_CODEGEN_SHIP_C_VALUES_H
#define MLC_CODEGEN_SHIP_C_VALUES_H

#include "ir/base/arena.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct {
    Arena *arena;
    LLVMTargetDataRef layout;
    FILE *types, *constants, *code;
    const char **vectors; /* the names of the vector types so far */
    uint32_t vector_count, vector_capacity;
    LLVMValueRef *tables; /* vector constants so far: table i is the variable c<i> */
    uint32_t table_count, table_capacity;
} CPrinter;

const char *c_value_name(LLVMValueRef value);
bool c_is_vector(LLVMTypeRef type);
LLVMTypeRef c_element_of(LLVMTypeRef type); /* of a vector; of a scalar the type itself */
unsigned c_lanes(LLVMTypeRef type);
/* The name of a type, such as "f32"; that of a value's elements. */
const char *c_scalar_type(LLVMTypeRef type);
const char *c_element_type(LLVMValueRef value);
/* The name of a type, which may be a vector: "f32x16". It is declared when it is first used. */
const char *c_type(CPrinter *p, LLVMTypeRef type);
/* The text of a whole value; of a vector's lane i or a scalar. */
const char *c_operand(CPrinter *p, LLVMValueRef value);
const char *c_lane(CPrinter *p, LLVMValueRef value);
/* Prints `{0x3f800000,...};` for bytes that make up words of four; how many words that are, at
 * least one. */
void c_print_words(const char *bytes, size_t length, FILE *out);
size_t c_word_count(size_t length);
/* Declares weights of `length` bytes that another file defines. */
void c_declare_weights(const char *symbol, size_t length, FILE *out);
/* Defines a constant of the module, or declares one without a value: the weights. */
void c_print_global(CPrinter *p, LLVMValueRef global);

#endif
