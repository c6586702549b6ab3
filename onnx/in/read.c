/* From the bytes of an ONNX file to its messages. Nothing in them is trusted. Sizes are checked
 * before memory is allocated, and the memory is at most a small multiple of the bytes in the
 * file. */
#include "ir/base/files.h"
#include "ir/ops/shapes.h"
#include "onnx/in/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 100000, MAX_FUNCTIONS = 1000 };

bool reading_fail(Reading *reading, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *finding = arena_vformat(reading->arena, format, args);
    va_end(args);
    if (!reading->failed)
        diag_error(reading->diag, STATUS_FILE, (Span){0}, "'%s' is not a sound ONNX file: %s",
                   reading->model->path, finding);
    reading->failed = true;
    return false;
}

bool reading_check(Reading *reading, const WireReader *at, const char *what) {
    if (at->damaged)
        reading_fail(reading, "a field of %s is damaged (byte %zu)", what,
                     (size_t)(at->at - at->begin));
    return !reading->failed;
}

const char *reading_text(WireReader *at, const WireField *field, Arena *arena) {
    if (field->type == WIRE_BYTES) return wire_string(field, arena);
    at->damaged = true;
    return "";
}

typedef struct {
    const char **items;
    uint32_t count, capacity;
} Texts;

static void append_text(Reading *reading, Texts *texts, const char *text) {
    ARENA_ROOM(reading->arena, texts->items, texts->count, texts->capacity);
    texts->items[texts->count++] = text;
}

/* -- nodes -- */

static const float *real_numbers(Reading *reading, const WireNumbers *numbers) {
    float *reals = ARENA_ARRAY(reading->arena, float, numbers->count);
    for (uint32_t i = 0; i < numbers->count; i++) reals[i] = reading_f32(numbers->items[i]);
    return reals;
}

/* The kind of an attribute follows from the field that has its value; 0: no such field. */
static OnnxAttributeKind kind_of_field(uint32_t field) {
    switch (field) {
    case ATTRIBUTE_f: return ONNX_ATTRIBUTE_FLOAT;
    case ATTRIBUTE_i: return ONNX_ATTRIBUTE_INT;
    case ATTRIBUTE_s: return ONNX_ATTRIBUTE_STRING;
    case ATTRIBUTE_t: return ONNX_ATTRIBUTE_TENSOR;
    case ATTRIBUTE_g:
        return ONNX_ATTRIBUTE_GRAPH; /* a graph, such as the body of a loop, is not supported */
    case ATTRIBUTE_floats: return ONNX_ATTRIBUTE_FLOATS;
    case ATTRIBUTE_ints: return ONNX_ATTRIBUTE_INTS;
    case ATTRIBUTE_strings: return ONNX_ATTRIBUTE_STRINGS;
    default: return 0;
    }
}

static OnnxAttribute read_attribute(Reading *reading, WireReader at) {
    OnnxAttribute result = {.name = "", .s = ""};
    Arena *arena = reading->arena;
    WireNumbers ints = {0}, floats = {0};
    Texts strings = {0};
    WireField field;
    bool good = true;
    int64_t kind = 0;
    while (good && wire_next(&at, &field)) {
        OnnxAttributeKind found = kind_of_field(field.number);
        if (found) result.kind = found;
        switch (field.number) {
        case ATTRIBUTE_name: result.name = reading_text(&at, &field, arena); break;
        case ATTRIBUTE_ref_attr_name: result.reference = reading_text(&at, &field, arena); break;
        case ATTRIBUTE_f: result.f = wire_f32(&field); break;
        case ATTRIBUTE_i: result.i = (int64_t)field.value; break;
        case ATTRIBUTE_s: result.s = reading_text(&at, &field, arena); break;
        case ATTRIBUTE_t: result.t = reading_tensor(reading, wire_message(&at, &field)); break;
        case ATTRIBUTE_floats: good = wire_numbers(&field, WIRE_FIXED32, arena, &floats); break;
        case ATTRIBUTE_ints: good = wire_numbers(&field, WIRE_VARINT, arena, &ints); break;
        case ATTRIBUTE_strings:
            append_text(reading, &strings, reading_text(&at, &field, arena));
            break;
        case ATTRIBUTE_type: kind = (int64_t)field.value; break;
        default: break;
        }
    }
    at.damaged |= !good;
    reading_check(reading, &at, "an attribute");
    /* an empty list has no element that tells its kind */
    if (kind == ONNX_ATTRIBUTE_FLOATS || kind == ONNX_ATTRIBUTE_INTS ||
        kind == ONNX_ATTRIBUTE_STRINGS)
        result.kind = (OnnxAttributeKind)kind;
    result.ints = (int64_t *)ints.items;
    result.floats = real_numbers(reading, &floats);
    result.strings = strings.items;
    result.count = result.kind == ONNX_ATTRIBUTE_INTS     ? ints.count
                   : result.kind == ONNX_ATTRIBUTE_FLOATS ? floats.count
                                                          : strings.count;
    return result;
}

static OnnxNode read_node(Reading *reading, WireReader at) {
    OnnxNode node = {.name = "", .op = "", .domain = "", .offset = (size_t)(at.at - at.begin)};
    Texts inputs = {0}, outputs = {0};
    OnnxAttribute *attributes = NULL;
    uint32_t capacity = 0;
    WireField field;
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case NODE_input:
            append_text(reading, &inputs, reading_text(&at, &field, reading->arena));
            break;
        case NODE_output:
            append_text(reading, &outputs, reading_text(&at, &field, reading->arena));
            break;
        case NODE_name: node.name = reading_text(&at, &field, reading->arena); break;
        case NODE_op_type: node.op = reading_text(&at, &field, reading->arena); break;
        case NODE_domain: node.domain = reading_text(&at, &field, reading->arena); break;
        case NODE_attribute:
            ARENA_ROOM(reading->arena, attributes, node.attribute_count, capacity);
            attributes[node.attribute_count++] = read_attribute(reading, wire_message(&at, &field));
            break;
        default: break;
        }
    reading_check(reading, &at, "a node");
    node.inputs = inputs.items;
    node.input_count = inputs.count;
    node.outputs = outputs.items;
    node.output_count = outputs.count;
    node.attributes = attributes;
    if (!strcmp(node.domain, "ai.onnx")) node.domain = "";
    return node;
}

static void add_node(Reading *reading, OnnxGraph *graph, WireReader at) {
    if (graph->node_count == MAX_NODES) {
        reading_fail(reading, "it has more than %d nodes", MAX_NODES);
        return;
    }
    ARENA_ROOM(reading->arena, graph->nodes, graph->node_count, graph->node_capacity);
    graph->nodes[graph->node_count++] = read_node(reading, at);
}

/* -- inputs and outputs -- */

static OnnxDim read_dim(Reading *reading, WireReader at) {
    OnnxDim dim = {.param = ""};
    WireField field;
    while (wire_next(&at, &field)) {
        if (field.number == DIM_value) dim.value = (int64_t)field.value, dim.param = NULL;
        if (field.number == DIM_param) dim.param = reading_text(&at, &field, reading->arena);
    }
    if (!dim.param && (dim.value < 0 || dim.value > SHAPE_MAX_ELEMENTS))
        reading_fail(reading, "an axis of an input or an output has %lld elements",
                     (long long)dim.value);
    if (!dim.param && dim.value == 0)
        dim.param = ""; /* some exporters write 0 for a size that is not known */
    reading_check(reading, &at, "a shape");
    return dim;
}

static void read_shape(Reading *reading, WireReader at, OnnxValue *value) {
    WireField field;
    value->has_shape = true;
    while (wire_next(&at, &field)) {
        if (field.number != SHAPE_dim) continue;
        if (value->rank == ONNX_MAX_RANK) {
            reading_fail(reading, "'%.100s' has more than %d axes", value->name, ONNX_MAX_RANK);
            return;
        }
        value->dims[value->rank++] = read_dim(reading, wire_message(&at, &field));
    }
    reading_check(reading, &at, "a shape");
}

static void read_type(Reading *reading, WireReader at, OnnxValue *value) {
    WireField field;
    while (wire_next(&at, &field)) {
        if (field.number != TYPE_tensor_type) continue;
        WireReader tensor = wire_message(&at, &field);
        WireField part;
        while (wire_next(&tensor, &part)) {
            if (part.number == TENSOR_TYPE_elem_type) value->type = (OnnxType)part.value;
            if (part.number == TENSOR_TYPE_shape)
                read_shape(reading, wire_message(&tensor, &part), value);
        }
        reading_check(reading, &tensor, "a type");
    }
    reading_check(reading, &at, "a type");
}

static OnnxValue read_value(Reading *reading, WireReader at) {
    OnnxValue value = {.name = ""};
    WireReader again = at;
    WireField field;
    while (wire_next(&at, &field))
        if (field.number == VALUE_name) value.name = reading_text(&at, &field, reading->arena);
    while (wire_next(&again, &field))
        if (field.number == VALUE_type) read_type(reading, wire_message(&again, &field), &value);
    reading_check(reading, &again, "an input or an output");
    return value;
}

/* -- graphs, functions, the model -- */

static void read_graph(Reading *reading, WireReader at, OnnxGraph *graph) {
    WireField field;
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case GRAPH_node: add_node(reading, graph, wire_message(&at, &field)); break;
        case GRAPH_initializer:
            ARENA_ROOM(reading->arena, graph->tensors, graph->tensor_count, graph->tensor_capacity);
            graph->tensors[graph->tensor_count++] =
                reading_tensor(reading, wire_message(&at, &field));
            break;
        case GRAPH_sparse_initializer:
            reading_fail(reading, "it has sparse tensors, which are not supported");
            break;
        case GRAPH_input:
            ARENA_ROOM(reading->arena, graph->inputs, graph->input_count, graph->input_capacity);
            graph->inputs[graph->input_count++] = read_value(reading, wire_message(&at, &field));
            break;
        case GRAPH_output:
            ARENA_ROOM(reading->arena, graph->outputs, graph->output_count, graph->output_capacity);
            graph->outputs[graph->output_count++] = read_value(reading, wire_message(&at, &field));
            break;
        default: break;
        }
    reading_check(reading, &at, "the graph");
}

static void read_function(Reading *reading, WireReader at, OnnxFunction *function) {
    Texts inputs = {0}, outputs = {0};
    WireField field;
    *function = (OnnxFunction){.name = "", .domain = ""};
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case FUNCTION_name: function->name = reading_text(&at, &field, reading->arena); break;
        case FUNCTION_domain: function->domain = reading_text(&at, &field, reading->arena); break;
        case FUNCTION_input:
            append_text(reading, &inputs, reading_text(&at, &field, reading->arena));
            break;
        case FUNCTION_output:
            append_text(reading, &outputs, reading_text(&at, &field, reading->arena));
            break;
        case FUNCTION_node: add_node(reading, &function->body, wire_message(&at, &field)); break;
        default: break;
        }
    reading_check(reading, &at, "a function");
    function->inputs = inputs.items;
    function->input_count = inputs.count;
    function->outputs = outputs.items;
    function->output_count = outputs.count;
}

static void read_opset(Reading *reading, WireReader at) {
    const char *domain = "";
    int64_t version = 0;
    WireField field;
    while (wire_next(&at, &field)) {
        if (field.number == OPSET_domain) domain = reading_text(&at, &field, reading->arena);
        if (field.number == OPSET_version) version = (int64_t)field.value;
    }
    if (!*domain || !strcmp(domain, "ai.onnx")) reading->model->opset = version;
    reading_check(reading, &at, "the list of opsets");
}

static bool read_model(Reading *reading, WireReader at) {
    OnnxModel *model = reading->model;
    bool graph = false;
    WireField field;
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case MODEL_producer_name:
            model->producer = reading_text(&at, &field, reading->arena);
            break;
        case MODEL_graph:
            graph = true;
            read_graph(reading, wire_message(&at, &field), &model->graph);
            break;
        case MODEL_opset_import: read_opset(reading, wire_message(&at, &field)); break;
        case MODEL_functions:
            if (model->function_count == MAX_FUNCTIONS)
                return reading_fail(reading, "it has more than %d functions", MAX_FUNCTIONS);
            ARENA_ROOM(reading->arena, model->functions, model->function_count,
                       model->function_capacity);
            read_function(reading, wire_message(&at, &field),
                          &model->functions[model->function_count++]);
            break;
        default: break;
        }
    return reading_check(reading, &at, "the model") &&
           (graph || reading_fail(reading, "it has no graph"));
}

OnnxModel *onnx_read_bytes(const void *bytes, size_t length, const char *path, Arena *arena,
                           Diagnostics *diag) {
    OnnxModel *model = ARENA_NEW(arena, OnnxModel);
    *model = (OnnxModel){.path = path, .producer = "", .opset = 1};
    Reading reading = {model, arena, diag, false};
    return read_model(&reading, wire_open(bytes, length)) ? model : NULL;
}

OnnxModel *onnx_read(const char *path, Arena *arena, Diagnostics *diag) {
    size_t length;
    void *bytes = reading_file(path, &length);
    if (!bytes) {
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot read '%s': %s", path, file_reason(errno));
        return NULL;
    }
    OnnxModel *model = onnx_read_bytes(bytes, length, path, arena, diag);
    free(bytes);
    return model;
}

const OnnxAttribute *onnx_attribute(const OnnxNode *node, const char *name) {
    for (uint32_t i = 0; i < node->attribute_count; i++)
        if (!strcmp(node->attributes[i].name, name)) return &node->attributes[i];
    return NULL;
}

const char *onnx_node_text(const OnnxNode *node, Arena *arena) {
    const char *name = *node->name ? node->name : node->output_count ? node->outputs[0] : "";
    return arena_format(arena, "%.100s%s%.100s '%.100s' (byte %zu)", node->domain,
                        *node->domain ? "." : "", node->op, name, node->offset);
}
