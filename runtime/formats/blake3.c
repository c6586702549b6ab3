/* BLAKE3, from LLVM. */
#include "runtime/formats/blake3.h"

#include <stdint.h>
#include <stdio.h>

void hash_hex(const llvm_blake3_hasher *hasher, char hex[HASH_HEX]) {
    uint8_t hash[LLVM_BLAKE3_OUT_LEN];
    llvm_blake3_hasher_finalize(hasher, hash, sizeof hash);
    for (size_t i = 0; i < sizeof hash; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

void blake3_hex(const void *data, size_t bytes, char hex[HASH_HEX]) {
    llvm_blake3_hasher hasher;
    llvm_blake3_hasher_init(&hasher);
    llvm_blake3_hasher_update(&hasher, data, bytes);
    hash_hex(&hasher, hex);
}
