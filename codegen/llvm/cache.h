/* Internal to codegen/: object code kept on disk, by the hash of what it is made from. No fault of the cache is an error: what
 * cannot be read or written is compiled again, and with --verbose a line says why. */
#ifndef MLC_CODEGEN_LLVM_CACHE_H
#define MLC_CODEGEN_LLVM_CACHE_H

#include <llvm-c/Core.h>
#include <llvm-c/blake3.h>
#include <stdbool.h>

/* The name of an entry: a BLAKE3 hash in hexadecimal. */
typedef struct {
    char text[2 * LLVM_BLAKE3_OUT_LEN + 1];
} CacheKey;
CacheKey cache_key(const llvm_blake3_hasher *hasher);

typedef struct {
    int folder; /* a file descriptor; -1: there is no cache */
    const char *path;
    bool verbose;
} Cache;

/* Opens the folder `path` (NULL: no cache), made if it is not there. It must be the user's own, and nobody else's to write. */
Cache cache_open(const char *path, bool verbose);
void cache_close(Cache *cache);
/* A copy of the entry, or NULL: it is not there, or not what was stored. */
LLVMMemoryBufferRef cache_load(const Cache *cache, const CacheKey *key);
/* Keeps the object; the entries that were not used for the longest time make room for it. */
void cache_store(const Cache *cache, const CacheKey *key, LLVMMemoryBufferRef object);

#endif
