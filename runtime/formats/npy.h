/* NumPy arrays: the NPY format (numpy.lib.format), versions 1 to 3, and NPZ archives, which are ZIP
 * files of them. Both are read from memory that need not be valid. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NPY_H
#define MLC_RUNTIME_FORMATS_NPY_H

#include "ir/graph/graph.h"
#include "runtime/formats/file_problem.h"

/* The type of the stored elements. */
typedef enum {
    ELEMENT_F16,
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_I8,
    ELEMENT_I16,
    ELEMENT_I32,
    ELEMENT_I64,
    ELEMENT_U8,
    ELEMENT_U16,
    ELEMENT_U32,
    ELEMENT_U64,
    ELEMENT_BOOL,
    ELEMENT_COUNT
} NpyElement;

typedef struct {
    NpyElement element;
    DType dtype; /* the type after reading: f32, i32 or u8 */
    Shape shape; /* rows first */
    /* row-major elements in the memory that was read, not aligned; NULL: only the header was
     * read */
    const void *data;
    size_t bytes; /* of data */
} NpyArray;

/* Reads a header. With `whole`, the elements must follow and end at `length`; otherwise `length`
 * may end anywhere after the header. */
bool npy_read(const void *memory, size_t length, bool whole, NpyArray *array, Problem *problem);
/* Whether the elements can be used without conversion. */
bool npy_is_native(const NpyArray *array);
/* Whether elements of this type can have digits that f32 and i32 cannot hold. */
bool npy_may_be_wide(const NpyArray *array);
/* Whether some elements have such digits. A whole number beyond 64 bits is a problem. */
bool npy_is_wide(const NpyArray *array, bool *wide, Problem *problem);
bool npy_is_whole(const NpyArray *array); /* whether the type is a whole number */
/* Writes the elements as array->dtype. Whole numbers beyond 32 bits become f32. */
void npy_convert(const NpyArray *array, void *to);
/* Writes the exact elements: int64_t for whole numbers, else double. */
void npy_write_exact(const NpyArray *array, void *to);
/* The value of an IEEE half: 1 bit of sign, 5 of the exponent, 10 of the fraction. */
float npy_half(uint16_t half);

/* -- archives -- */

typedef struct {
    const char *name; /* without ".npy", in the arena */
    size_t offset, packed, bytes;
    uint32_t crc;
    bool deflated;
} ZipEntry;

enum { ZIP_MAX_ENTRIES = 256 };
/* Lists the files of an archive. After a problem, the first *count of them are valid. */
bool zip_list(const void *memory, size_t length, Arena *arena, ZipEntry *entries, uint32_t *count,
              Problem *problem);
/* The bytes of an uncompressed file in the archive; with `whole` their checksum is checked. NULL
 * after a problem. */
const void *zip_stored(const void *memory, size_t length, const ZipEntry *entry, bool whole,
                       Problem *problem);
/* Decompresses `bytes` bytes. All entry->bytes are checked against the checksum; a shorter
 * beginning is not. */
bool zip_unpack(const void *memory, size_t length, const ZipEntry *entry, void *to, size_t bytes,
                Problem *problem);

#endif
