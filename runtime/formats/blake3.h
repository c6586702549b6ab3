/* BLAKE3 of data in parts. */
#ifndef MLC_RUNTIME_FORMATS_BLAKE3_H
#define MLC_RUNTIME_FORMATS_BLAKE3_H

#include "runtime/formats/hash.h"

#include <llvm-c/blake3.h>

void hash_hex(const llvm_blake3_hasher *hasher, char hex[HASH_HEX]);

#endif
