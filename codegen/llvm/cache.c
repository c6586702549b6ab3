/* The cache of object code. Its files are executed, so only their owner may write into the folder.
 * A file contains a mark, the hash of key and object, and the object. It is written under a
 * temporary name and renamed, so that no process reads an incomplete file. */
#include "codegen/llvm/cache.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[8] = "mlcode1";
typedef struct {
    char mark[sizeof mark];
    uint8_t hash[LLVM_BLAKE3_OUT_LEN];
} CacheHeader;

/* above the first size, the oldest entries are removed down to the second */
static const off_t max_bytes = 64 << 20, kept_bytes = 48 << 20;

static void note(const Cache *cache, const char *name, const char *what) {
    if (cache->verbose) fprintf(stderr, "mlc: code cache: %s/%s: %s\n", cache->path, name, what);
}

CacheKey cache_key(const llvm_blake3_hasher *hasher) {
    CacheKey key;
    uint8_t hash[LLVM_BLAKE3_OUT_LEN];
    llvm_blake3_hasher_finalize(hasher, hash, sizeof hash);
    for (size_t i = 0; i < sizeof hash; i++) snprintf(key.text + 2 * i, 3, "%02x", hash[i]);
    return key;
}

/* -- the folder -- */

static void make_folders(const char *path) {
    char *part = memory_copy_string(path, "a path");
    for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        mkdir(part, 0700);
        *slash = '/';
    }
    mkdir(part, 0700);
    free(part);
}

static bool is_private(const struct stat *status) {
    return status->st_uid == geteuid() && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

Cache cache_open(const char *path, bool verbose) {
    Cache cache = {.folder = -1, .path = path, .verbose = verbose};
    if (!path) return cache;
    make_folders(path);
    struct stat status;
    cache.folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (cache.folder < 0) return note(&cache, "", strerror(errno)), cache;
    if (fstat(cache.folder, &status) == 0 && is_private(&status)) return cache;
    note(&cache, "", "belongs to somebody else, or others may write there");
    cache_close(&cache);
    return cache;
}

void cache_close(Cache *cache) {
    if (cache->folder >= 0) close(cache->folder);
    cache->folder = -1;
}

/* -- an entry -- */

static void hash_entry(const CacheKey *key, const char *object, size_t bytes,
                       uint8_t hash[LLVM_BLAKE3_OUT_LEN]) {
    llvm_blake3_hasher hasher;
    llvm_blake3_hasher_init(&hasher);
    llvm_blake3_hasher_update(&hasher, key->text, sizeof key->text);
    llvm_blake3_hasher_update(&hasher, object, bytes);
    llvm_blake3_hasher_finalize(&hasher, hash, LLVM_BLAKE3_OUT_LEN);
}

static bool read_all(int file, char *to, size_t bytes) {
    while (bytes > 0) {
        ssize_t got = read(file, to, bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        bytes -= (size_t)got;
    }
    return true;
}

static LLVMMemoryBufferRef object_of(const CacheKey *key, const char *entry, size_t bytes) {
    CacheHeader header;
    uint8_t hash[LLVM_BLAKE3_OUT_LEN];
    memcpy(&header, entry, sizeof header);
    hash_entry(key, entry + sizeof header, bytes - sizeof header, hash);
    if (memcmp(header.mark, mark, sizeof mark) != 0 || memcmp(header.hash, hash, sizeof hash) != 0)
        return NULL;
    return LLVMCreateMemoryBufferWithMemoryRangeCopy(entry + sizeof header, bytes - sizeof header,
                                                     key->text);
}

static LLVMMemoryBufferRef read_entry(int file, const CacheKey *key) {
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || !is_private(&status)) return NULL;
    if (status.st_size < (off_t)sizeof(CacheHeader) || status.st_size > max_bytes) return NULL;
    size_t bytes = (size_t)status.st_size;
    char *entry = memory_array(bytes, 1, "compiled code");
    LLVMMemoryBufferRef object = read_all(file, entry, bytes) ? object_of(key, entry, bytes) : NULL;
    free(entry);
    return object;
}

LLVMMemoryBufferRef cache_load(const Cache *cache, const CacheKey *key) {
    if (cache->folder < 0) return NULL;
    int file = openat(cache->folder, key->text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        if (errno != ENOENT) note(cache, key->text, strerror(errno));
        return NULL;
    }
    LLVMMemoryBufferRef object = read_entry(file, key);
    if (object)
        futimens(file, NULL); /* the time of the last use */
    else
        note(cache, key->text, "is not what was stored");
    close(file);
    return object;
}

char *cache_text(const Cache *cache, const char *name) {
    enum { LONGEST = 1 << 20 };
    struct stat status;
    int file = cache->folder < 0
                   ? -1
                   : openat(cache->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return NULL;
    char *text = NULL;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && is_private(&status) &&
        status.st_size <= LONGEST) {
        text = memory_array((size_t)status.st_size + 1, 1, "a file of the code cache");
        if (!read_all(file, text, (size_t)status.st_size)) text[0] = 0;
    }
    close(file);
    return text;
}

/* -- the bound on its size -- */

typedef struct {
    char name[NAME_MAX + 1];
    struct timespec used;
    off_t bytes;
} CacheEntry;

typedef struct {
    CacheEntry *items;
    size_t count, capacity;
    off_t bytes;
} CacheEntries;

static void add_entry(CacheEntries *entries, const char *name, const struct stat *status) {
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? 2 * entries->capacity : 64;
        entries->items = memory_grow(entries->items, capacity, sizeof *entries->items,
                                     "the entries of the cache");
        entries->capacity = capacity;
    }
    CacheEntry *entry = &entries->items[entries->count++];
    *entry = (CacheEntry){.used = status->st_mtim, .bytes = status->st_size};
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entries->bytes += status->st_size;
}

static void list_entries(int folder, CacheEntries *entries) {
    /* a second descriptor, as closedir closes the one that it gets */
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    if (!list && copy >= 0) close(copy);
    for (struct dirent *item; list && (item = readdir(list));) {
        struct stat status;
        /* a key, or a key with a suffix while it is written; other files are left alone */
        size_t digits = strspn(item->d_name, "0123456789abcdef");
        char after = item->d_name[digits];
        if (digits != sizeof(CacheKey) - 1 || (after != 0 && after != '.') ||
            fstatat(folder, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(status.st_mode)) add_entry(entries, item->d_name, &status);
    }
    if (list) closedir(list);
}

static int by_time_of_use(const void *a, const void *b) {
    const struct timespec *first = &((const CacheEntry *)a)->used,
                          *second = &((const CacheEntry *)b)->used;
    if (first->tv_sec != second->tv_sec) return first->tv_sec < second->tv_sec ? -1 : 1;
    return (first->tv_nsec > second->tv_nsec) - (first->tv_nsec < second->tv_nsec);
}

static void make_room(const Cache *cache) {
    CacheEntries entries = {0};
    temporaries_sweep(cache->folder);
    list_entries(cache->folder, &entries);
    if (entries.bytes > max_bytes) {
        qsort(entries.items, entries.count, sizeof *entries.items, by_time_of_use);
        for (size_t i = 0; i < entries.count && entries.bytes > kept_bytes; i++) {
            unlinkat(cache->folder, entries.items[i].name, 0);
            entries.bytes -= entries.items[i].bytes;
        }
    }
    free(entries.items);
}

/* -- storing -- */

/* Writes a file of the folder as a whole, for the user alone. false with errno set. */
static bool put(const Cache *cache, const char *name, const FilePart *parts, uint32_t count) {
    char beside[NAME_MAX + 1];
    snprintf(beside, sizeof beside, "%s.%d-0.tmp", name, (int)getpid());
    Temporary made = {cache->folder, beside};
    int file = temporary_make(&made, 0600);
    if (file < 0) return false;
    bool written = true;
    for (uint32_t i = 0; i < count && written; i++) written = file_write_part(file, parts[i]);
    written =
        close(file) == 0 && written && renameat(cache->folder, beside, cache->folder, name) == 0;
    int reason = errno;
    if (!written) unlinkat(cache->folder, beside, 0);
    temporary_gone(&made);
    errno = reason;
    return written;
}

void cache_store(const Cache *cache, const CacheKey *key, LLVMMemoryBufferRef object) {
    size_t bytes = LLVMGetBufferSize(object);
    if (cache->folder < 0 || bytes > (size_t)kept_bytes) return;
    CacheHeader header;
    const char *data = LLVMGetBufferStart(object);
    memcpy(header.mark, mark, sizeof mark);
    hash_entry(key, data, bytes, header.hash);
    if (put(cache, key->text, (const FilePart[]){{&header, sizeof header}, {data, bytes}}, 2))
        make_room(cache);
    else
        note(cache, key->text, strerror(errno));
}

bool cache_store_text(const Cache *cache, const char *name, const char *text) {
    return put(cache, name, &(FilePart){text, strlen(text)}, 1);
}
