/* Arrays of NumPy: the NPY format (numpy.lib.format), versions 1 to 3, and NPZ archives, which are
 * ZIP files of them. Both are read from memory; nothing in it is trusted. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NPY_H
#define MLC_RUNTIME_FORMATS_NPY_H

#include "ir/graph/graph.h"
#include "runtime/formats/file_problem.h"

/* An element as it is stored, and what becomes of it. */
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
    DType dtype; /* what it is read as: f32, i32 or u8 */
    Shape shape; /* rows first */
    /* in the memory it was read from, in row-major order; not aligned; NULL: only the header was
     * there */
    const void *data;
    size_t bytes; /* of data */
} NpyArray;

/* Reads a header, and with `whole` checks that the elements follow, exactly. `length` may end
 * anywhere after the header without it. */
bool npy_read(const void *memory, size_t length, bool whole, NpyArray *array, Problem *problem);
/* The elements can be used where they lie. */
bool npy_is_native(const NpyArray *array);
/* Elements of the kinds that may have digits for which f32 and i32 have no room. */
bool npy_may_be_wide(const NpyArray *array);
/* Whether some do. A whole number beyond 64 bits is a problem. */
bool npy_is_wide(const NpyArray *array, bool *wide, Problem *problem);
bool npy_is_whole(const NpyArray *array); /* its elements are whole numbers */
/* Writes the elements as array->dtype; whole numbers that do not fit into 32 bits are read as
 * f32. */
void npy_convert(const NpyArray *array, void *to);
/* Writes all digits of the elements: int64_t of whole numbers, else double. */
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
/* Lists the files of an archive; after a problem, *count of them are there. */
bool zip_list(const void *memory, size_t length, Arena *arena, ZipEntry *entries, uint32_t *count,
              Problem *problem);
/* Where the bytes of a file lie that is not packed; with `whole` they are checked. NULL after a
 * problem. */
const void *zip_stored(const void *memory, size_t length, const ZipEntry *entry, bool whole,
                       Problem *problem);
/* Unpacks entry->bytes bytes and checks them; fewer, unchecked, for the beginning of a file. */
bool zip_unpack(const void *memory, size_t length, const ZipEntry *entry, void *to, size_t bytes,
                Problem *problem);

#endif
