/* Reads ZIP archives as numpy.savez writes them. A directory at the end lists the files, which
 * are stored or compressed by deflate. See
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
#include "ir/base/memory.h"
#include "runtime/formats/npy.h"
#include "runtime/formats/unpack.h"
#include "runtime/formats/zip_marks.h"

#include <string.h>
#include <zlib.h>

enum {
    END_BYTES = 22,
    DIRECTORY_BYTES = 46,
    ENTRY_BYTES = 30,
    COMMENT_MAX = 65535,
    NAME_SHOWN = 100
};

static uint32_t u16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }
static uint32_t u32(const uint8_t *at) { return u16(at) | u16(at + 2) << 16; }
static const char NPZ_MADE[] = "numpy.savez and numpy.savez_compressed write NPZ archives";

static bool damaged(Problem *problem) {
    problem_set(problem, "it is not a ZIP archive, or it is damaged");
    problem_help(problem, "%s", NPZ_MADE);
    return false;
}

/* Finds the end record of the archive, which only a comment may follow. */
static const uint8_t *find_end(const uint8_t *bytes, size_t length) {
    size_t lowest = length > END_BYTES + COMMENT_MAX ? length - END_BYTES - COMMENT_MAX : 0;
    for (size_t at = length >= END_BYTES ? length - END_BYTES + 1 : 0; at-- > lowest;)
        if (u32(bytes + at) == ZIP_END) return bytes + at;
    return NULL;
}

/* Reads the sizes of large files from the extra field (zip64). It holds only those that are
 * UINT32_MAX in the directory, in this order. */
static bool read_large_sizes(const uint8_t *extra, size_t length, uint64_t *bytes, uint64_t *packed,
                             uint64_t *offset) {
    uint64_t *const missing[] = {bytes, packed, offset};
    while (length >= 4 && u16(extra) != 1) {
        size_t size = 4 + (size_t)u16(extra + 2);
        if (size > length) return false;
        extra += size;
        length -= size;
    }
    const uint8_t *at = extra + 4;
    for (int i = 0; i < 3; i++) {
        if (*missing[i] != UINT32_MAX) continue;
        if (length < 4 || length - 4 < (size_t)(at - extra - 4) + 8 ||
            u16(extra + 2) < (size_t)(at - extra - 4) + 8)
            return false;
        *missing[i] = u32(at) | (uint64_t)u32(at + 4) << 32;
        at += 8;
    }
    return true;
}

static bool check_entry(const ZipEntry *entry, uint32_t flags, uint32_t method, size_t length,
                        Problem *problem) {
    if (flags & 1)
        return problem_set(problem, "'%.*s' in it is encrypted", NAME_SHOWN, entry->name), false;
    if (method != 0 && method != 8)
        return problem_set(problem,
                           "'%.*s' in it is compressed by method %u; mlc reads methods 0 and 8",
                           NAME_SHOWN, entry->name, method),
               false;
    bool fits = entry->packed <= length && entry->offset <= length - entry->packed;
    bool sizes = entry->deflated ? entry->bytes / DEFLATE_MAX_RATIO <= entry->packed
                                 : entry->bytes == entry->packed;
    return (fits && sizes) || damaged(problem);
}

static const char *entry_name(Arena *arena, const uint8_t *text, size_t length) {
    if (length > 4 && !memcmp(text + length - 4, ".npy", 4)) length -= 4;
    return arena_copy_string(arena, (const char *)text, length);
}

/* Reads one entry of the directory at `at`; returns its length, 0 after a problem. */
static size_t read_line(const uint8_t *bytes, size_t length, size_t at, Arena *arena,
                        ZipEntry *entry, Problem *problem) {
    if (length - at < DIRECTORY_BYTES || u32(bytes + at) != ZIP_DIRECTORY)
        return damaged(problem), 0;
    const uint8_t *line = bytes + at;
    size_t name = u16(line + 28), extra = u16(line + 30),
           size = DIRECTORY_BYTES + name + extra + u16(line + 32);
    uint64_t packed = u32(line + 20), whole = u32(line + 24), offset = u32(line + 42);
    if (size > length - at ||
        !read_large_sizes(line + DIRECTORY_BYTES + name, extra, &whole, &packed, &offset))
        return damaged(problem), 0;
    *entry = (ZipEntry){entry_name(arena, line + DIRECTORY_BYTES, name),
                        (size_t)offset,
                        (size_t)packed,
                        (size_t)whole,
                        u32(line + 16),
                        u16(line + 10) == 8};
    return check_entry(entry, u16(line + 8), u16(line + 10), length, problem) ? size : 0;
}

bool zip_list(const void *memory, size_t length, Arena *arena, ZipEntry *entries, uint32_t *count,
              Problem *problem) {
    const uint8_t *bytes = memory, *end = find_end(bytes, length);
    *count = 0;
    if (!end) {
        damaged(problem);
        problem_help_kind(problem, bytes, length, NPZ_MADE);
        return false;
    }
    size_t at = u32(end + 16);
    uint32_t listed = u16(end + 10);
    if (at > length) return damaged(problem);
    if (!listed) {
        problem_set(problem, "it holds no arrays");
        problem_help(problem, "numpy.savez(path, x = ..., y = ...) writes arrays with names");
        return false;
    }
    if (listed > ZIP_MAX_ENTRIES)
        return problem_set(problem, "it holds more than %d arrays", ZIP_MAX_ENTRIES), false;
    for (; *count < listed; ++*count) {
        size_t size = read_line(bytes, length, at, arena, &entries[*count], problem);
        if (!size) return false;
        at += size;
    }
    return true;
}

/* -- decompressing -- */

static bool inflate_entry(const uint8_t *from, const ZipEntry *entry, uint8_t *to, size_t bytes) {
    z_stream stream = {.zalloc = memory_library_array, .zfree = memory_library_release};
    size_t taken = 0, made = 0;
    int result = inflateInit2(&stream, -MAX_WBITS);
    while (result == Z_OK && made < bytes) { /* zlib counts in 32 bits */
        size_t in = entry->packed - taken, out = bytes - made;
        stream.next_in = (Bytef *)(from + taken);
        stream.avail_in = in < UINT32_MAX / 2 ? (uInt)in : UINT32_MAX / 2;
        stream.next_out = to + made;
        stream.avail_out = out < UINT32_MAX / 2 ? (uInt)out : UINT32_MAX / 2;
        uInt in_before = stream.avail_in, out_before = stream.avail_out;
        result = inflate(&stream, Z_NO_FLUSH);
        taken += in_before - stream.avail_in;
        made += out_before - stream.avail_out;
        if (in_before == stream.avail_in && out_before == stream.avail_out) break;
    }
    inflateEnd(&stream);
    return made == bytes;
}

/* The offset of a file's bytes, after the local header and its copy of the name. NULL after a
 * problem. */
static const uint8_t *entry_bytes(const void *memory, size_t length, const ZipEntry *entry,
                                  Problem *problem) {
    const uint8_t *local = (const uint8_t *)memory + entry->offset;
    size_t left = length - entry->offset;
    if (left < ENTRY_BYTES || u32(local) != ZIP_ENTRY) return damaged(problem), NULL;
    size_t begin = ENTRY_BYTES + (size_t)u16(local + 26) + u16(local + 28);
    if (begin > left || entry->packed > left - begin) return damaged(problem), NULL;
    return local + begin;
}

/* zlib takes at most 32 bits of bytes at once. */
static bool check_sum(const ZipEntry *entry, const void *bytes, Problem *problem) {
    uLong sum = crc32(0, NULL, 0);
    for (size_t at = 0, part; at < entry->bytes; at += part) {
        part = entry->bytes - at < UINT32_MAX / 2 ? entry->bytes - at : UINT32_MAX / 2;
        sum = crc32(sum, (const uint8_t *)bytes + at, (uInt)part);
    }
    if ((uint32_t)sum == entry->crc) return true;
    problem_set(problem, "'%.*s' in it is damaged", NAME_SHOWN, entry->name);
    return false;
}

bool zip_unpack(const void *memory, size_t length, const ZipEntry *entry, void *to, size_t bytes,
                Problem *problem) {
    const uint8_t *from = entry_bytes(memory, length, entry, problem);
    if (!from) return false;
    if (bytes > entry->bytes) return damaged(problem);
    if (entry->deflated && !inflate_entry(from, entry, to, bytes)) {
        problem_set(problem, "'%.*s' in it is damaged", NAME_SHOWN, entry->name);
        return false;
    }
    if (!entry->deflated) memcpy(to, from, bytes);
    return bytes < entry->bytes || check_sum(entry, to, problem);
}

const void *zip_stored(const void *memory, size_t length, const ZipEntry *entry, bool whole,
                       Problem *problem) {
    const uint8_t *from = entry_bytes(memory, length, entry, problem);
    return from && (!whole || check_sum(entry, from, problem)) ? from : NULL;
}
