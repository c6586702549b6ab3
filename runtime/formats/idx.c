/* The IDX reader: the header is checked before memory is allocated, and the length must be
 * exact. */
#include "runtime/formats/idx.h"
#include "runtime/formats/unpack.h"

#include <string.h>

enum { TYPE_U8 = 0x08, MAX_ROWS = INT32_MAX }; /* rows are numbered in 32 bits */

static const char *type_name(uint8_t code) {
    static const struct {
        uint8_t code;
        const char *name;
    } types[] = {{0x09, "signed bytes"},
                 {0x0b, "16-bit integers"},
                 {0x0c, "32-bit integers"},
                 {0x0d, "32-bit floats"},
                 {0x0e, "64-bit floats"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) return types[i].name;
    return "no type of IDX";
}

/* "60000 x 28 x 28" */
static const char *dims_text(Shape shape, char buffer[SHAPE_TEXT]) {
    size_t length = 0;
    for (int i = 0; i < shape.rank; i++)
        length += (size_t)snprintf(buffer + length, SHAPE_TEXT - length, "%s%lld", i ? " x " : "",
                                   (long long)shape.dim[i]);
    return buffer;
}

static bool read_header_bytes(IdxFile *file, uint8_t *to, size_t want, Problem *problem) {
    int64_t got = unpack_read(file->unpacker, to, want, problem);
    if (got < 0) return false;
    if ((size_t)got == want) return true;
    problem_set(problem, "'%s' is cut short: it ends inside its IDX header", file->path);
    return false;
}

static bool check_start(const IdxFile *file, const uint8_t start[4], Problem *problem) {
    if (start[0] || start[1]) {
        problem_set(
            problem,
            "'%s' is not an IDX file: it begins with the bytes %02x %02x %02x %02x, expected 00 00 08 and the rank",
            file->path, start[0], start[1], start[2], start[3]);
        return false;
    }
    if (start[2] != TYPE_U8) {
        problem_set(problem, "'%s' holds elements of type 0x%02x (%s), expected 0x08 (bytes)",
                    file->path, start[2], type_name(start[2]));
        return false;
    }
    if (start[3] < 1 || start[3] > SHAPE_MAX_RANK) {
        problem_set(problem, "'%s' has %d dimensions in its IDX header, expected 1 to %d",
                    file->path, start[3], SHAPE_MAX_RANK);
        return false;
    }
    return true;
}

static bool read_dims(IdxFile *file, int rank, Problem *problem) {
    uint8_t sizes[4 * SHAPE_MAX_RANK];
    if (!read_header_bytes(file, sizes, 4 * (size_t)rank, problem)) return false;
    file->shape = (Shape){.rank = rank};
    file->bytes = 1;
    for (int i = 0; i < rank; i++) {
        const uint8_t *s = &sizes[4 * i];
        int64_t size = (int64_t)s[0] << 24 | s[1] << 16 | s[2] << 8 | s[3];
        if (size < 1 || size > MAX_ROWS ||
            __builtin_mul_overflow(file->bytes, (size_t)size, &file->bytes)) {
            problem_set(problem, "'%s' says in its IDX header that dimension %d has size %lld",
                        file->path, i, (long long)size);
            return false;
        }
        file->shape.dim[i] = size;
    }
    return true;
}

/* A wrong header must not allocate more memory than the file can fill. */
static bool check_length(const IdxFile *file, Problem *problem) {
    char dims[SHAPE_TEXT];
    uint64_t header = 4 + 4 * (uint64_t)file->shape.rank, longest = unpack_longest(file->unpacker);
    uint64_t held = longest > header ? longest - header : 0;
    bool packed = unpack_is_packed(file->unpacker);
    if (packed ? file->bytes <= held : file->bytes == held) return true;
    problem_set(problem, "'%s' is %s: its header promises %s = %llu bytes, but %s%llu follow",
                file->path, file->bytes > held ? "cut short" : "too long",
                dims_text(file->shape, dims), (unsigned long long)file->bytes,
                packed ? "at most " : "", (unsigned long long)held);
    return false;
}

bool idx_open(IdxFile *file, const char *path, Problem *problem) {
    uint8_t start[4];
    *file = (IdxFile){.path = path, .unpacker = unpack_open(path, problem)};
    if (!file->unpacker) return false;
    if (read_header_bytes(file, start, sizeof start, problem) &&
        check_start(file, start, problem) && read_dims(file, start[3], problem) &&
        check_length(file, problem))
        return true;
    idx_close(file);
    return false;
}

bool idx_read(IdxFile *file, void *data, Problem *problem) {
    char dims[SHAPE_TEXT];
    uint8_t extra;
    int64_t got = unpack_read(file->unpacker, data, file->bytes, problem);
    if (got < 0) return false;
    if ((size_t)got < file->bytes) {
        problem_set(problem,
                    "'%s' is cut short: its header promises %s = %llu bytes, but only %lld follow",
                    file->path, dims_text(file->shape, dims), (unsigned long long)file->bytes,
                    (long long)got);
        return false;
    }
    int64_t more = unpack_read(file->unpacker, &extra, 1, problem);
    if (more > 0)
        problem_set(problem,
                    "'%s' is too long: its header promises %s = %llu bytes, but more follow",
                    file->path, dims_text(file->shape, dims), (unsigned long long)file->bytes);
    return more == 0;
}

void idx_close(IdxFile *file) {
    unpack_close(file->unpacker);
    file->unpacker = NULL;
}

bool idx_is_packed(const IdxFile *file) { return unpack_is_packed(file->unpacker); }

size_t idx_header(Shape shape, uint8_t header[IDX_MAX_HEADER]) {
    memcpy(header, (uint8_t[4]){0, 0, TYPE_U8, (uint8_t)shape.rank}, 4);
    for (int i = 0; i < shape.rank; i++)
        for (int byte = 0; byte < 4; byte++)
            header[4 + 4 * i + byte] = (uint8_t)(shape.dim[i] >> (24 - 8 * byte));
    return 4 + 4 * (size_t)shape.rank;
}
