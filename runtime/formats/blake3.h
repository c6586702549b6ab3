/* BLAKE3 of data in parts. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_BLAKE3_H
#define MLC_RUNTIME_FORMATS_BLAKE3_H

#include <llvm-c/blake3.h>

enum { HASH_HEX = 2 * LLVM_BLAKE3_OUT_LEN + 1 }; /* with the closing NUL */

void hash_hex(const llvm_blake3_hasher *hasher, char hex[HASH_HEX]);

#endif
