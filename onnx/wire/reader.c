/* Reading protobuf messages. */
#include "onnx/wire/reader.h"

#include <string.h>

WireReader wire_open(const void *bytes, size_t length) {
    return (WireReader){bytes, bytes, (const uint8_t *)bytes + length, false};
}

/* At most ten bytes, of which the last one has a single bit of the number. */
static bool take_varint(WireReader *reader, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1) break;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

static bool take_fixed(WireReader *reader, size_t bytes, uint64_t *value) {
    if ((size_t)(reader->end - reader->at) < bytes) return false;
    *value = 0;
    for (size_t i = 0; i < bytes; i++) *value |= (uint64_t)reader->at[i] << 8 * i;
    reader->at += bytes;
    return true;
}

static bool take_value(WireReader *reader, WireField *field) {
    switch (field->type) {
    case WIRE_VARINT: return take_varint(reader, &field->value);
    case WIRE_FIXED32: return take_fixed(reader, 4, &field->value);
    case WIRE_FIXED64: return take_fixed(reader, 8, &field->value);
    case WIRE_BYTES: break;
    default: return false;
    }
    uint64_t length;
    if (!take_varint(reader, &length) || length > (uint64_t)(reader->end - reader->at))
        return false;
    field->bytes = reader->at;
    field->length = (size_t)length;
    reader->at += length;
    return true;
}

bool wire_next(WireReader *reader, WireField *field) {
    uint64_t key;
    if (reader->damaged || reader->at == reader->end) return false;
    bool good = take_varint(reader, &key) && key >> 3 && key >> 3 <= UINT32_MAX;
    *field = (WireField){.number = (uint32_t)(key >> 3), .type = (WireType)(key & 7)};
    if (good && take_value(reader, field)) return true;
    reader->damaged = true;
    return false;
}

WireReader wire_message(WireReader *reader, const WireField *field) {
    if (field->type == WIRE_BYTES)
        return (WireReader){reader->begin, field->bytes, field->bytes + field->length, false};
    reader->damaged = true;
    return (WireReader){reader->begin, reader->end, reader->end, true};
}

const char *wire_string(const WireField *field, Arena *arena) {
    return arena_copy_string(arena, (const char *)field->bytes, field->length);
}

float wire_f32(const WireField *field) {
    uint32_t bits = (uint32_t)field->value;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void append(WireNumbers *numbers, Arena *arena, uint64_t value) {
    ARENA_ROOM(arena, numbers->items, numbers->count, numbers->capacity);
    numbers->items[numbers->count++] = value;
}

bool wire_numbers(const WireField *field, WireType type, Arena *arena, WireNumbers *numbers) {
    if (field->type == type) return append(numbers, arena, field->value), true;
    if (field->type != WIRE_BYTES) return false;
    WireReader packed = wire_open(field->bytes, field->length);
    WireField item = {.type = type};
    while (packed.at < packed.end) {
        if (!take_value(&packed, &item)) return false;
        append(numbers, arena, item.value);
    }
    return true;
}
