/* Resizing: the elements of an axis are repeated, chosen, or mixed by a constant matrix. */
#include "onnx/in/fold.h"

#include <math.h>
#include <string.h>

/* How an axis is resized. */
typedef struct {
    const char *place, *nearest; /* modes of ONNX */
    bool cubic, antialias, exclude;
    float cubic_a;
    int64_t in, out;
    float scale;
} Resizing;

/* -- the place of an element of the result in the input -- */

static float place_of(const Resizing *axis, int64_t i) {
    float at = (float)i, middle = (at + 0.5F) / axis->scale - 0.5F;
    if (!strcmp(axis->place, "asymmetric")) return at / axis->scale;
    if (!strcmp(axis->place, "tf_half_pixel_for_nn")) return middle + 0.5F;
    if (!strcmp(axis->place, "align_corners"))
        return axis->out > 1 ? at * (float)(axis->in - 1) / (float)(axis->out - 1) : 0;
    if (!strcmp(axis->place, "pytorch_half_pixel")) return axis->out > 1 ? middle : 0;
    if (!strcmp(axis->place, "half_pixel_symmetric")) {
        float whole = axis->scale * (float)axis->in;
        return middle + (float)axis->in / 2 * (1 - (float)axis->out / whole);
    }
    return middle;
}

static bool is_known_place(const char *place) {
    static const char *const places[] = {"half_pixel",    "half_pixel_symmetric",
                                         "asymmetric",    "pytorch_half_pixel",
                                         "align_corners", "tf_half_pixel_for_nn"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(places[i], place)) return true;
    return false;
}

static int64_t inside(int64_t at, int64_t size) { return at < 0 ? 0 : at < size ? at : size - 1; }

/* The element that is the nearest to element i of the result. */
static int64_t nearest_to(const Resizing *axis, int64_t i) {
    float place = place_of(axis, i);
    float at = !strcmp(axis->nearest, "floor")               ? floorf(place)
               : !strcmp(axis->nearest, "ceil")              ? ceilf(place)
               : !strcmp(axis->nearest, "round_prefer_ceil") ? floorf(place + 0.5F)
                                                             : ceilf(place - 0.5F);
    return inside((int64_t)at, axis->in);
}

/* -- linear and cubic -- */

/* How much an element counts at a distance. */
static double weight_at(const Resizing *axis, double distance) {
    double t = fabs(distance), a = (double)axis->cubic_a;
    if (!axis->cubic) return t < 1 ? 1 - t : 0;
    if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

/* Row i of the matrix [out, in]: the weights of the elements around its place. Weights of elements
 * outside are those of the edge, or are left out. A filter against aliasing is wider. */
static void fill_row(const Resizing *axis, int64_t i, float *row) {
    double place = (double)place_of(axis, i),
           stretch = axis->antialias && axis->scale < 1 ? 1 / (double)axis->scale : 1,
           reach = (axis->cubic ? 2 : 1) * stretch, sum = 0;
    int64_t first = (int64_t)ceil(place - reach), last = (int64_t)floor(place + reach);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t at = first; at <= last; at++) {
            double weight = weight_at(axis, ((double)at - place) / stretch);
            if (axis->exclude && at != inside(at, axis->in)) continue;
            if (pass)
                row[inside(at, axis->in)] += (float)(weight / sum);
            else
                sum += weight;
        }
}

/* m @ x along the axis before the last, x @ m along the last one. */
static Tensor *mixed(Import *import, const OpNode *node, Tensor *x, int at, const Resizing *axis) {
    static const int exchange[] = {1, 0};
    bool last = at == x->rank - 1;
    const Dim dims[] = {{axis->out, false}, {axis->in, false}};
    if (at < x->rank - 2)
        return node_fail(import, node, "axis %d can be resized to the nearest elements only", at),
               NULL;
    float *reals = ARENA_ARRAY(import->arena, float, axis->in * axis->out);
    for (int64_t i = 0; i < axis->out; i++) fill_row(axis, i, reals + i * axis->in);
    Tensor *rows = constant_reals(import, reals, 2, dims), *matrix = rows;
    if (last) *(matrix = tensor_new(import, "")) = *transposed(import, rows, 2, exchange);
    matrix->name = last ? "resize_columns" : "resize_rows";
    Tensor *y = last ? inner(import, LEVEL_PRODUCT, "%06 @ %17", 2, (Tensor *[]){x, matrix})
                     : inner(import, LEVEL_PRODUCT, "%16 @ %07", 2, (Tensor *[]){x, matrix});
    set_dims(y, x->rank, x->dims);
    y->dims[at].size = axis->out;
    return y;
}

/* -- nearest -- */

/* The factor by which each element is repeated; 0: something else happens. */
static int64_t repeats(const Resizing *axis) {
    int64_t factor = axis->out / axis->in;
    if (factor * axis->in != axis->out) return 0;
    for (int64_t i = 0; i < axis->out; i++)
        if (nearest_to(axis, i) != i / factor) return 0;
    return factor;
}

/* [N, C, H, W] is expanded as [N, C, H, factor, W, factor]. false: it has too many axes, or an axis
 * is resized otherwise. */
static bool repeat_elements(Import *import, OpNode *node, const Resizing *axes) {
    Tensor *x = node->in[0], *y;
    Dim apart[2 * ONNX_MAX_RANK], wide[2 * ONNX_MAX_RANK], dims[ONNX_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        apart[rank] = wide[rank] = dims[i] = x->dims[i];
        rank++;
        if (!axes[i].out) continue;
        int64_t factor = repeats(&axes[i]);
        if (!factor) return false;
        apart[rank] = (Dim){1, false};
        wide[rank++] = (Dim){factor, false};
        dims[i].size = axes[i].out;
    }
    if (rank > SHAPE_MAX_RANK) return false;
    y = inner_pipe(import,
                   arena_format(import->arena, "reshape(%s)", dims_text(import, apart, rank)), x);
    set_dims(y, rank, apart);
    y = inner_pipe(import, arena_format(import->arena, "expand(%s)", dims_text(import, wide, rank)),
                   y);
    set_dims(y, rank, wide);
    y = make_pipe(import, node, 0,
                  arena_format(import->arena, "reshape(%s)", dims_text(import, dims, x->rank)), y);
    set_dims(y, x->rank, dims);
    return true;
}

static Tensor *take_nearest(Import *import, Tensor *x, int at, const Resizing *axis) {
    int64_t *index = ARENA_ARRAY(import->arena, int64_t, axis->out);
    for (int64_t i = 0; i < axis->out; i++) index[i] = nearest_to(axis, i);
    return take_elements(import, x, at, axis->out, index);
}

/* -- the node -- */

/* The factors, or the sizes, of the axes that the node lists. false after reporting an error. */
static bool take_factors(const Import *import, const OpNode *node, const Tensor **scales,
                         const Tensor **sizes) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, "scales");
    bool old = !strcmp(node->onnx->op, "Upsample") || import->model->opset < 11;
    uint32_t at = old ? 1 : 2;
    const Tensor *given = at < node->in_count ? node->in[at] : NULL;
    *sizes = !old && node->in_count > 3 ? node->in[3] : NULL;
    *scales = given && given->constant && given->reals && given->count ? given : NULL;
    if (attribute && attribute->kind == ONNX_ATTRIBUTE_FLOATS) {
        Tensor *listed = ARENA_NEW(import->arena, Tensor);
        *listed = (Tensor){.reals = attribute->floats, .count = attribute->count};
        *scales = listed;
    }
    bool known = *scales || (*sizes && (*sizes)->constant && (*sizes)->wholes);
    return known || node_fail(import, node, "its factors must be known here");
}

/* Sets in, out and scale of an axis; out 0: it keeps its size. */
static bool take_size(const Import *import, const OpNode *node, int at, const Tensor *scales,
                      const Tensor *sizes, int64_t listed, Resizing *axis) {
    Dim size = node->in[0]->dims[at];
    float scale = scales ? scales->reals[listed] : 0;
    bool same =
        scales ? scale == 1
               : sizes->wholes[listed].rows == size.rows && sizes->wholes[listed].size == size.size;
    if (!scales && size.rows && sizes->wholes[listed].size == import->batch * size.size)
        same = true;
    axis->in = size.size;
    axis->out = 0;
    if (same) return true;
    if (size.rows) return node_fail(import, node, "it changes the number of rows");
    double out =
        scales ? floor((double)(scale * (float)size.size)) : (double)sizes->wholes[listed].size;
    if (!(out >= 1) || out > (double)FOLD_SMALL || size.size < 1 || size.size > FOLD_SMALL ||
        (!scales && sizes->wholes[listed].rows))
        return node_fail(import, node, "axis %d cannot have the size %g", at, out);
    axis->out = (int64_t)out;
    axis->scale = scales ? scale : (float)axis->out / (float)axis->in;
    return axis->out * axis->in <= FOLD_MAX || node_fail(import, node, "axis %d is too large", at);
}

static bool take_form(const Import *import, const OpNode *node, Resizing *axis) {
    bool old = !strcmp(node->onnx->op, "Upsample") || import->model->opset < 11;
    const char *mode = node_string(node, "mode", "nearest"),
               *ratio = node_string(node, "keep_aspect_ratio_policy", "stretch");
    axis->place =
        old ? "asymmetric" : node_string(node, "coordinate_transformation_mode", "half_pixel");
    axis->nearest = old ? "floor" : node_string(node, "nearest_mode", "round_prefer_floor");
    axis->cubic = !strcmp(mode, "cubic");
    axis->cubic_a = node_float(node, "cubic_coeff_a", -0.75F);
    axis->exclude = node_int(node, "exclude_outside", 0) != 0;
    axis->antialias = node_int(node, "antialias", 0) != 0;
    if (strcmp(mode, "nearest") && strcmp(mode, "linear") && strcmp(mode, "bilinear") &&
        !axis->cubic)
        return node_fail(import, node, "the mode '%.40s' is not supported", mode);
    if (!is_known_place(axis->place))
        return node_fail(import, node, "the mode '%.40s' is not supported", axis->place);
    return !strcmp(ratio, "stretch") ||
           node_fail(import, node, "the policy '%.40s' is not supported", ratio);
}

/* Reads what happens with each axis. */
static bool take_resizings(const Import *import, const OpNode *node, Resizing *axes) {
    const Tensor *scales, *sizes;
    uint32_t count;
    int rank = node->in[0]->rank;
    Resizing form = {0};
    const int64_t *listed = node_ints(node, "axes", &count);
    if (!take_form(import, node, &form) || !take_factors(import, node, &scales, &sizes))
        return false;
    for (int i = 0; i < rank; i++) axes[i] = form;
    if (!listed) count = (uint32_t)rank;
    if ((scales ? scales : sizes)->count != count)
        return node_fail(import, node, "its factors do not fit its %d axes", rank);
    for (uint32_t i = 0; i < count; i++) {
        int at;
        if (!axis_of(import, node, listed ? listed[i] : (int64_t)i, rank, &at) ||
            !take_size(import, node, at, scales, sizes, i, &axes[at]))
            return false;
    }
    return true;
}

bool op_resize(Import *import, OpNode *node) {
    Tensor *y = node->in[0];
    Resizing axes[ONNX_MAX_RANK];
    bool nearest = !strcmp(node_string(node, "mode", "nearest"), "nearest");
    if (!take_resizings(import, node, axes)) return false;
    if (nearest && repeat_elements(import, node, axes)) return true;
    for (int i = 0; i < y->rank; i++) {
        if (!axes[i].out) continue;
        y = nearest ? take_nearest(import, y, i, &axes[i]) : mixed(import, node, y, i, &axes[i]);
        if (!y) return false;
    }
    make_same(import, node, 0, y);
    return true;
}
