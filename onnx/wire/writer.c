/* Writing protobuf messages. */
#include "onnx/wire/writer.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT_MAX = 10 };

void wire_free(WireWriter *writer) {
    free(writer->bytes);
    *writer = (WireWriter){0};
}

static char *room_for(WireWriter *writer, size_t length) {
    if (writer->length + length > writer->capacity) {
        writer->capacity = 2 * (writer->length + length);
        writer->bytes = memory_grow(writer->bytes, writer->capacity, 1, "a protobuf message");
    }
    char *place = writer->bytes + writer->length;
    writer->length += length;
    return place;
}

/* Seven bits a byte, the low ones first; the eighth bit says that more follow. */
static size_t varint(uint64_t value, char bytes[VARINT_MAX]) {
    size_t length = 0;
    for (; value >= 0x80; value >>= 7) bytes[length++] = (char)(value | 0x80);
    bytes[length++] = (char)value;
    return length;
}

static void put_varint(WireWriter *writer, uint64_t value) {
    char bytes[VARINT_MAX];
    size_t length = varint(value, bytes);
    memcpy(room_for(writer, length), bytes, length);
}

static void put_key(WireWriter *writer, uint32_t field, WireType type) {
    put_varint(writer, (uint64_t)field << 3 | type);
}

void wire_int(WireWriter *writer, uint32_t field, int64_t value) {
    put_key(writer, field, WIRE_VARINT);
    put_varint(writer, (uint64_t)value);
}

void wire_float(WireWriter *writer, uint32_t field, float value) {
    put_key(writer, field, WIRE_FIXED32);
    memcpy(room_for(writer, sizeof value), &value, sizeof value);
}

void wire_double(WireWriter *writer, uint32_t field, double value) {
    put_key(writer, field, WIRE_FIXED64);
    memcpy(room_for(writer, sizeof value), &value, sizeof value);
}

void wire_bytes(WireWriter *writer, uint32_t field, const void *bytes, size_t length) {
    put_key(writer, field, WIRE_BYTES);
    put_varint(writer, length);
    if (length) memcpy(room_for(writer, length), bytes, length);
}

void wire_text(WireWriter *writer, uint32_t field, const char *text) {
    wire_bytes(writer, field, text, strlen(text));
}

void wire_raw(WireWriter *writer, const WireWriter *fields) {
    if (fields->length) memcpy(room_for(writer, fields->length), fields->bytes, fields->length);
}

size_t wire_begin(WireWriter *writer, uint32_t field) {
    put_key(writer, field, WIRE_BYTES);
    return writer->length;
}

/* The length comes before the message: it is moved up by as many bytes as the length takes. */
void wire_end(WireWriter *writer, size_t begun) {
    char bytes[VARINT_MAX];
    size_t content = writer->length - begun, length = varint(content, bytes);
    room_for(writer, length);
    memmove(writer->bytes + begun + length, writer->bytes + begun, content);
    memcpy(writer->bytes + begun, bytes, length);
}
