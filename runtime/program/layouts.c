/* Copies a tensor between a layout and row-major order, panel by panel. Rows are copied as they are,
 * and columns by squares of 4 x 4 elements: several times as fast as element by element. */
#include "runtime/program/layouts.h"
#include "ir/base/integers.h"

#include <stdint.h>
#include <string.h>

enum { SQUARE = 4, WORD = sizeof(uint32_t), LINE = 64 / WORD };

/* p is the index along the axis that is cut into panels, q the index along the other one
 * (ir/plan/plan.h). */
typedef struct {
    int64_t p_count, q_count, p_stride, q_stride, width; /* strides of the plain tensor */
} Panels;

static Panels panels_of(Layout layout, Shape shape) {
    int64_t columns = shape.dim[1];
    bool along_columns = layout.axis == 1;
    return (Panels){.p_count = shape.dim[layout.axis],
                    .q_count = shape.dim[1 - layout.axis],
                    .p_stride = along_columns ? 1 : columns,
                    .q_stride = along_columns ? columns : 1,
                    .width = layout.width};
}

/* A tensor whose panels lie along its columns: each row of a panel is a part of a row. */
static void copy_rows(Panels s, size_t size, char *panel, char *plain, bool to_plain) {
    for (int64_t begin = 0; begin < s.p_count; begin += s.width) {
        size_t bytes = (size_t)min_i64(s.p_count - begin, s.width) * size;
        for (int64_t q = 0; q < s.q_count; q++) {
            char *row = panel + (size_t)(begin * s.q_count + q * s.width) * size;
            char *there = plain + (size_t)(begin + q * s.q_stride) * size;
            memcpy(to_plain ? there : row, to_plain ? row : there, bytes);
        }
    }
}

typedef uint32_t Four __attribute__((vector_size(16)));

static inline Four load_four(const char *from) {
    Four four;
    memcpy(&four, from, sizeof four);
    return four;
}

static inline void store_four(char *to, Four four) { memcpy(to, &four, sizeof four); }

/* Transposes 4 x 4 elements of 4 bytes. The strides are those of rows, in bytes. */
static inline void transpose_square(const char *from, size_t from_stride, char *to,
                                    size_t to_stride) {
    Four a = load_four(from), b = load_four(from + from_stride),
         c = load_four(from + 2 * from_stride), d = load_four(from + 3 * from_stride);
    Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
         ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
         cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
         cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store_four(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    store_four(to + to_stride, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
    store_four(to + 2 * to_stride, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
    store_four(to + 3 * to_stride, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

/* SQUARE rows of a tensor, up to `count` of their elements: these lie in one cache line of each
 * row, which is read or written as a whole before the next rows need its place in the cache. */
static inline void transpose_lines(char *panel, size_t panel_stride, char *plain,
                                   size_t plain_stride, int64_t count, bool to_plain) {
    for (int64_t q = 0; q < count; q += SQUARE) {
        char *a = panel + (size_t)q * panel_stride, *b = plain + (size_t)q * WORD;
        if (to_plain)
            transpose_square(a, panel_stride, b, plain_stride);
        else
            transpose_square(b, plain_stride, a, panel_stride);
    }
}

/* Inlined in each caller, where `size` is a constant. */
static inline void transpose_elements(size_t size, char *panel, size_t panel_stride, char *plain,
                                      size_t plain_stride, int64_t lanes, int64_t count,
                                      bool to_plain) {
    for (int64_t lane = 0; lane < lanes; lane++)
        for (int64_t q = 0; q < count; q++) {
            char *a = panel + (size_t)q * panel_stride + (size_t)lane * size,
                 *b = plain + (size_t)lane * plain_stride + (size_t)q * size;
            memcpy(to_plain ? b : a, to_plain ? a : b, size);
        }
}

/* The same for elements of 4 bytes, by squares. What is left over at the edges are rectangles of
 * less than SQUARE rows or columns. */
static void transpose_words(char *panel, size_t panel_stride, char *plain, size_t plain_stride,
                            int64_t lanes, int64_t count, bool to_plain) {
    int64_t lanes_end = lanes / SQUARE * SQUARE, end = count / SQUARE * SQUARE;
    for (int64_t q = 0; q < end; q += LINE)
        for (int64_t lane = 0; lane < lanes_end; lane += SQUARE)
            transpose_lines(panel + (size_t)q * panel_stride + lane * WORD, panel_stride,
                            plain + (size_t)lane * plain_stride + q * WORD, plain_stride,
                            min_i64(end - q, LINE), to_plain);
    transpose_elements(WORD, panel + (size_t)end * panel_stride, panel_stride,
                       plain + (size_t)end * WORD, plain_stride, lanes, count - end, to_plain);
    transpose_elements(WORD, panel + lanes_end * WORD, panel_stride,
                       plain + (size_t)lanes_end * plain_stride, plain_stride, lanes - lanes_end,
                       end, to_plain);
}

/* A tensor whose panels lie along its rows: each column of a panel is a part of a row. */
static void copy_transposed(Panels s, size_t size, char *panels, char *tensor, bool to_plain) {
    size_t panel_stride = (size_t)s.width * size, plain_stride = (size_t)s.p_stride * size;
    for (int64_t begin = 0; begin < s.p_count; begin += s.width) {
        int64_t lanes = min_i64(s.p_count - begin, s.width);
        char *panel = panels + (size_t)(begin * s.q_count) * size,
             *plain = tensor + (size_t)begin * plain_stride;
        if (size == 4)
            transpose_words(panel, panel_stride, plain, plain_stride, lanes, s.q_count, to_plain);
        else
            transpose_elements(1, panel, panel_stride, plain, plain_stride, lanes, s.q_count,
                               to_plain);
    }
}

/* Bytes in fours, element by element. */
static void copy_fours(Layout layout, Shape shape, char *stored, char *plain, bool to_plain) {
    for (int64_t row = 0; row < shape.dim[0]; row++)
        for (int64_t column = 0; column < shape.dim[1]; column++) {
            char *a = stored + layout_offset(layout, shape, (int64_t[]){row, column}),
                 *b = plain + row * shape.dim[1] + column;
            *(to_plain ? b : a) = *(to_plain ? a : b);
        }
}

static void copy(Layout layout, DType dtype, Shape shape, char *stored, char *plain,
                 bool to_plain) {
    size_t size = dtype_bytes(dtype);
    if (layout.kind == LAYOUT_PLAIN) {
        size_t bytes = (size_t)shape_elements(shape) * size;
        memcpy(to_plain ? plain : stored, to_plain ? stored : plain, bytes);
    } else if (layout.fours)
        copy_fours(layout, shape, stored, plain, to_plain);
    else if (layout.axis == 1)
        copy_rows(panels_of(layout, shape), size, stored, plain, to_plain);
    else
        copy_transposed(panels_of(layout, shape), size, stored, plain, to_plain);
}

void layout_to_plain(Layout layout, DType dtype, Shape shape, const void *from, void *plain) {
    copy(layout, dtype, shape, (char *)from, plain, true);
}

void layout_from_plain(Layout layout, DType dtype, Shape shape, const void *plain, void *to) {
    copy(layout, dtype, shape, to, (char *)plain, false);
}
