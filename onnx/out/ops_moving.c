/* Leaves, and operations that move elements. */
#include "onnx/out/out.h"
#include "ir/ops/ops.h"

#include <string.h>

static const char *full_operand(Out *out, const Form *form, uint32_t i) {
    return value_full(out, form->operands[i]);
}

static const Node *node_of(const Out *out, NodeId id) { return graph_node(out->graph, id); }

/* Writes the node as an operation with a list of numbers as its second input. */
static bool result_with(Out *out, NodeId id, const Form *form, const char *numbers) {
    const char *x = full_operand(out, form, 0);
    value_set(out, id, put_call(out, value_name(out, id, form->op), form->op, 2, x, numbers));
    return true;
}

/* -- leaves -- */

static const ExportInput *input_of(const Out *out, const char *key) {
    for (uint32_t i = 0; i < out->wanted->input_count; i++)
        if (!strcmp(out->wanted->inputs[i].key, key)) return &out->wanted->inputs[i];
    return NULL;
}

/* The value of a symbol: a number, or an input under another name. Without either it is 0, as step,
 * epoch and steps are in predictions. */
static const char *value_write(Out *out, const Symbol *symbol) {
    for (uint32_t i = 0; i < out->wanted->value_count; i++) {
        const ExportValue *value = &out->wanted->values[i];
        if (strcmp(value->symbol, symbol->name)) continue;
        return value->key ? input_of(out, value->key)->name : constant_i32(out, value->number);
    }
    return constant_number(out, symbol->dtype, 0);
}

bool write_input(Out *out, NodeId id, const Form *form) {
    const Symbol *symbol = &out->graph->symbols[node_of(out, id)->attrs.symbol];
    const ExportInput *input = input_of(out, symbol->name);
    (void)form;
    for (uint32_t i = 0; i < out->wanted->column_count; i++)
        if (!strcmp(out->wanted->columns[i].symbol, symbol->name))
            value_set(out, id, column_write(out, &out->wanted->columns[i], id));
    if (input) value_set(out, id, input_write(out, input, id));
    if (!out->values[id].name) value_set(out, id, value_write(out, symbol));
    return true;
}

bool write_state(Out *out, NodeId id, const Form *form) {
    const Symbol *symbol = &out->graph->symbols[node_of(out, id)->attrs.symbol];
    (void)form;
    const char *name = name_new(out, symbol->name);
    tensor_write(out, name, symbol->dtype, symbol->shape,
                 out->wanted->state(out->wanted->context, symbol->name));
    value_set(out, id, name);
    return true;
}

bool write_constant(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    (void)form;
    out->values[id] = (OutValue){.name = constant_number(out, node->dtype, node->attrs.value.bits)};
    return true;
}

/* A size that grows with the batch, as an i32. */
static const char *rows_number(Out *out, Size size) {
    const char *wide = put_call(out, NULL, "Squeeze", 1, constant_sizes(out, &size, 1));
    return put_cast(out, NULL, wide, ONNX_INT32);
}

/* The numbers along the axis, with size 1 along the axes after it. */
bool write_iota(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    int axis = node->attrs.axis;
    Size size = out->sizes[id].size[axis];
    OutValue value = {.rank = node->shape.rank - axis};
    (void)form;
    const char *rows = size.rows ? rows_number(out, size) : NULL;
    value.name =
        rows ? put_call(out, NULL, "Range", 3, constant_i32(out, 0), rows, constant_i32(out, 1))
             : constant_below(out, size.size);
    value.sizes.size[0] = size;
    for (int i = 1; i < value.rank; i++) value.sizes.size[i].size = 1;
    if (value.rank > 1)
        value.name = put_call(out, NULL, "Reshape", 2, value.name,
                              constant_reshape(out, value.sizes.size, value.rank));
    out->values[id] = value;
    return true;
}

/* -- views -- */

/* A broadcast is not written: value_full broadcasts where it is necessary. */
bool write_broadcast(Out *out, NodeId id, const Form *form) {
    out->values[id] = *value_of(out, form->operands[0]);
    return true;
}

bool write_reshape(Out *out, NodeId id, const Form *form) {
    if (value_of(out, form->operands[0])->rank == 0) return write_broadcast(out, id, form);
    return result_with(out, id, form,
                       constant_reshape(out, out->sizes[id].size, node_of(out, id)->shape.rank));
}

bool write_transpose(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    const char *x = full_operand(out, form, 0), *name = value_name(out, id, form->op);
    OutNode written = put_begin(out, form->op);
    put_input(&written, x);
    put_ints(&written, "perm", node->attrs.perm, (size_t)node->shape.rank);
    value_set(out, id, put_end(&written, name));
    return true;
}

/* Axes that are taken whole are left out; the batch is one of them. */
bool write_slice(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    const Sizes *from = &out->sizes[form->operands[0]];
    int64_t starts[SHAPE_MAX_RANK], stops[SHAPE_MAX_RANK], axes[SHAPE_MAX_RANK],
        steps[SHAPE_MAX_RANK];
    size_t count = 0;
    for (int axis = 0; axis < node->shape.rank; axis++) {
        if (size_equal(from->size[axis], out->sizes[id].size[axis])) continue;
        starts[count] = node->attrs.range.start[axis];
        stops[count] = node->attrs.range.stop[axis];
        steps[count] = node->attrs.range.step[axis];
        axes[count++] = axis;
    }
    if (!count) return write_broadcast(out, id, form);
    const char *x = full_operand(out, form, 0), *begin = constant_list(out, starts, count),
               *end = constant_list(out, stops, count), *which = constant_list(out, axes, count),
               *by = constant_list(out, steps, count);
    value_set(out, id,
              put_call(out, value_name(out, id, form->op), form->op, 5, x, begin, end, which, by));
    return true;
}

bool write_pad(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    int rank = node->shape.rank;
    int64_t pads[2 * SHAPE_MAX_RANK];
    bool any = false;
    for (int axis = 0; axis < rank; axis++) {
        pads[axis] = node->attrs.pad.before[axis];
        pads[rank + axis] = node->attrs.pad.after[axis];
        any |= pads[axis] || pads[rank + axis];
    }
    if (!any) return write_broadcast(out, id, form);
    return result_with(out, id, form, constant_list(out, pads, 2 * (size_t)rank));
}

bool write_concat(Out *out, NodeId id, const Form *form) {
    if (form->count == 1) return write_broadcast(out, id, form);
    const char **parts = ARENA_ARRAY(out->arena, const char *, form->count);
    for (uint32_t i = 0; i < form->count; i++) parts[i] = full_operand(out, form, i);
    const char *name = value_name(out, id, form->op);
    OutNode written = put_begin(out, form->op);
    for (uint32_t i = 0; i < form->count; i++) put_input(&written, parts[i]);
    put_int(&written, "axis", node_of(out, id)->attrs.axis);
    value_set(out, id, put_end(&written, name));
    return true;
}

static const char *gathered(Out *out, const char *name, const char *x, const char *index,
                            int axis) {
    OutNode node = put_begin(out, "Gather");
    put_input(&node, x);
    put_input(&node, index);
    put_int(&node, "axis", axis);
    return put_end(&node, name);
}

/* Reverses the rows, from the last to the first. The end lies before all rows. */
static bool reverse_rows(Out *out, NodeId id, const Form *form) {
    int64_t which = node_of(out, id)->attrs.axis;
    const char *x = full_operand(out, form, 0), *axis = constant_list(out, &which, 1),
               *last = constant_list(out, (int64_t[]){-1}, 1),
               *end = constant_list(out, (int64_t[]){INT64_MIN}, 1);
    value_set(out, id,
              put_call(out, value_name(out, id, "Slice"), "Slice", 5, x, last, end, axis, last));
    return true;
}

/* ONNX's Slice can also go backwards, but few readers support it. */
bool write_reverse(Out *out, NodeId id, const Form *form) {
    int axis = node_of(out, id)->attrs.axis;
    Size size = out->sizes[id].size[axis];
    if (size.rows) return reverse_rows(out, id, form);
    int64_t *index = ARENA_ARRAY(out->arena, int64_t, size.size);
    for (int64_t i = 0; i < size.size; i++) index[i] = size.size - 1 - i;
    const char *x = full_operand(out, form, 0),
               *list = constant_list(out, index, (size_t)size.size);
    value_set(out, id, gathered(out, value_name(out, id, form->op), x, list, axis));
    return true;
}

/* The indices of the windows' elements along one axis: [windows, kernel]. */
static const char *window_places(Out *out, const Window *window, int i, int64_t windows) {
    int64_t kernel = window->kernel[i];
    int64_t *places = ARENA_ARRAY(out->arena, int64_t, windows * kernel);
    for (int64_t at = 0; at < windows * kernel; at++)
        places[at] = at / kernel * window->stride[i] + at % kernel * window->dilation[i];
    const char *list = constant_list(out, places, (size_t)(windows * kernel));
    const Size sizes[] = {{windows, false}, {kernel, false}};
    return put_call(out, NULL, "Reshape", 2, list, constant_sizes(out, sizes, 2));
}

/* [N, H, W, C]: along H to [N, OH, KH, W, C], along W to [N, OH, KH, OW, KW, C]. */
bool write_windows(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    const Window *window = &node->attrs.window;
    const char *high = window_places(out, window, 0, node->shape.dim[1]),
               *wide = window_places(out, window, 1, node->shape.dim[2]);
    const char *lines = gathered(out, NULL, full_operand(out, form, 0), high, 1);
    const char *windows = gathered(out, NULL, lines, wide, 3),
               *name = value_name(out, id, "Windows");
    OutNode written = put_begin(out, "Transpose");
    put_input(&written, windows);
    put_ints(&written, "perm", (int64_t[]){0, 1, 3, 2, 4, 5}, 6);
    value_set(out, id, put_end(&written, name));
    return true;
}

/* -- by an index -- */

/* An index beyond the ends means the first or the last element. */
static const char *index_within(Out *out, const char *index, Size size) {
    const char *first = constant_i32(out, 0), *last;
    if (size.rows)
        last = put_call(out, NULL, "Sub", 2, rows_number(out, size), constant_i32(out, 1));
    else
        last = constant_i32(out, (int32_t)(size.size - 1));
    return put_call(out, NULL, "Clip", 3, index, first, last);
}

/* Whether the index of a gather was written with size 1 along all axes except `axis`. */
static bool along_one_axis(const Out *out, NodeId id, const OutValue *index, int axis) {
    int rank = node_of(out, id)->shape.rank, shift = rank - index->rank;
    if (axis < shift || !size_equal(index->sizes.size[axis - shift], out->sizes[id].size[axis]))
        return false;
    for (int i = 0; i < index->rank; i++)
        if (i + shift != axis && !size_is_one(index->sizes.size[i])) return false;
    return true;
}

/* Takes rows of a table, or one element for each element of the index. */
bool write_gather(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    int axis = node->attrs.axis;
    Size size = out->sizes[form->operands[0]].size[axis];
    bool rows = along_one_axis(out, id, value_of(out, form->operands[1]), axis);
    const char *x = full_operand(out, form, 0);
    const char *index = rows ? value_of(out, form->operands[1])->name : full_operand(out, form, 1);
    index = index_within(out, index, size);
    const char *name = value_name(out, id, rows ? "Gather" : form->op);
    if (rows) {
        index = put_call(out, NULL, "Reshape", 2, index, constant_list(out, (int64_t[]){-1}, 1));
        value_set(out, id, gathered(out, name, x, index, axis));
        return true;
    }
    OutNode written = put_begin(out, form->op);
    put_input(&written, x);
    put_input(&written, index);
    put_int(&written, "axis", axis);
    value_set(out, id, put_end(&written, name));
    return true;
}

bool write_scatter_add(Out *out, NodeId id, const Form *form) {
    const Node *node = node_of(out, id);
    int axis = node->attrs.axis;
    Size size = out->sizes[id].size[axis];
    const char *zeros = put_call(out, NULL, "Expand", 2, constant_f32(out, 0),
                                 constant_sizes(out, out->sizes[id].size, node->shape.rank));
    const char *parts = full_operand(out, form, 0),
               *index = index_within(out, full_operand(out, form, 1), size),
               *name = value_name(out, id, form->op);
    OutNode written = put_begin(out, form->op);
    put_input(&written, zeros);
    put_input(&written, index);
    put_input(&written, parts);
    put_int(&written, "axis", axis);
    put_text(&written, "reduction", "add");
    value_set(out, id, put_end(&written, name));
    return true;
}
