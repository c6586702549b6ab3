/* Tensors of the importer: constants, expressions, their shapes and texts; attributes of nodes. */
#include "onnx/in/translate.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- errors -- */

bool node_fail(const Import *import, const OpNode *node, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *finding = arena_vformat(import->arena, format, args);
    va_end(args);
    diag_error(import->diag, STATUS_MODEL, (Span){0}, "'%s': %s: %s", import->path,
               onnx_node_text(node->onnx, import->arena), finding);
    return false;
}

void import_note(Import *import, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = arena_vformat(import->arena, format, args);
    va_end(args);
    ImportNotes *notes = import->notes;
    for (uint32_t i = 0; i < notes->count; i++)
        if (!strcmp(notes->items[i], text)) return;
    ARENA_ROOM(import->arena, notes->items, notes->count, notes->capacity);
    notes->items[notes->count++] = text;
}

/* -- attributes -- */

int64_t node_int(const OpNode *node, const char *name, int64_t standard) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    return attribute && attribute->kind == ONNX_ATTRIBUTE_INT ? attribute->i : standard;
}

float node_float(const OpNode *node, const char *name, float standard) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    return attribute && attribute->kind == ONNX_ATTRIBUTE_FLOAT ? attribute->f : standard;
}

const char *node_string(const OpNode *node, const char *name, const char *standard) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    return attribute && attribute->kind == ONNX_ATTRIBUTE_STRING ? attribute->s : standard;
}

const int64_t *node_ints(const OpNode *node, const char *name, uint32_t *count) {
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, name);
    bool there = attribute && attribute->kind == ONNX_ATTRIBUTE_INTS;
    *count = there ? attribute->count : 0;
    return there && attribute->count ? attribute->ints : NULL;
}

bool node_constant(const Import *import, const OpNode *node, uint32_t input,
                   const int64_t **numbers, uint32_t *count) {
    const Tensor *tensor = input < node->in_count ? node->in[input] : NULL;
    if (!tensor || !tensor->constant || !tensor->wholes)
        return node_fail(import, node, "its input %u must be whole numbers that are known here",
                         input);
    int64_t *result = ARENA_ARRAY(import->arena, int64_t, tensor->count);
    for (int64_t i = 0; i < tensor->count; i++) {
        if (tensor->wholes[i].rows)
            return node_fail(import, node, "its input %u depends on the number of rows", input);
        result[i] = tensor->wholes[i].size;
    }
    *numbers = result;
    *count = (uint32_t)tensor->count;
    return true;
}

bool axis_of(const Import *import, const OpNode *node, int64_t axis, int rank, int *result) {
    *result = (int)(axis < 0 ? axis + rank : axis);
    if (axis >= -rank && axis < rank) return true;
    return node_fail(import, node, "it names axis %lld, but its input has %d axes", (long long)axis,
                     rank);
}

bool node_axes(const Import *import, const OpNode *node, uint32_t input, int rank, int64_t *axes,
               uint32_t *count, bool *given) {
    const int64_t *numbers = node_ints(node, "axes", count);
    if (!numbers && input < node->in_count && node->in[input] &&
        !node_constant(import, node, input, &numbers, count))
        return false;
    *given = numbers && *count;
    if (*count > ONNX_MAX_RANK) return node_fail(import, node, "it names %u axes", *count);
    for (uint32_t i = 0; i < *count && *given; i++) {
        int axis;
        if (!axis_of(import, node, numbers[i], rank, &axis)) return false;
        for (uint32_t k = 0; k < i; k++)
            if (axes[k] == axis) return node_fail(import, node, "it names axis %d twice", axis);
        axes[i] = axis;
    }
    for (uint32_t i = 1; i < *count && *given; i++) /* checks that the axes ascend */
        for (uint32_t k = i; k > 0 && axes[k] < axes[k - 1]; k--) {
            int64_t axis = axes[k];
            axes[k] = axes[k - 1];
            axes[k - 1] = axis;
        }
    return true;
}

/* -- tensors -- */

Tensor *tensor_new(Import *import, const char *name) {
    Tensor *tensor = ARENA_NEW(import->arena, Tensor);
    tensor->name = name;
    tensor->level = LEVEL_ATOM;
    return tensor;
}

void set_dims(Tensor *tensor, int rank, const Dim *dims) {
    tensor->rank = rank;
    if (rank) memmove(tensor->dims, dims, (size_t)rank * sizeof *dims);
}

Tensor *constant_reals(Import *import, const float *reals, int rank, const Dim *dims) {
    Tensor *tensor = tensor_new(import, "");
    tensor->constant = true;
    tensor->reals = reals;
    set_dims(tensor, rank, dims);
    tensor->count = 1;
    for (int i = 0; i < rank; i++) tensor->count *= dims[i].size;
    return tensor;
}

Tensor *constant_wholes(Import *import, const Dim *wholes, int64_t count, TensorKind kind) {
    Tensor *tensor = tensor_new(import, "");
    tensor->constant = true;
    tensor->wholes = wholes;
    tensor->count = count;
    tensor->kind = kind;
    tensor->rank = 1;
    tensor->dims[0] = (Dim){count, false};
    return tensor;
}

bool is_number(const Tensor *tensor, double *number) {
    if (!tensor || !tensor->constant || tensor->count != 1 ||
        (tensor->wholes && tensor->wholes[0].rows))
        return false;
    *number = tensor->reals ? (double)tensor->reals[0] : (double)tensor->wholes[0].size;
    return true;
}

bool is_weight(const Tensor *constant) {
    bool finite = constant->kind != KIND_BOOL;
    for (int64_t i = 0; constant->reals && i < constant->count; i++)
        finite &= (bool)isfinite(constant->reals[i]);
    return constant->trained && constant->count > 1 && finite;
}

bool dim_equal(Dim a, Dim b) { return a.size == b.size && a.rows == b.rows; }

bool same_dims(const Tensor *a, const Tensor *b) {
    bool same = a->rank == b->rank;
    for (int i = 0; i < a->rank && same; i++) same = dim_equal(a->dims[i], b->dims[i]);
    return same;
}

bool fixed_dims(const Tensor *tensor, int64_t dims[ONNX_MAX_RANK]) {
    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->dims[i].rows) return false;
        dims[i] = tensor->dims[i].size;
    }
    return true;
}

const char *dim_text(const Import *import, Dim dim) {
    if (!dim.rows) return arena_format(import->arena, "%lld", (long long)dim.size);
    return dim.size == 1 ? "N" : arena_format(import->arena, "N * %lld", (long long)dim.size);
}

const char *dims_text(const Import *import, const Dim *dims, int rank) {
    const char *text = "[";
    for (int i = 0; i < rank; i++)
        text =
            arena_format(import->arena, "%s%s%s", text, i ? ", " : "", dim_text(import, dims[i]));
    return arena_format(import->arena, "%s]", text);
}

static float limited(float value) {
    return value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : value;
}

/* The shortest digits that give the number back. */
const char *real_text(const Import *import, float value) {
    char text[32];
    value = limited(value);
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if ((float)strtod(text, NULL) == value) break;
    }
    bool real = strpbrk(text, ".e") != NULL;
    return arena_format(import->arena, real ? "%s" : "%s.0", text);
}

const Tensor *reshaped(Import *import, const Tensor *constant, int rank, const int64_t *dims) {
    Tensor *result = tensor_new(import, constant->name);
    *result = *constant;
    result->rank = rank;
    for (int i = 0; i < rank; i++) result->dims[i] = (Dim){dims[i], false};
    return result;
}

const Tensor *transposed(Import *import, const Tensor *constant, int rank, const int *order) {
    Tensor *result = tensor_new(import, constant->name);
    *result = *constant;
    int64_t steps[ONNX_MAX_RANK], step = 1, at[ONNX_MAX_RANK] = {0};
    float *reals = constant->reals ? ARENA_ARRAY(import->arena, float, constant->count) : NULL;
    Dim *wholes = constant->reals ? NULL : ARENA_ARRAY(import->arena, Dim, constant->count);
    for (int i = rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= constant->dims[i].size;
    }
    for (int i = 0; i < rank; i++) result->dims[i] = constant->dims[order[i]];
    for (int64_t i = 0; i < constant->count; i++) {
        int64_t from = 0;
        for (int k = 0; k < rank; k++) from += at[k] * steps[order[k]];
        if (reals) reals[i] = constant->reals[from];
        if (wholes) wholes[i] = constant->wholes[from];
        for (int k = rank - 1; k >= 0 && ++at[k] == result->dims[k].size; k--) at[k] = 0;
    }
    result->reals = reals;
    result->wholes = wholes;
    return result;
}

/* -- expressions -- */

static Tensor *as_expression(Import *import, Tensor *tensor);

static Tensor *fill(Import *import, Tensor *tensor, Level level, const char *text, uint32_t count,
                    Tensor *const *args) {
    tensor->args = ARENA_ARRAY(import->arena, Tensor *, count);
    tensor->arg_count = count;
    tensor->text = text;
    tensor->level = level;
    for (uint32_t i = 0; i < count; i++) {
        tensor->args[i] = as_expression(import, args[i]);
        if (tensor->args[i]->depth >= tensor->depth) tensor->depth = tensor->args[i]->depth + 1;
    }
    if (count) {
        tensor->kind = args[0]->kind;
        set_dims(tensor, args[0]->rank, args[0]->dims);
    }
    enum { DEEPEST = 24 }; /* the language limits how deeply calls are nested */
    if (tensor->depth > DEEPEST) tensor->apart = true, tensor->depth = 0;
    ARENA_ROOM(import->arena, import->made, import->made_count, import->made_capacity);
    return import->made[import->made_count++] = tensor;
}

Tensor *make(Import *import, const OpNode *node, uint32_t which, Level level, const char *text,
             uint32_t count, Tensor *const *args) {
    Tensor *tensor = node->out[which];
    return fill(import, tensor, level, text, count, args);
}

Tensor *make_pipe(Import *import, const OpNode *node, uint32_t which, const char *text, Tensor *x) {
    Tensor *tensor = make(import, node, which, LEVEL_PIPE, text, 1, &x);
    tensor->pipe = true;
    return tensor;
}

Tensor *inner(Import *import, Level level, const char *text, uint32_t count, Tensor *const *args) {
    Tensor *tensor = tensor_new(import, "");
    tensor->consumers = 1;
    return fill(import, tensor, level, text, count, args);
}

Tensor *inner_pipe(Import *import, const char *text, Tensor *x) {
    Tensor *tensor = inner(import, LEVEL_PIPE, text, 1, &x);
    tensor->pipe = true;
    return tensor;
}

/* The name of the output now leads to the other tensor, and the node no longer reads it. */
void make_same(Import *import, OpNode *node, uint32_t which, Tensor *tensor) {
    bool read = false;
    for (uint32_t i = 0; i < node->in_count; i++) read |= node->in[i] == tensor;
    tensor->consumers += node->out[which]->consumers;
    if (read && tensor->consumers) tensor->consumers--;
    names_put(import->tensors, node->out[which]->name, tensor);
    node->out[which] = tensor;
}

Layer *layer_new(Import *import, Tensor *tensor, const char *kind) {
    Layer *layer = ARENA_NEW(import->arena, Layer);
    layer->kind = kind;
    tensor->layer = layer;
    return layer;
}

void layer_add(Layer *layer, const char *role, const Tensor *value) {
    layer->roles[layer->count] = role;
    layer->values[layer->count++] = value;
}

/* The language has no word for infinity. */
static const char *infinite_text(double value) {
    return isnan(value) ? "0.0 * exp(100.0)" : value > 0 ? "exp(100.0)" : "-exp(100.0)";
}

static Tensor *number_expression(Import *import, const Tensor *constant) {
    Tensor *tensor = tensor_new(import, constant->name);
    double number = constant->reals ? (double)constant->reals[0] : (double)constant->wholes[0].size;
    tensor->kind = constant->kind;
    tensor->text = constant->kind == KIND_BOOL ? (number != 0 ? "true" : "false")
                   : !isfinite(number)         ? infinite_text(number)
                   : constant->reals           ? real_text(import, constant->reals[0])
                                               : dim_text(import, constant->wholes[0]);
    tensor->level = *tensor->text == '-'        ? LEVEL_SIGN
                    : strchr(tensor->text, '*') ? LEVEL_PRODUCT
                                                : LEVEL_ATOM;
    set_dims(tensor, constant->rank, constant->dims);
    return tensor;
}

/* The numbers of a constant in f32, as arithmetic is. A training needs finite states, so that the
 * infinities of a mask become the largest numbers. */
static const float *as_reals(Import *import, const Tensor *constant) {
    float *reals = ARENA_ARRAY(import->arena, float, constant->count);
    for (int64_t i = 0; i < constant->count; i++)
        reals[i] = constant->reals ? limited(constant->reals[i]) : (float)constant->wholes[i].size;
    return reals;
}

double constant_element(const Tensor *constant, int64_t at) {
    return constant->reals ? (double)constant->reals[at] : (double)constant->wholes[at].size;
}

/* Whether the matrix has one number up to a diagonal of each row, and another one after it. */
static bool is_triangle(const Tensor *constant, int64_t *diagonal) {
    int64_t columns = constant->dims[constant->rank - 1].size, change = 1;
    double first = constant_element(constant, 0), last = constant_element(constant, columns - 1);
    while (change < columns && constant_element(constant, change) == first) change++;
    *diagonal = change - 1;
    for (int64_t i = 0; i < constant->count; i++)
        if (constant_element(constant, i) !=
            (i % columns - i / columns <= *diagonal ? first : last))
            return false;
    return first != last;
}

const char *triangle_text(const Import *import, const Dim *dims, int rank, const char *compare,
                          int64_t diagonal) {
    const char *shape = dims_text(import, dims, rank), *shift = "";
    if (diagonal)
        shift = arena_format(import->arena, diagonal > 0 ? " + %lld" : " - %lld",
                             (long long)(diagonal > 0 ? diagonal : -diagonal));
    return arena_format(import->arena, "index(%s, %d) %s index(%s, %d)%s", shape, rank - 1, compare,
                        shape, rank - 2, shift);
}

/* The mask of a causal attention is written as the rule that it follows. NULL: it follows
 * none. */
static Tensor *ruled_expression(Import *import, const Tensor *constant) {
    enum { MIN_MASK = 3 }; /* smaller ones may look so by chance */
    int rank = constant->rank;
    int64_t diagonal, last;
    bool matrix = rank >= 2 && constant->kind != KIND_WHOLE &&
                  constant->dims[rank - 2].size >= MIN_MASK &&
                  constant->dims[rank - 1].size >= MIN_MASK &&
                  constant->count == constant->dims[rank - 2].size * constant->dims[rank - 1].size;
    if (!matrix || !is_triangle(constant, &diagonal)) return NULL;
    last = constant->dims[rank - 1].size - 1;
    bool truth = constant->kind == KIND_BOOL, upper = truth && constant->wholes[last].size;
    const char *inside = triangle_text(import, constant->dims, rank, upper ? ">" : "<=", diagonal);
    if (!truth)
        inside = arena_format(import->arena, "select(%s, %s, %s)", inside,
                              real_text(import, constant->reals[0]),
                              real_text(import, constant->reals[last]));
    Tensor *expression = inner(import, truth ? LEVEL_COMPARE : LEVEL_ATOM, inside, 0, NULL);
    expression->kind = constant->kind;
    set_dims(expression, rank, constant->dims);
    return expression;
}

/* A constant as an expression: a number, or a weight. All nodes that read the constant share the
 * weight. */
static Tensor *as_expression(Import *import, Tensor *tensor) {
    if (!tensor->constant) return tensor;
    if (tensor->count == 1) return number_expression(import, tensor);
    if (tensor->args) return tensor->args[0];
    Tensor *expression = is_weight(tensor) ? NULL : ruled_expression(import, tensor);
    if (expression) return expression;
    expression = tensor_new(import, tensor->name);
    Tensor *values = tensor_new(import, tensor->name);
    *values = *tensor;
    expression->kind = tensor->kind == KIND_WHOLE ? KIND_WHOLE : KIND_REAL;
    values->reals = as_reals(import, tensor);
    fill(import, expression, LEVEL_ATOM,
         arena_format(import->arena, "%s(%s%s)", is_weight(tensor) ? "weight" : "state",
                      dims_text(import, tensor->dims, tensor->rank),
                      is_weight(tensor) ? ", init = zeros" : ""),
         0, NULL);
    set_dims(expression, tensor->rank, tensor->dims);
    expression->apart = true;
    layer_add(layer_new(import, expression, NULL), "", values);
    if (tensor->kind == KIND_BOOL) {
        expression = inner(import, LEVEL_COMPARE, "%05 != 0", 1, &expression);
        expression->kind = KIND_BOOL;
    }
    tensor->args = ARENA_ARRAY(import->arena, Tensor *, 1);
    tensor->args[0] = expression;
    return expression;
}

/* -- shapes -- */

bool broadcast_dims(const Import *import, const OpNode *node, const Tensor *a, const Tensor *b,
                    int *rank, Dim *dims) {
    const Dim one = {1, false};
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < *rank; i++) {
        int from_a = i - (*rank - a->rank), from_b = i - (*rank - b->rank);
        Dim x = from_a >= 0 ? a->dims[from_a] : one, y = from_b >= 0 ? b->dims[from_b] : one;
        dims[i] = dim_equal(x, one) ? y : x;
        if (dim_equal(x, y) || dim_equal(x, one) || dim_equal(y, one)) continue;
        return node_fail(import, node, "the shapes %s and %s do not fit",
                         dims_text(import, a->dims, a->rank), dims_text(import, b->dims, b->rank));
    }
    return true;
}
