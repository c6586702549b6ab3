/* Tensors of an ONNX file: their numbers are decoded, real ones to f32 and whole ones to i64. */
#include "ir/ops/shapes.h"
#include "onnx/in/reading.h"

#include <stdlib.h>
#include <string.h>

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

/* From IEEE half (1 sign bit, 5 of the exponent, 10 of the fraction) to f32: the bits are moved to
 * the places of f32. */
static float half_value(uint16_t half) {
    uint32_t sign = (uint32_t)(half >> 15) << 31, bits = (uint32_t)(half & 0x7fff) << 13;
    float value,
        scale = 0x1p112F; /* the difference between the biases of the exponents, as a factor */
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

float reading_f32(uint64_t bits) {
    uint32_t single = (uint32_t)bits;
    float value;
    memcpy(&value, &single, sizeof value);
    return value;
}

static void put_number(OnnxTensor *tensor, int row, int64_t at, uint64_t bits) {
    if (types[row].real) {
        double wide;
        memcpy(&wide, &bits, sizeof wide);
        tensor->reals[at] = tensor->type == ONNX_FLOAT16    ? half_value((uint16_t)bits)
                            : tensor->type == ONNX_DOUBLE   ? (float)wide
                            : tensor->type == ONNX_BFLOAT16 ? reading_f32(bits << 16)
                                                            : reading_f32(bits);
        return;
    }
    size_t size = 8 * types[row].bytes;
    bool negative = size < 64 && types[row].is_signed && bits >> (size - 1) & 1;
    tensor->wholes[at] = (int64_t)(negative ? bits | ~UINT64_C(0) << size : bits);
}

static void put_raw(OnnxTensor *tensor, int row, const uint8_t *bytes) {
    size_t size = types[row].bytes;
    for (int64_t i = 0; i < tensor->count; i++) {
        uint64_t bits = 0;
        for (size_t k = 0; k < size; k++) bits |= (uint64_t)bytes[(size_t)i * size + k] << 8 * k;
        put_number(tensor, row, i, bits);
    }
}

/* The fields of a tensor's message, before its numbers are decoded. */
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
        if (field.number == ENTRY_key) key = reading_text(&at, &field, reading->arena);
        if (field.number == ENTRY_value) value = reading_text(&at, &field, reading->arena);
    }
    reading_check(reading, &at, "a tensor");
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
        case TENSOR_name: tensor->name = reading_text(at, &field, reading->arena); break;
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
        return reading_fail(reading, "the tensor '%.100s' has %u axes; at most %d are supported",
                            tensor->name, raw->dims.count, ONNX_MAX_RANK);
    tensor->rank = (int)raw->dims.count;
    tensor->count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        tensor->dims[i] = (int64_t)raw->dims.items[i];
        bool small = tensor->dims[i] >= 0 &&
                     !__builtin_mul_overflow(tensor->count, tensor->dims[i], &tensor->count) &&
                     tensor->count <= SHAPE_MAX_ELEMENTS;
        if (!small)
            return reading_fail(reading, "axis %d of the tensor '%.100s' has %lld elements", i,
                                tensor->name, (long long)tensor->dims[i]);
    }
    return true;
}

static bool take_numbers(Reading *reading, const RawTensor *raw, OnnxTensor *tensor) {
    int row = type_row(raw->type);
    tensor->type = (OnnxType)raw->type;
    if (raw->text || tensor->type == ONNX_STRING)
        return tensor->count = 0, tensor->rank = 0, true; /* texts are only names of classes */
    if (row < 0)
        return reading_fail(reading, "the tensor '%.100s' is of type %lld, which is not supported",
                            tensor->name, (long long)raw->type);
    size_t bytes = (size_t)tensor->count * types[row].bytes;
    const uint8_t *stored = raw->raw;
    size_t length = raw->raw_length;
    if (raw->external) {
        if (!raw->place.location)
            return reading_fail(reading, "the tensor '%.100s' is in another file without a name",
                                tensor->name);
        if (!(stored = reading_external(reading, &raw->place, bytes))) return false;
        length = bytes;
    }
    bool typed = !stored && (int64_t)raw->numbers.count == tensor->count;
    if (!typed && (!stored ? tensor->count > 0 : length != bytes))
        return reading_fail(reading, "the elements of the tensor '%.100s' do not fit its shape",
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

OnnxTensor *reading_tensor(Reading *reading, WireReader at) {
    RawTensor raw = {0};
    OnnxTensor *tensor = ARENA_NEW(reading->arena, OnnxTensor);
    tensor->name = "";
    read_tensor_fields(reading, &at, &raw, tensor);
    bool good = reading_check(reading, &at, "a tensor") && take_dims(reading, &raw, tensor) &&
                take_numbers(reading, &raw, tensor);
    return good ? tensor : NULL;
}
