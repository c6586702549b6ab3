/* Rows of bytes that are neighbours in memory, transposed in registers:
 *
 *     rows:     a0 a1 a2 ... | b0 b1 b2 ... | c0 c1 c2 ... | d0 d1 d2 ...      one vector each
 *     by bytes: a0 b0 a1 b1 ...  | c0 d0 c1 d1 ...                             and the upper halves
 *     by pairs: a0 b0 c0 d0 a1 b1 c1 d1 ...                                    and so on
 *     then each column is stored: a0 b0 c0 d0
 *
 * Six rows take the steps of eight; then four bytes and two bytes of each column are stored, so that
 * nothing is written beyond the rows. */
#include "codegen/matmul/matmul.h"

enum { MAX_BYTE_ROWS = 8 };

/* The vectors hold LANES bytes; `parts` of them follow each other for each of `groups` of rows. */
typedef struct {
    int groups, parts;
    LLVMValueRef vector[MAX_BYTE_ROWS][MAX_BYTE_ROWS]; /* [group][part] */
} Interleaved;

bool epilogue_bytes_can_transpose(const Matmul *m) {
    int64_t rows = m->blocking.tile_rows;
    return rows > 1 && rows <= MAX_BYTE_ROWS && m->rows.lines % rows == 0;
}

int epilogue_bytes_rows(const Matmul *m) {
    int rows = 2;
    while (rows < m->blocking.tile_rows) rows *= 2;
    return rows;
}

/* Takes `unit` bytes of a and of b in turn, from their lower or upper halves. */
static LLVMValueRef interleave(Emitter *e, LLVMValueRef a, LLVMValueRef b, int unit, bool upper) {
    LLVMValueRef lanes[LANES];
    for (int l = 0; l < LANES; l++) {
        int pair = l / unit, from = pair / 2 * unit + l % unit;
        lanes[l] = const_i32(e, from + (upper ? LANES / 2 : 0) + (pair % 2 ? LANES : 0));
    }
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lanes, LANES), "");
}

static Interleaved load_rows(Emitter *e, const Matmul *m, LLVMValueRef rows) {
    LLVMTypeRef bytes = lanes_of(e->i8);
    Interleaved all = {.groups = epilogue_bytes_rows(m), .parts = 1};
    for (int r = 0; r < all.groups; r++) {
        LLVMValueRef number = const_i64(e, r);
        all.vector[r][0] =
            r < m->blocking.tile_rows
                ? load(e, bytes, LLVMBuildGEP2(e->builder, bytes, rows, &number, 1, ""))
                : LLVMGetPoison(bytes);
    }
    return all;
}

/* Joins neighbouring groups, until each vector holds whole columns. */
static Interleaved transpose(Emitter *e, Interleaved all) {
    for (int unit = 1; all.groups > 1; unit *= 2) {
        Interleaved next = {.groups = all.groups / 2, .parts = all.parts * 2};
        for (int g = 0; g < next.groups; g++)
            for (int p = 0; p < next.parts; p++)
                next.vector[g][p] = interleave(e, all.vector[2 * g][p / 2],
                                               all.vector[2 * g + 1][p / 2], unit, p % 2);
        all = next;
    }
    return all;
}

/* Stores `rows` bytes of a vector from `first` on: in pieces of 8, 4, 2 and 1. */
static void store_column(Emitter *e, LLVMValueRef vector, int first, int rows, LLVMValueRef to) {
    for (int done = 0, size = MAX_BYTE_ROWS; done < rows; size /= 2) {
        if (rows - done < size) continue;
        LLVMTypeRef type = LLVMIntTypeInContext(e->context, 8 * (unsigned)size);
        LLVMTypeRef pieces = LLVMVectorType(type, LANES / (unsigned)size);
        LLVMValueRef piece =
            LLVMBuildExtractElement(e->builder, LLVMBuildBitCast(e->builder, vector, pieces, ""),
                                    const_i32(e, (first + done) / size), "");
        LLVMValueRef at = element_pointer(e, to, DTYPE_U8, const_i64(e, done));
        LLVMSetAlignment(LLVMBuildStore(e->builder, piece, at), 1);
        done += size;
    }
}

/* Columns are checked for existence in groups of this size, at whose ends a run can end. */
static int checked_together(const Matmul *m) {
    int together = LANES;
    while (m->span.run % together) together /= 2;
    return together;
}

void epilogue_bytes_transpose(Emitter *e, const Matmul *m, LLVMValueRef rows, LLVMValueRef to,
                              int64_t step, LLVMValueRef there) {
    Interleaved all = transpose(e, load_rows(e, m, rows));
    int together = checked_together(m), in_vector = LANES / all.parts;
    for (int from = 0; from < LANES; from += together) {
        If exist = if_begin(e, from ? gt(e, there, const_i64(e, from)) : NULL);
        for (int c = from; c < from + together; c++)
            store_column(e, all.vector[0][c / in_vector], c % in_vector * (LANES / in_vector),
                         (int)m->blocking.tile_rows,
                         element_pointer(e, to, DTYPE_U8, const_i64(e, c * step)));
        if_end(e, exist);
    }
}
