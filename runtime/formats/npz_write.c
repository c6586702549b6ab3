/* Writes NPZ archives, which are ZIP files. A ZIP file begins with the entries, each a header and
 * its bytes. The directory follows, with a longer header for each entry. The end record tells where
 * the directory begins. */
#include "runtime/formats/npz_write.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"
#include "runtime/formats/zip_marks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    NPY_PREFIX = 10,
    NPY_ALIGN = 64,
    NPY_HEADER = 512,
    ZIP_VERSION = 20,
    ZIP_FIRST_DAY = 0x21 /* 1 January 1980 */
};

/* Writes a little-endian number. */
static void put(FILE *out, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++) fputc((int)(value >> (8 * i) & 0xff), out);
}

/* -- one array -- */

typedef struct {
    char header[NPY_HEADER];
    size_t header_bytes, data_bytes;
    uint32_t crc, offset;
} Entry;

static size_t data_bytes(const NamedArray *array) {
    return (size_t)shape_elements(array->shape) *
           (array->f64 ? sizeof(double) : dtype_bytes(array->dtype));
}

/* Makes the header of an NPY file: the magic word, version 1.0, the length of a text, and the text,
 * a Python dictionary. It is padded so that the data are aligned. */
static void make_header(const NamedArray *array, Entry *entry) {
    static const char *const types[DTYPE_COUNT] = {[DTYPE_F32] = "<f4",
                                                   [DTYPE_I32] = "<i4",
                                                   [DTYPE_U8] = "|u1",
                                                   [DTYPE_I8] = "|i1",
                                                   [DTYPE_BOOL] = "|b1"};
    char *text = entry->header + NPY_PREFIX;
    int length = sprintf(text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                         array->f64 ? "<f8" : types[array->dtype]);
    for (int i = 0; i < array->shape.rank; i++)
        length += sprintf(text + length, i ? ", %" PRId64 : "%" PRId64, array->shape.dim[i]);
    length += sprintf(text + length, array->shape.rank == 1 ? ",), }" : "), }");
    while ((NPY_PREFIX + length + 1) % NPY_ALIGN) text[length++] = ' ';
    text[length++] = '\n';
    memcpy(entry->header, "\x93NUMPY\x01", 7);
    entry->header[8] = (char)(length & 0xff);
    entry->header[9] = (char)(length >> 8);
    entry->header_bytes = (size_t)(NPY_PREFIX + length);
}

static Entry entry_of(const NamedArray *array) {
    Entry entry = {.data_bytes = data_bytes(array)};
    make_header(array, &entry);
    uLong crc = crc32_z(0, (const Bytef *)entry.header, entry.header_bytes);
    entry.crc = (uint32_t)crc32_z(crc, array->data, entry.data_bytes);
    return entry;
}

/* Writes the fields that the two headers of an entry have in common. */
static void put_facts(FILE *out, const NamedArray *array, const Entry *entry) {
    uint32_t bytes = (uint32_t)(entry->header_bytes + entry->data_bytes);
    put(out, ZIP_VERSION, 2);
    put(out, 0, 2); /* flags */
    put(out, 0, 2); /* method: stored, not compressed */
    put(out, 0, 2); /* time */
    put(out, ZIP_FIRST_DAY, 2);
    put(out, entry->crc, 4);
    put(out, bytes, 4);
    put(out, bytes, 4);
    put(out, (uint32_t)(strlen(array->name) + strlen(".npy")), 2);
    put(out, 0, 2); /* no extra field */
}

static void put_directory(FILE *out, const NamedArray *array, const Entry *entry) {
    put(out, ZIP_DIRECTORY, 4);
    put(out, ZIP_VERSION, 2);
    put_facts(out, array, entry);
    put(out, 0, 2); /* no comment */
    put(out, 0, 4); /* first disk; neither text nor binary */
    put(out, 0, 4); /* attributes */
    put(out, entry->offset, 4);
    fprintf(out, "%s.npy", array->name);
}

/* -- the archive -- */

static void put_archive(FILE *out, const NamedArray *arrays, Entry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        entries[i].offset = (uint32_t)ftell(out);
        put(out, ZIP_ENTRY, 4);
        put_facts(out, &arrays[i], &entries[i]);
        fprintf(out, "%s.npy", arrays[i].name);
        fwrite(entries[i].header, 1, entries[i].header_bytes, out);
        fwrite(arrays[i].data, 1, entries[i].data_bytes, out);
    }
    uint32_t begin = (uint32_t)ftell(out);
    for (uint32_t i = 0; i < count; i++) put_directory(out, &arrays[i], &entries[i]);
    uint32_t end = (uint32_t)ftell(out);
    put(out, ZIP_END, 4);
    put(out, 0, 4); /* one disk */
    put(out, count, 2);
    put(out, count, 2);
    put(out, end - begin, 4);
    put(out, begin, 4);
    put(out, 0, 2); /* no comment */
}

static bool fits(const char *path, const NamedArray *arrays, uint32_t count, const char *instead,
                 Diagnostics *diag) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += data_bytes(&arrays[i]) + NPY_HEADER + 4 * strlen(arrays[i].name) + 256;
    if (bytes <= UINT32_MAX && count < UINT16_MAX) return true;
    diag_error(diag, STATUS_FILE, (Span){0},
               "'%s': %u arrays of %" PRIu64 " bytes do not fit into an npz archive", path, count,
               bytes);
    diag_help(diag, "%s", instead);
    return false;
}

bool npz_write(const char *path, const NamedArray *arrays, uint32_t count, const char *instead,
               Diagnostics *diag) {
    if (!fits(path, arrays, count, instead, diag)) return false;
    MemoryStream stream;
    Entry *entries = memory_array(count, sizeof *entries, "the entries of an archive");
    for (uint32_t i = 0; i < count; i++) entries[i] = entry_of(&arrays[i]);
    memory_stream_begin(&stream);
    put_archive(stream.out, arrays, entries, count);
    free(entries);
    char *bytes = memory_stream_end(&stream);
    bool good = file_replace(path, &(FilePart){bytes, stream.length}, 1);
    free(bytes);
    if (good) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path, file_reason(errno));
    diag_help(diag, "free some space, or choose a folder that can be written to");
    return false;
}
