/* FNV-1a, the hash of Fowler, Noll and Vo. The seeds of states and the hashes that `mlc run` prints
 * depend on it: it must not change. */
#ifndef MLC_IR_BASE_HASH_H
#define MLC_IR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH32_START 2166136261u
#define HASH64_START UINT64_C(0xcbf29ce484222325)

/* Continues a hash with further bytes. The first hash is the start value. */
static inline uint32_t hash32(uint32_t hash, const void *data, size_t bytes) {
    for (const unsigned char *byte = data; bytes--; byte++) hash = (hash ^ *byte) * 16777619u;
    return hash;
}
static inline uint64_t hash64(uint64_t hash, const void *data, size_t bytes) {
    for (const unsigned char *byte = data; bytes--; byte++)
        hash = (hash ^ *byte) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
