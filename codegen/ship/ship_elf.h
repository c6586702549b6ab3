/* Facts about an object file that LLVM has made. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_SHIP_ELF_H
#define MLC_CODEGEN_SHIP_SHIP_ELF_H

#include <stddef.h>

/* The bytes of code, and of constants other than the weights, in an ELF object of LLVM. */
size_t elf_code_bytes(const void *object);
/* The name of an undefined symbol other than `known`, which may be NULL. The name lies in the
 * object; NULL: there is none. */
const char *elf_undefined_symbol(const void *object, const char *known);

#endif
