/* Writes nodes and constants, and keeps the names of values. */
#include "onnx/out/out.h"
#include "ir/ops/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

OnnxType onnx_type(DType dtype) {
    static const OnnxType types[DTYPE_COUNT] = {[DTYPE_F32] = ONNX_FLOAT,
                                                [DTYPE_I32] = ONNX_INT32,
                                                [DTYPE_U8] = ONNX_UINT8,
                                                [DTYPE_I8] = ONNX_INT8,
                                                [DTYPE_BOOL] = ONNX_BOOL};
    return types[dtype];
}

void type_write(WireWriter *writer, OnnxType of, const Size *sizes, int rank) {
    size_t type = wire_begin(writer, VALUE_type), tensor = wire_begin(writer, TYPE_tensor_type);
    wire_int(writer, TENSOR_TYPE_elem_type, of);
    size_t shape = wire_begin(writer, TENSOR_TYPE_shape);
    for (int i = 0; i < rank; i++) {
        size_t dim = wire_begin(writer, SHAPE_dim);
        if (!sizes[i].rows)
            wire_int(writer, DIM_value, sizes[i].size);
        else if (sizes[i].size == 1)
            wire_text(writer, DIM_param, "N");
        wire_end(writer, dim);
    }
    wire_end(writer, shape);
    wire_end(writer, tensor);
    wire_end(writer, type);
}

/* -- names -- */

const char *name_new(Out *out, const char *wanted) {
    const char *name = wanted;
    for (int i = 2; names_index(out->names, name) >= 0; i++)
        name = arena_format(out->arena, "%s_%d", wanted, i);
    names_add(out->names, name);
    return name;
}

const char *value_name(Out *out, NodeId id, const char *op) {
    return out->outputs[id] ? out->outputs[id]
                            : name_new(out, arena_format(out->arena, "%s_%u", op, id));
}

void value_set(Out *out, NodeId id, const char *name) {
    out->values[id] = (OutValue){name, graph_node(out->graph, id)->shape.rank, out->sizes[id]};
}

const OutValue *value_of(const Out *out, NodeId id) { return &out->values[id]; }

/* The shape as a name: "1x64". A size that grows with the batch is -1. */
static const char *sizes_text(const Out *out, const Size *sizes, int rank) {
    const char *text = "";
    for (int i = 0; i < rank; i++)
        text = arena_format(out->arena, "%s%s%s%.0" PRId64, text, i ? "x" : "",
                            sizes[i].rows ? "N" : "",
                            sizes[i].rows && sizes[i].size == 1 ? 0 : sizes[i].size);
    return text;
}

const char *value_full(Out *out, NodeId id) {
    const OutValue *value = value_of(out, id);
    int rank = graph_node(out->graph, id)->shape.rank;
    bool full = value->rank == rank;
    for (int i = 0; full && i < rank; i++)
        full = size_equal(value->sizes.size[i], out->sizes[id].size[i]);
    if (!full) {
        const char *sizes = constant_sizes(out, out->sizes[id].size, rank);
        value_set(out, id, put_call(out, NULL, "Expand", 2, value->name, sizes));
    }
    return value->name;
}

/* -- nodes -- */

OutNode put_begin(Out *out, const char *op) {
    OutNode node = {out, wire_begin(&out->nodes, GRAPH_node)};
    wire_text(&out->nodes, NODE_op_type, op);
    return node;
}

void put_input(OutNode *node, const char *name) { wire_text(&node->out->nodes, NODE_input, name); }

static size_t attribute_begin(OutNode *node, const char *name, OnnxAttributeKind kind) {
    WireWriter *writer = &node->out->nodes;
    size_t attribute = wire_begin(writer, NODE_attribute);
    wire_text(writer, ATTRIBUTE_name, name);
    wire_int(writer, ATTRIBUTE_type, kind);
    return attribute;
}

void put_int(OutNode *node, const char *name, int64_t value) {
    size_t attribute = attribute_begin(node, name, ONNX_ATTRIBUTE_INT);
    wire_int(&node->out->nodes, ATTRIBUTE_i, value);
    wire_end(&node->out->nodes, attribute);
}

void put_ints(OutNode *node, const char *name, const int64_t *values, size_t count) {
    size_t attribute = attribute_begin(node, name, ONNX_ATTRIBUTE_INTS);
    for (size_t i = 0; i < count; i++) wire_int(&node->out->nodes, ATTRIBUTE_ints, values[i]);
    wire_end(&node->out->nodes, attribute);
}

void put_float(OutNode *node, const char *name, float value) {
    size_t attribute = attribute_begin(node, name, ONNX_ATTRIBUTE_FLOAT);
    wire_float(&node->out->nodes, ATTRIBUTE_f, value);
    wire_end(&node->out->nodes, attribute);
}

void put_text(OutNode *node, const char *name, const char *value) {
    size_t attribute = attribute_begin(node, name, ONNX_ATTRIBUTE_STRING);
    wire_text(&node->out->nodes, ATTRIBUTE_s, value);
    wire_end(&node->out->nodes, attribute);
}

const char *put_end(OutNode *node, const char *name) {
    Out *out = node->out;
    if (!name) name = name_new(out, arena_format(out->arena, "value_%u", out->node_count));
    wire_text(&out->nodes, NODE_output, name);
    wire_text(&out->nodes, NODE_name, name);
    wire_end(&out->nodes, node->begun);
    out->node_count++;
    return name;
}

const char *put_call(Out *out, const char *name, const char *op, uint32_t count, ...) {
    va_list inputs;
    OutNode node = put_begin(out, op);
    va_start(inputs, count);
    for (uint32_t i = 0; i < count; i++) put_input(&node, va_arg(inputs, const char *));
    va_end(inputs);
    return put_end(&node, name);
}

const char *put_step(Out *out, const char *op, const char *a, const char *b) {
    return put_call(out, NULL, op, b ? 2 : 1, a, b);
}

const char *put_cast(Out *out, const char *name, const char *x, OnnxType type) {
    OutNode node = put_begin(out, "Cast");
    put_input(&node, x);
    put_int(&node, "to", type);
    return put_end(&node, name);
}

/* -- tensors -- */

static void tensor_fields(WireWriter *writer, OnnxType type, const int64_t *dims, int rank,
                          const void *bytes, size_t length) {
    for (int i = 0; i < rank; i++) wire_int(writer, TENSOR_dims, dims[i]);
    wire_int(writer, TENSOR_data_type, type);
    wire_bytes(writer, TENSOR_raw_data, bytes, length);
}

void tensor_write(Out *out, const char *name, DType dtype, Shape shape, const void *values) {
    size_t tensor = wire_begin(&out->tensors, GRAPH_initializer);
    wire_text(&out->tensors, TENSOR_name, name);
    tensor_fields(&out->tensors, onnx_type(dtype), shape.dim, shape.rank, values,
                  (size_t)shape_elements(shape) * dtype_bytes(dtype));
    wire_end(&out->tensors, tensor);
    out->tensor_count++;
}

/* -- constants: nodes, as tensors of the file are weights -- */

/* The name contains the value, so equal constants have one name. */
static const char *constant_write(Out *out, const char *name, OnnxType type, const int64_t *dims,
                                  int rank, const void *bytes, size_t length) {
    if (names_index(out->names, name) >= 0) return name;
    names_add(out->names, name);
    OutNode node = put_begin(out, "Constant");
    size_t attribute = attribute_begin(&node, "value", ONNX_ATTRIBUTE_TENSOR);
    size_t tensor = wire_begin(&out->nodes, ATTRIBUTE_t);
    tensor_fields(&out->nodes, type, dims, rank, bytes, length);
    wire_end(&out->nodes, tensor);
    wire_end(&out->nodes, attribute);
    return put_end(&node, name);
}

const char *constant_number(Out *out, DType dtype, uint32_t bits) {
    const char *name;
    float real;
    memcpy(&real, &bits, sizeof real);
    if (dtype == DTYPE_F32)
        name = arena_format(out->arena, "f32 %.9g", (double)real);
    else
        name = arena_format(out->arena, "%s %d", dtype_name(dtype), (int32_t)bits);
    return constant_write(out, name, onnx_type(dtype), NULL, 0, &bits, dtype_bytes(dtype));
}

const char *constant_f32(Out *out, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return constant_number(out, DTYPE_F32, bits);
}

const char *constant_i32(Out *out, int32_t value) {
    return constant_number(out, DTYPE_I32, (uint32_t)value);
}

static const char *list_write(Out *out, const char *name, OnnxType type, const int64_t *values,
                              size_t count, size_t size) {
    int64_t dims[] = {(int64_t)count};
    unsigned char *bytes = arena_alloc(out->arena, count * size + 1);
    for (size_t i = 0; i < count; i++) memcpy(bytes + i * size, &values[i], size);
    return constant_write(out, name, type, dims, 1, bytes, count * size);
}

/* Only the names of short lists contain the numbers. */
const char *constant_list(Out *out, const int64_t *values, size_t count) {
    const char *name = count > 8 ? arena_format(out->arena, "list %u", out->node_count) : "i64";
    for (size_t i = 0; i < count && count <= 8; i++)
        name = arena_format(out->arena, "%s %" PRId64, name, values[i]);
    return list_write(out, name, ONNX_INT64, values, count, 8);
}

const char *constant_below(Out *out, int64_t size) {
    int64_t *numbers = ARENA_ARRAY(out->arena, int64_t, size);
    for (int64_t i = 0; i < size; i++) numbers[i] = i;
    return list_write(out, arena_format(out->arena, "below %" PRId64, size), ONNX_INT32, numbers,
                      (size_t)size, 4);
}

const char *constant_f64(Out *out, const char *name, const double *values, Shape shape) {
    return constant_write(out, name, ONNX_DOUBLE, shape.dim, shape.rank, values,
                          (size_t)shape_elements(shape) * sizeof *values);
}

const char *constant_double(Out *out, double value) {
    return constant_f64(out, arena_format(out->arena, "f64 %.17g", value), &value, (Shape){0});
}

/* -- sizes -- */

/* The name of a tensor [1] that holds `size` times the number of rows of the batch. */
static const char *rows_times(Out *out, int64_t size) {
    if (!out->rows) { /* the first size of any input */
        OutNode node = put_begin(out, "Shape");
        put_input(&node, out->wanted->inputs[0].name);
        put_int(&node, "start", 0);
        put_int(&node, "end", 1);
        out->rows = put_end(&node, name_new(out, "rows"));
    }
    if (size == 1) return out->rows;
    const char *name = arena_format(out->arena, "%s x %" PRId64, out->rows, size);
    if (names_index(out->names, name) >= 0) return name;
    const char *factor = constant_list(out, &size, 1);
    names_add(out->names, name);
    return put_call(out, name, "Mul", 2, out->rows, factor);
}

static bool numbers_of(const Size *sizes, int rank, int64_t *numbers, int *growing) {
    *growing = 0;
    for (int i = 0; i < rank; i++) {
        numbers[i] = sizes[i].rows ? -1 : sizes[i].size;
        *growing += sizes[i].rows;
    }
    return *growing == 0;
}

const char *constant_sizes(Out *out, const Size *sizes, int rank) {
    int64_t numbers[SHAPE_MAX_RANK];
    const char *parts[SHAPE_MAX_RANK];
    int growing;
    if (numbers_of(sizes, rank, numbers, &growing))
        return constant_list(out, numbers, (size_t)rank);
    const char *name = arena_format(out->arena, "sizes %s", sizes_text(out, sizes, rank));
    if (names_index(out->names, name) >= 0) return name;
    for (int i = 0; i < rank; i++)
        parts[i] =
            sizes[i].rows ? rows_times(out, sizes[i].size) : constant_list(out, &sizes[i].size, 1);
    names_add(out->names, name);
    OutNode node = put_begin(out, "Concat");
    for (int i = 0; i < rank; i++) put_input(&node, parts[i]);
    put_int(&node, "axis", 0);
    return put_end(&node, name);
}

const char *constant_reshape(Out *out, const Size *sizes, int rank) {
    int64_t numbers[SHAPE_MAX_RANK];
    int growing;
    numbers_of(sizes, rank, numbers, &growing);
    return growing < 2 ? constant_list(out, numbers, (size_t)rank)
                       : constant_sizes(out, sizes, rank);
}
