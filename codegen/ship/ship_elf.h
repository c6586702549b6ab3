/* What an object file needs and holds. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_SHIP_ELF_H
#define MLC_CODEGEN_SHIP_SHIP_ELF_H

#include <stddef.h>

/* The bytes of code, and of constants other than the weights, in an ELF object of LLVM. */
size_t elf_code_bytes(const void *object);
/* A symbol that the object needs from elsewhere, as text in it; NULL: there is none. */
const char *elf_lacking(const void *object);

#endif
