/* Shapes: numbers of elements, broadcasting, windows, and their text form. */
#include "ir/ops/shapes.h"
#include "ir/ops/ops.h"

#include <inttypes.h>
#include <string.h>

Shape shape_of(int rank, const int64_t *dims) {
    Shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++) shape.dim[i] = dims[i];
    return shape;
}

bool shape_equal(Shape a, Shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

int64_t shape_product(Shape shape, int from, int to) {
    int64_t product = 1;
    for (int i = from; i < to; i++) product *= shape.dim[i];
    return product;
}

int64_t shape_elements(Shape shape) { return shape_product(shape, 0, shape.rank); }
int64_t shape_outer(Shape shape, int axis) { return shape_product(shape, 0, axis); }
int64_t shape_inner(Shape shape, int axis) { return shape_product(shape, axis + 1, shape.rank); }

bool shape_broadcast(Shape a, Shape b, Shape *result) {
    Shape r = {.rank = a.rank > b.rank ? a.rank : b.rank};
    for (int i = 0; i < r.rank; i++) {
        int ia = i - (r.rank - a.rank), ib = i - (r.rank - b.rank);
        int64_t da = ia < 0 ? 1 : a.dim[ia], db = ib < 0 ? 1 : b.dim[ib];
        if (da != db && da != 1 && db != 1) return false;
        r.dim[i] = da == 1 ? db : da;
    }
    *result = r;
    return true;
}

const char *shape_text(DType dtype, Shape shape, char buffer[SHAPE_TEXT]) {
    int at = snprintf(buffer, SHAPE_TEXT, "%s[", dtype_name(dtype));
    for (int i = 0; i < shape.rank; i++)
        at += snprintf(buffer + at, (size_t)(SHAPE_TEXT - at), "%s%" PRId64, i ? "," : "",
                       shape.dim[i]);
    snprintf(buffer + at, (size_t)(SHAPE_TEXT - at), "]");
    return buffer;
}

int64_t window_count(int64_t n, int64_t kernel, int64_t stride, int64_t dilation) {
    if (kernel > 1 && dilation > (n - 1) / (kernel - 1)) return 0;
    return n < 1 ? 0 : (n - 1 - dilation * (kernel - 1)) / stride + 1;
}

int64_t window_part(int64_t images, int64_t windows) {
    enum { MIN_TERMS = 1024 };
    int64_t count = 1;
    while (count < images && (images % count || count * windows < MIN_TERMS)) count++;
    return count;
}
