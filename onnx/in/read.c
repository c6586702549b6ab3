/* From the bytes of an ONNX file to its messages. Nothing in them is trusted: sizes are checked
 * before memory is taken, and no more is taken than a small multiple of the bytes that are
 * there. */
#include "onnx/in/model.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"
#include "ir/ops/shapes.h"
#include "onnx/wire/reader.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NODES = 100000, MAX_MODEL_BYTES = INT32_MAX, MAX_FUNCTIONS = 1000 };

typedef struct {
    OnnxModel *model;
    Arena *arena;
    Diagnostics *diag;
    bool failed;
} Reading;

static bool fail(Reading *reading, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(Reading *reading, const char *format, ...) {
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

/* To be called after the fields of a message: whether they were sound. */
static bool check(Reading *reading, const WireReader *at, const char *what) {
    if (at->damaged)
        fail(reading, "a field of %s is damaged (byte %zu)", what, (size_t)(at->at - at->begin));
    return !reading->failed;
}

/* Text fields only: a number where a text is wanted is damage. */
static const char *text_of(WireReader *at, const WireField *field, Arena *arena) {
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

/* -- files -- */

static bool read_part(int file, uint64_t offset, void *bytes, size_t length) {
    for (size_t got = 0; got < length;) {
        ssize_t n = pread(file, (char *)bytes + got, length - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

/* The bytes of a file, to be freed; NULL with errno set. */
static void *file_bytes(const char *path, size_t *length) {
    uint64_t size;
    int file = file_open(path, &size);
    if (file < 0) return NULL;
    void *bytes = size < SIZE_MAX ? memory_try_grow(NULL, (size_t)size + 1) : NULL;
    if (!bytes) errno = ENOMEM;
    bool good = bytes && (errno = EIO, read_part(file, 0, bytes, (size_t)size));
    close(file);
    *length = (size_t)size;
    if (good) return bytes;
    free(bytes);
    return NULL;
}

/* A name beside the model: no way out of its folder by "..", by a root or by a link. */
static bool stays_beside(const char *location) {
    if (!*location || *location == '/') return false;
    for (const char *part = location; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/')) return false;
    return true;
}

static bool resolves_beside(const char *folder, const char *path) {
    char base[PATH_MAX], target[PATH_MAX];
    if (!realpath(folder, base) || !realpath(path, target))
        return true; /* opening it will say why */
    size_t length = strlen(base);
    return !strncmp(base, target, length) && (target[length] == '/' || !strcmp(base, "/"));
}

typedef struct {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} External;

/* Reads the bytes that a tensor has in another file; `wanted` is what its shape says. */
static const uint8_t *external_bytes(Reading *reading, const External *external, size_t wanted) {
    const char *model = reading->model->path, *slash = strrchr(model, '/');
    const char *folder =
        slash ? arena_copy_string(reading->arena, model, (size_t)(slash - model) + 1) : "./";
    const char *path = arena_format(reading->arena, "%s%s", folder, external->location);
    if (!stays_beside(external->location) || !resolves_beside(folder, path))
        return fail(reading, "its weights are said to be in '%.100s', which is not in its folder",
                    external->location),
               NULL;
    uint64_t there = 0;
    int file = file_open(path, &there);
    if (file < 0) {
        diag_error(reading->diag, STATUS_FILE, (Span){0},
                   "cannot read '%s', which holds weights of '%s': %s", path, model,
                   file_reason(errno));
        diag_help(reading->diag, "the exporter wrote two files; they belong into the same folder");
        reading->failed = true;
        return NULL;
    }
    bool fits = external->offset <= there && wanted <= there - external->offset &&
                (!external->has_length || external->length == wanted);
    uint8_t *bytes = fits ? arena_alloc(reading->arena, wanted + 1) : NULL;
    bool good = bytes && read_part(file, external->offset, bytes, wanted);
    close(file);
    if (!good)
        fail(reading, "a tensor of %zu bytes does not lie in '%.100s'", wanted, external->location);
    return good ? bytes : NULL;
}

/* -- tensors -- */

/* How the numbers of a type are stored. */
static const struct {
    OnnxType type;
    size_t bytes;
    bool real, is_signed;
} types[] = {
    {ONNX_FLOAT, 4, true, true},    {ONNX_UINT8, 1, false, false},  {ONNX_INT8, 1, false, true},
    {ONNX_UINT16, 2, false, false}, {ONNX_INT16, 2, false, true},   {ONNX_INT32, 4, false, true},
    {ONNX_INT64, 8, false, true},   {ONNX_BOOL, 1, false, false},   {ONNX_FLOAT16, 2, true, true},
    {ONNX_DOUBLE, 8, true, true},   {ONNX_UINT32, 4, false, false}, {ONNX_UINT64, 8, false, false},
    {ONNX_BFLOAT16, 2, true, true}};
enum { TYPES = sizeof types / sizeof *types };

static int type_row(int64_t type) {
    for (int i = 0; i < TYPES; i++)
        if ((int64_t)types[i].type == type) return i;
    return -1;
}

/* IEEE half: 1 bit of sign, 5 of the exponent, 10 of the fraction, placed where those of f32
 * are. */
static float half_value(uint16_t half) {
    uint32_t sign = (uint32_t)(half >> 15) << 31, bits = (uint32_t)(half & 0x7fff) << 13;
    float value, scale = 0x1p112F; /* the difference of the exponents' biases, as a factor */
    if ((half & 0x7c00) == 0x7c00) {
        bits |= UINT32_C(0x7f800000);
        scale = 1;
    }
    memcpy(&value, &bits, sizeof value);
    value *= scale;
    memcpy(&bits, &value, sizeof bits);
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float real_value(OnnxType type, uint64_t bits) {
    uint32_t single = type == ONNX_BFLOAT16 ? (uint32_t)bits << 16 : (uint32_t)bits;
    float f;
    double d;
    memcpy(&f, &single, sizeof f);
    memcpy(&d, &bits, sizeof d);
    return type == ONNX_FLOAT16 ? half_value((uint16_t)bits) : type == ONNX_DOUBLE ? (float)d : f;
}

static int64_t whole_value(int row, uint64_t bits) {
    size_t size = 8 * types[row].bytes;
    if (size < 64 && types[row].is_signed && bits >> (size - 1) & 1) bits |= ~UINT64_C(0) << size;
    return (int64_t)bits;
}

static void put_number(OnnxTensor *tensor, int row, int64_t at, uint64_t bits) {
    if (types[row].real)
        tensor->reals[at] = real_value(tensor->type, bits);
    else
        tensor->wholes[at] = whole_value(row, bits);
}

static void put_raw(OnnxTensor *tensor, int row, const uint8_t *bytes) {
    size_t size = types[row].bytes;
    for (int64_t i = 0; i < tensor->count; i++) {
        uint64_t bits = 0;
        for (size_t k = 0; k < size; k++) bits |= (uint64_t)bytes[(size_t)i * size + k] << 8 * k;
        put_number(tensor, row, i, bits);
    }
}

/* What a tensor's message holds, before it is known what its numbers are. */
typedef struct {
    WireNumbers dims, numbers;
    const uint8_t *raw;
    size_t raw_length;
    int64_t type;
    bool external, text;
    External place;
} RawTensor;

static void read_entry(Reading *reading, WireReader at, External *place) {
    WireField field;
    const char *key = "", *value = "";
    while (wire_next(&at, &field)) {
        if (field.number == ENTRY_key) key = text_of(&at, &field, reading->arena);
        if (field.number == ENTRY_value) value = text_of(&at, &field, reading->arena);
    }
    check(reading, &at, "a tensor");
    if (!strcmp(key, "location")) place->location = value;
    if (!strcmp(key, "offset")) place->offset = strtoull(value, NULL, 10);
    if (!strcmp(key, "length")) place->length = strtoull(value, NULL, 10), place->has_length = true;
}

static void read_tensor_fields(Reading *reading, WireReader *at, RawTensor *raw,
                               OnnxTensor *tensor) {
    WireField field;
    bool good = true;
    while (good && wire_next(at, &field)) switch (field.number) {
        case TENSOR_dims:
            good = wire_numbers(&field, WIRE_VARINT, reading->arena, &raw->dims);
            break;
        case TENSOR_data_type: raw->type = (int64_t)field.value; break;
        case TENSOR_float_data:
            good = wire_numbers(&field, WIRE_FIXED32, reading->arena, &raw->numbers);
            break;
        case TENSOR_int32_data:
        case TENSOR_int64_data:
        case TENSOR_uint64_data:
            good = wire_numbers(&field, WIRE_VARINT, reading->arena, &raw->numbers);
            break;
        case TENSOR_double_data:
            good = wire_numbers(&field, WIRE_FIXED64, reading->arena, &raw->numbers);
            break;
        case TENSOR_string_data: raw->text = true; break;
        case TENSOR_name: tensor->name = text_of(at, &field, reading->arena); break;
        case TENSOR_raw_data:
            good = field.type == WIRE_BYTES;
            raw->raw = field.bytes;
            raw->raw_length = field.length;
            break;
        case TENSOR_external_data:
            read_entry(reading, wire_message(at, &field), &raw->place);
            break;
        case TENSOR_data_location: raw->external = field.value == 1; break;
        default: break;
        }
    at->damaged |= !good;
}

static bool take_dims(Reading *reading, const RawTensor *raw, OnnxTensor *tensor) {
    if (raw->dims.count > ONNX_MAX_RANK)
        return fail(reading, "the tensor '%.100s' has %u axes; at most %d are supported",
                    tensor->name, raw->dims.count, ONNX_MAX_RANK);
    tensor->rank = (int)raw->dims.count;
    tensor->count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        tensor->dims[i] = (int64_t)raw->dims.items[i];
        bool small = tensor->dims[i] >= 0 &&
                     !__builtin_mul_overflow(tensor->count, tensor->dims[i], &tensor->count) &&
                     tensor->count <= SHAPE_MAX_ELEMENTS;
        if (!small)
            return fail(reading, "axis %d of the tensor '%.100s' has %lld elements", i,
                        tensor->name, (long long)tensor->dims[i]);
    }
    return true;
}

static bool take_numbers(Reading *reading, const RawTensor *raw, OnnxTensor *tensor) {
    int row = type_row(raw->type);
    tensor->type = (OnnxType)raw->type;
    if (raw->text || tensor->type == ONNX_STRING)
        return tensor->count = 0, tensor->rank = 0,
               true; /* only names of classes: nobody computes with it */
    if (row < 0)
        return fail(reading, "the tensor '%.100s' is of type %lld, which is not supported",
                    tensor->name, (long long)raw->type);
    size_t bytes = (size_t)tensor->count * types[row].bytes;
    const uint8_t *stored = raw->raw;
    size_t length = raw->raw_length;
    if (raw->external) {
        if (!raw->place.location)
            return fail(reading, "the tensor '%.100s' is in another file without a name",
                        tensor->name);
        if (!(stored = external_bytes(reading, &raw->place, bytes))) return false;
        length = bytes;
    }
    bool typed = !stored && (int64_t)raw->numbers.count == tensor->count;
    if (!typed && (!stored ? tensor->count > 0 : length != bytes))
        return fail(reading, "the tensor '%.100s' has other elements than its shape says",
                    tensor->name);
    if (types[row].real)
        tensor->reals = ARENA_ARRAY(reading->arena, float, tensor->count);
    else
        tensor->wholes = ARENA_ARRAY(reading->arena, int64_t, tensor->count);
    if (stored) put_raw(tensor, row, stored);
    for (uint32_t i = 0; i < raw->numbers.count && !stored; i++)
        put_number(tensor, row, i, raw->numbers.items[i]);
    return true;
}

static OnnxTensor *read_tensor(Reading *reading, WireReader at) {
    RawTensor raw = {0};
    OnnxTensor *tensor = ARENA_NEW(reading->arena, OnnxTensor);
    tensor->name = "";
    read_tensor_fields(reading, &at, &raw, tensor);
    bool good = check(reading, &at, "a tensor") && take_dims(reading, &raw, tensor) &&
                take_numbers(reading, &raw, tensor);
    return good ? tensor : NULL;
}

/* -- nodes -- */

static int64_t *signed_numbers(const WireNumbers *numbers) { return (int64_t *)numbers->items; }

static const float *real_numbers(Reading *reading, const WireNumbers *numbers) {
    float *reals = ARENA_ARRAY(reading->arena, float, numbers->count);
    for (uint32_t i = 0; i < numbers->count; i++)
        reals[i] = real_value(ONNX_FLOAT, numbers->items[i]);
    return reals;
}

static OnnxAttribute read_attribute(Reading *reading, WireReader at) {
    OnnxAttribute attribute = {.name = "", .s = ""};
    WireNumbers ints = {0}, floats = {0};
    Texts strings = {0};
    WireField field;
    bool good = true;
    int64_t kind = 0;
    while (good && wire_next(&at, &field)) switch (field.number) {
        case ATTRIBUTE_name: attribute.name = text_of(&at, &field, reading->arena); break;
        case ATTRIBUTE_ref_attr_name:
            attribute.reference = text_of(&at, &field, reading->arena);
            break;
        case ATTRIBUTE_f:
            attribute.f = wire_f32(&field), attribute.kind = ONNX_ATTRIBUTE_FLOAT;
            break;
        case ATTRIBUTE_i:
            attribute.i = (int64_t)field.value, attribute.kind = ONNX_ATTRIBUTE_INT;
            break;
        case ATTRIBUTE_s:
            attribute.s = text_of(&at, &field, reading->arena),
            attribute.kind = ONNX_ATTRIBUTE_STRING;
            break;
        case ATTRIBUTE_t:
            attribute.t = read_tensor(reading, wire_message(&at, &field)),
            attribute.kind = ONNX_ATTRIBUTE_TENSOR;
            break;
        case ATTRIBUTE_g:
            attribute.kind = ONNX_ATTRIBUTE_GRAPH;
            break; /* whoever has a body is not supported */
        case ATTRIBUTE_floats:
            good = wire_numbers(&field, WIRE_FIXED32, reading->arena, &floats),
            attribute.kind = ONNX_ATTRIBUTE_FLOATS;
            break;
        case ATTRIBUTE_ints:
            good = wire_numbers(&field, WIRE_VARINT, reading->arena, &ints),
            attribute.kind = ONNX_ATTRIBUTE_INTS;
            break;
        case ATTRIBUTE_strings:
            append_text(reading, &strings, text_of(&at, &field, reading->arena)),
                attribute.kind = ONNX_ATTRIBUTE_STRINGS;
            break;
        case ATTRIBUTE_type: kind = (int64_t)field.value; break;
        default: break;
        }
    at.damaged |= !good;
    check(reading, &at, "an attribute");
    if (kind == ONNX_ATTRIBUTE_FLOATS || kind == ONNX_ATTRIBUTE_INTS ||
        kind == ONNX_ATTRIBUTE_STRINGS)
        attribute.kind = (OnnxAttributeKind)kind; /* empty lists have no elements to tell by */
    attribute.ints = signed_numbers(&ints);
    attribute.floats = real_numbers(reading, &floats);
    attribute.strings = strings.items;
    attribute.count = attribute.kind == ONNX_ATTRIBUTE_INTS     ? ints.count
                      : attribute.kind == ONNX_ATTRIBUTE_FLOATS ? floats.count
                                                                : strings.count;
    return attribute;
}

static OnnxNode read_node(Reading *reading, WireReader at) {
    OnnxNode node = {.name = "", .op = "", .domain = "", .offset = (size_t)(at.at - at.begin)};
    Texts inputs = {0}, outputs = {0};
    OnnxAttribute *attributes = NULL;
    uint32_t capacity = 0;
    WireField field;
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case NODE_input: append_text(reading, &inputs, text_of(&at, &field, reading->arena)); break;
        case NODE_output:
            append_text(reading, &outputs, text_of(&at, &field, reading->arena));
            break;
        case NODE_name: node.name = text_of(&at, &field, reading->arena); break;
        case NODE_op_type: node.op = text_of(&at, &field, reading->arena); break;
        case NODE_domain: node.domain = text_of(&at, &field, reading->arena); break;
        case NODE_attribute:
            ARENA_ROOM(reading->arena, attributes, node.attribute_count, capacity);
            attributes[node.attribute_count++] = read_attribute(reading, wire_message(&at, &field));
            break;
        default: break;
        }
    check(reading, &at, "a node");
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
        fail(reading, "it has more than %d nodes", MAX_NODES);
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
        if (field.number == DIM_param) dim.param = text_of(&at, &field, reading->arena);
    }
    if (!dim.param && (dim.value < 0 || dim.value > SHAPE_MAX_ELEMENTS))
        fail(reading, "an axis of an input or an output has %lld elements", (long long)dim.value);
    if (!dim.param && dim.value == 0)
        dim.param = ""; /* some exporters write 0 for a size that is not known */
    check(reading, &at, "a shape");
    return dim;
}

static void read_shape(Reading *reading, WireReader at, OnnxValue *value) {
    WireField field;
    value->has_shape = true;
    while (wire_next(&at, &field)) {
        if (field.number != SHAPE_dim) continue;
        if (value->rank == ONNX_MAX_RANK) {
            fail(reading, "'%.100s' has more than %d axes", value->name, ONNX_MAX_RANK);
            return;
        }
        value->dims[value->rank++] = read_dim(reading, wire_message(&at, &field));
    }
    check(reading, &at, "a shape");
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
        check(reading, &tensor, "a type");
    }
    check(reading, &at, "a type");
}

static OnnxValue read_value(Reading *reading, WireReader at) {
    OnnxValue value = {.name = ""};
    WireReader again = at;
    WireField field;
    while (wire_next(&at, &field))
        if (field.number == VALUE_name) value.name = text_of(&at, &field, reading->arena);
    while (wire_next(&again, &field))
        if (field.number == VALUE_type) read_type(reading, wire_message(&again, &field), &value);
    check(reading, &again, "an input or an output");
    return value;
}

/* -- graphs, functions, the model -- */

static void read_graph(Reading *reading, WireReader at, OnnxGraph *graph) {
    WireField field;
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case GRAPH_node: add_node(reading, graph, wire_message(&at, &field)); break;
        case GRAPH_initializer:
            ARENA_ROOM(reading->arena, graph->tensors, graph->tensor_count, graph->tensor_capacity);
            graph->tensors[graph->tensor_count++] = read_tensor(reading, wire_message(&at, &field));
            break;
        case GRAPH_sparse_initializer:
            fail(reading, "it has sparse tensors, which are not supported");
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
    check(reading, &at, "the graph");
}

static void read_function(Reading *reading, WireReader at, OnnxFunction *function) {
    Texts inputs = {0}, outputs = {0};
    WireField field;
    *function = (OnnxFunction){.name = "", .domain = ""};
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case FUNCTION_name: function->name = text_of(&at, &field, reading->arena); break;
        case FUNCTION_domain: function->domain = text_of(&at, &field, reading->arena); break;
        case FUNCTION_input:
            append_text(reading, &inputs, text_of(&at, &field, reading->arena));
            break;
        case FUNCTION_output:
            append_text(reading, &outputs, text_of(&at, &field, reading->arena));
            break;
        case FUNCTION_node: add_node(reading, &function->body, wire_message(&at, &field)); break;
        default: break;
        }
    check(reading, &at, "a function");
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
        if (field.number == OPSET_domain) domain = text_of(&at, &field, reading->arena);
        if (field.number == OPSET_version) version = (int64_t)field.value;
    }
    if (!*domain || !strcmp(domain, "ai.onnx")) reading->model->opset = version;
    check(reading, &at, "the list of opsets");
}

static bool read_model(Reading *reading, WireReader at) {
    OnnxModel *model = reading->model;
    bool graph = false;
    WireField field;
    while (!reading->failed && wire_next(&at, &field)) switch (field.number) {
        case MODEL_producer_name: model->producer = text_of(&at, &field, reading->arena); break;
        case MODEL_graph:
            graph = true;
            read_graph(reading, wire_message(&at, &field), &model->graph);
            break;
        case MODEL_opset_import: read_opset(reading, wire_message(&at, &field)); break;
        case MODEL_functions:
            if (model->function_count == MAX_FUNCTIONS)
                return fail(reading, "it has more than %d functions", MAX_FUNCTIONS);
            ARENA_ROOM(reading->arena, model->functions, model->function_count,
                       model->function_capacity);
            read_function(reading, wire_message(&at, &field),
                          &model->functions[model->function_count++]);
            break;
        default: break;
        }
    return check(reading, &at, "the model") && (graph || fail(reading, "it has no graph"));
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
    void *bytes = file_bytes(path, &length);
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
