/* Object code on disk, found by the hash of everything that it depends on. A cache that cannot be
 * read or written is not an error: the code is compiled again, and --verbose gives the reason.
 * Internal to codegen/. */
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

/* Opens the folder `path`, and creates it if it does not exist. NULL: no cache. The folder must
 * belong to the user, and no other user may write there. */
Cache cache_open(const char *path, bool verbose);
void cache_close(Cache *cache);
/* A copy of the object; NULL: there is none, or the file was changed. */
LLVMMemoryBufferRef cache_load(const Cache *cache, const CacheKey *key);
/* The text of another file in the folder, which the caller frees. NULL: there is none, others may
 * write to it, or it is longer than 1 MB. */
char *cache_text(const Cache *cache, const char *name);
/* Writes such a file as a whole. false with errno set. */
bool cache_store_text(const Cache *cache, const char *name, const char *text);
/* Stores the object. If the cache is full, the objects that were unused for the longest time are
 * removed. */
void cache_store(const Cache *cache, const CacheKey *key, LLVMMemoryBufferRef object);

#endif
