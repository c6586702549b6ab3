/* The NPY format: a magic word, a version, a Python dictionary as text, and the elements. The
 * dictionary describes the elements:
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), } */
#include "runtime/formats/npy.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *descr;
    size_t bytes;
    DType dtype;
} elements[ELEMENT_COUNT] = {
    [ELEMENT_F16] = {"<f2", 2, DTYPE_F32}, [ELEMENT_F32] = {"<f4", 4, DTYPE_F32},
    [ELEMENT_F64] = {"<f8", 8, DTYPE_F32}, [ELEMENT_I8] = {"|i1", 1, DTYPE_I32},
    [ELEMENT_I16] = {"<i2", 2, DTYPE_I32}, [ELEMENT_I32] = {"<i4", 4, DTYPE_I32},
    [ELEMENT_I64] = {"<i8", 8, DTYPE_I32}, [ELEMENT_U8] = {"|u1", 1, DTYPE_U8},
    [ELEMENT_U16] = {"<u2", 2, DTYPE_I32}, [ELEMENT_U32] = {"<u4", 4, DTYPE_I32},
    [ELEMENT_U64] = {"<u8", 8, DTYPE_I32}, [ELEMENT_BOOL] = {"|b1", 1, DTYPE_U8}};

/* A scanner for the text of the dictionary. */
typedef struct {
    const char *at, *end;
    Problem *problem;
    bool failed;
} NpyHeader;

static void skip_spaces(NpyHeader *header) {
    while (header->at < header->end && (*header->at == ' ' || *header->at == '\n')) header->at++;
}

static bool accept(NpyHeader *header, char c) {
    skip_spaces(header);
    if (header->at == header->end || *header->at != c) return false;
    header->at++;
    return true;
}

static bool malformed(NpyHeader *header) {
    problem_set(header->problem, "its header is not that of an NPY file");
    header->failed = true;
    return false;
}

static bool read_text(NpyHeader *header, char *text, size_t size) {
    size_t length = 0;
    char quote = accept(header, '\'') ? '\'' : accept(header, '"') ? '"' : '\0';
    while (quote && header->at < header->end && *header->at != quote && length + 1 < size)
        text[length++] = *header->at++;
    text[length] = '\0';
    return (quote && accept(header, quote)) || malformed(header);
}

static bool read_size(NpyHeader *header, int64_t *size) {
    skip_spaces(header);
    const char *begin = header->at;
    *size = 0;
    if (begin < header->end && *begin == '-')
        return problem_set(header->problem, "its header says that a dimension is negative"), false;
    for (; header->at < header->end && *header->at >= '0' && *header->at <= '9' &&
           header->at - begin < 18;
         header->at++)
        *size = 10 * *size + (*header->at - '0');
    return header->at > begin || malformed(header);
}

static bool read_shape(NpyHeader *header, NpyArray *array) {
    if (!accept(header, '(')) return malformed(header);
    while (!accept(header, ')')) {
        int64_t size;
        if (!read_size(header, &size)) return false;
        if (array->shape.rank == SHAPE_MAX_RANK) {
            problem_set(header->problem, "it has more than %d dimensions", SHAPE_MAX_RANK);
            return false;
        }
        array->shape.dim[array->shape.rank++] = size;
        if (accept(header, ')')) return true;
        if (!accept(header, ',')) return malformed(header);
    }
    return true;
}

/* How to convert elements of a type that mlc cannot read. */
static const char *conversion_help(const char *descr) {
    static const struct {
        const char *kinds, *help;
    } helps[] = {
        {"US", "numpy.unique(x, return_inverse=True)[1] numbers the different texts"},
        {"M", "x.astype('datetime64[s]').astype('int64') makes whole seconds of dates"},
        {"m", "x.astype('timedelta64[s]').astype('int64') makes whole seconds of times"},
        {"c", "numpy.stack([x.real, x.imag], axis=-1) makes two real numbers of each"},
        {"O",
         "x.astype('float64') or x.astype('int64') makes numbers of them; leave arrays of other things out of the archive"},
        {"", "x.astype('float64') or x.astype('int64') makes numbers of them"}};
    size_t i = 0;
    while (*helps[i].kinds && !strchr(helps[i].kinds, descr[1])) i++;
    return helps[i].help;
}

static bool take_descr(NpyHeader *header, const char *descr, NpyArray *array) {
    for (int i = 0; i < ELEMENT_COUNT; i++) {
        bool same_kind = !strcmp(descr + 1, elements[i].descr + 1);
        if (!same_kind ||
            (*descr != elements[i].descr[0] && !(elements[i].bytes == 1 && strchr("<>=|", *descr))))
            continue;
        array->element = (NpyElement)i;
        array->dtype = elements[i].dtype;
        return true;
    }
    problem_set(header->problem, "its elements are '%s', which cannot be read", descr);
    bool reversed = *descr == '>' && strchr("fiu", descr[1]);
    problem_help(header->problem, "%s",
                 reversed ? "x.astype(x.dtype.newbyteorder('<')) has the bytes in the usual order"
                          : conversion_help(descr));
    return false;
}

static bool read_order(NpyHeader *header, bool *fortran) {
    skip_spaces(header);
    size_t left = (size_t)(header->end - header->at);
    *fortran = left >= 4 && !memcmp(header->at, "True", 4);
    if (!*fortran && !(left >= 5 && !memcmp(header->at, "False", 5))) return malformed(header);
    header->at += *fortran ? 4 : 5;
    return true;
}

typedef struct {
    bool descr, order, shape, fortran;
} Seen;

static bool read_entry(NpyHeader *header, NpyArray *array, Seen *seen) {
    char key[32], descr[32];
    if (!read_text(header, key, sizeof key) || !accept(header, ':'))
        return header->failed ? false : malformed(header);
    if (!strcmp(key, "descr") && !seen->descr) {
        seen->descr = true;
        skip_spaces(header);
        if (header->at < header->end && *header->at == '[') {
            problem_set(header->problem, "its elements are records, which cannot be read");
            problem_help(header->problem, "save every field of the records as an array of its own");
            return false;
        }
        return read_text(header, descr, sizeof descr) &&
               (strlen(descr) >= 2 || malformed(header)) && take_descr(header, descr, array);
    }
    if (!strcmp(key, "fortran_order") && !seen->order)
        return (seen->order = true), read_order(header, &seen->fortran);
    if (!strcmp(key, "shape") && !seen->shape)
        return (seen->shape = true), read_shape(header, array);
    return malformed(header);
}

static bool check_sizes(const NpyHeader *header, const Seen *seen, NpyArray *array) {
    array->bytes = elements[array->element].bytes;
    if (array->shape.rank == 0)
        return problem_set(header->problem, "it is a single number, but must have rows"), false;
    for (int i = 0; i < array->shape.rank; i++) {
        int64_t size = array->shape.dim[i];
        if (size < 1)
            return problem_set(header->problem, "its dimension %d is %lld", i, (long long)size),
                   false;
        if (size > INT32_MAX || __builtin_mul_overflow(array->bytes, (size_t)size, &array->bytes))
            return problem_set(header->problem, "its dimension %d is %lld, which is too large", i,
                               (long long)size),
                   false;
    }
    if (!seen->fortran || array->shape.rank == 1) return true;
    problem_set(header->problem, "its elements are in Fortran order, columns first");
    problem_help(header->problem, "numpy.ascontiguousarray(x) puts the rows first");
    return false;
}

static bool read_dictionary(NpyHeader *header, NpyArray *array) {
    Seen seen = {0};
    if (!accept(header, '{')) return malformed(header);
    while (!accept(header, '}')) {
        if (!read_entry(header, array, &seen)) return false;
        if (accept(header, '}')) break;
        if (!accept(header, ',')) return malformed(header);
    }
    skip_spaces(header);
    if (header->at != header->end || !seen.descr || !seen.order || !seen.shape)
        return malformed(header);
    return check_sizes(header, &seen, array);
}

/* Checks the magic word and the version, and finds the dictionary. */
static bool read_start(const uint8_t *bytes, size_t length, size_t *begin, size_t *size,
                       Problem *problem) {
    if (length < 10 || memcmp(bytes, "\x93NUMPY", 6)) {
        problem_set(problem, "it does not begin like an NPY file");
        problem_help_kind(problem, bytes, length, "numpy.save writes NPY files");
        return false;
    }
    *begin = bytes[6] == 1 ? 10 : 12;
    *size = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1 && length >= 12) *size |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (bytes[6] < 1 || bytes[6] > 3)
        return problem_set(problem, "it is of version %d of the NPY format; 1 to 3 are known",
                           bytes[6]),
               false;
    if (length >= *begin && *size <= length - *begin) return true;
    problem_set(problem, "it is cut short: it ends inside its header");
    return false;
}

bool npy_read(const void *memory, size_t length, bool whole, NpyArray *array, Problem *problem) {
    const uint8_t *bytes = memory;
    size_t begin, size;
    *array = (NpyArray){0};
    if (!read_start(bytes, length, &begin, &size, problem)) return false;
    const char *text = (const char *)bytes + begin;
    if (!read_dictionary(&(NpyHeader){text, text + size, problem, false}, array)) return false;
    if (!whole) return true;
    array->data = bytes + begin + size;
    size_t left = length - begin - size;
    if (left == array->bytes) return true;
    problem_set(problem, "it is %s: its header promises %zu bytes of elements, but %zu follow",
                left < array->bytes ? "cut short" : "too long", array->bytes, left);
    return false;
}

/* -- elements -- */

bool npy_is_native(const NpyArray *array) {
    return array->element == ELEMENT_F32 || array->element == ELEMENT_I32 ||
           array->element == ELEMENT_U8 || array->element == ELEMENT_BOOL;
}

float npy_half(uint16_t half) {
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                 : exponent     ? ldexpf((float)(fraction + 1024), exponent - 25)
                                : ldexpf((float)fraction, -24);
    return half >> 15 ? -size : size;
}

static double real_value(NpyElement element, uint64_t bits) {
    uint32_t single = (uint32_t)bits;
    float f;
    double d;
    memcpy(&f, &single, sizeof f);
    memcpy(&d, &bits, sizeof d);
    return element == ELEMENT_F16   ? (double)npy_half((uint16_t)bits)
           : element == ELEMENT_F32 ? (double)f
                                    : d;
}

bool npy_is_whole(const NpyArray *array) { return array->element > ELEMENT_F64; }

/* An element as int64_t, sign-extended if it is signed. */
static int64_t whole_value(NpyElement element, uint64_t bits) {
    size_t size = 8 * elements[element].bytes;
    uint64_t sign = UINT64_C(1) << (size - 1);
    if (elements[element].descr[1] == 'i' && bits & sign) bits |= ~(sign | (sign - 1));
    return (int64_t)bits;
}

static int64_t element_count(const NpyArray *array) {
    return (int64_t)(array->bytes / elements[array->element].bytes);
}

static uint64_t element_bits(const NpyArray *array, int64_t i) {
    size_t size = elements[array->element].bytes;
    /* A little-endian number of `bytes` bytes. */
    const uint8_t *at = (const uint8_t *)array->data + (size_t)i * size;
    uint64_t bits = 0;
    for (size_t j = 0; j < size; j++) bits |= (uint64_t)at[j] << 8 * j;
    return bits;
}

void npy_convert(const NpyArray *array, void *to) {
    if (npy_is_native(array) && (array->dtype == DTYPE_F32) != npy_is_whole(array)) {
        memcpy(to, array->data, array->bytes);
        return;
    }
    for (int64_t i = 0; i < element_count(array); i++) {
        uint64_t bits = element_bits(array, i);
        int64_t whole = whole_value(array->element, bits);
        if (array->dtype == DTYPE_F32)
            ((float *)to)[i] =
                npy_is_whole(array) ? (float)whole : (float)real_value(array->element, bits);
        else if (array->dtype == DTYPE_U8)
            ((uint8_t *)to)[i] = (uint8_t)bits;
        else
            ((int32_t *)to)[i] = (int32_t)whole;
    }
}

void npy_write_exact(const NpyArray *array, void *to) {
    for (int64_t i = 0; i < element_count(array); i++) {
        uint64_t bits = element_bits(array, i);
        if (npy_is_whole(array))
            ((int64_t *)to)[i] = whole_value(array->element, bits);
        else
            ((double *)to)[i] = real_value(array->element, bits);
    }
}

/* -- digits -- */

bool npy_may_be_wide(const NpyArray *array) {
    return array->element == ELEMENT_I64 || array->element == ELEMENT_U64 ||
           array->element == ELEMENT_U32 || array->element == ELEMENT_F64;
}

/* Whether an element has digits that f32 or i32 cannot hold. */
static bool is_wide(const NpyArray *array, uint64_t bits) {
    int64_t whole = whole_value(array->element, bits);
    if (npy_is_whole(array)) return whole < INT32_MIN || whole > INT32_MAX;
    double real = real_value(array->element, bits);
    return !isnan(real) && (double)(float)real != real;
}

bool npy_is_wide(const NpyArray *array, bool *wide, Problem *problem) {
    *wide = false;
    for (int64_t i = 0; npy_may_be_wide(array) && i < element_count(array); i++) {
        uint64_t bits = element_bits(array, i);
        *wide |= is_wide(array, bits);
        /* -2^63 stands for a missing number. */
        bool fits = array->element != ELEMENT_I64 || bits != UINT64_C(1) << 63;
        if (array->element == ELEMENT_U64) fits = bits <= INT64_MAX;
        if (fits) continue;
        problem_set(problem, "its element %lld is a whole number beyond 64 bits", (long long)i);
        problem_help(
            problem,
            "(x - x.min()).astype('int64') makes small numbers of large ones that are close to each other");
        return false;
    }
    return true;
}
