/* Reading protobuf messages. Nothing in the bytes is trusted: a reader never leaves its message,
 * whatever the lengths in it say. WireField field; for (WireReader at = wire_open(bytes,
 * length); wire_next(&at, &field);) if (field.number == GRAPH_node) read_node(wire_message(&at,
 * &field), ...); if (at.damaged) ... */
#ifndef MLC_ONNX_WIRE_READER_H
#define MLC_ONNX_WIRE_READER_H

#include "ir/base/arena.h"
#include "onnx/wire/fields.h"

#include <stdbool.h>

typedef struct {
    const uint8_t *begin; /* of the file: places in messages for the user count from here */
    const uint8_t *at, *end;
    bool damaged; /* a field does not fit into its message, or its key is none */
} WireReader;

typedef struct {
    uint32_t number;
    WireType type;
    uint64_t value;       /* of VARINT, FIXED32 and FIXED64: the bits */
    const uint8_t *bytes; /* of BYTES: [length] */
    size_t length;
} WireField;

WireReader wire_open(const void *bytes, size_t length);
/* Reads the next field; false at the end of the message, or if it is damaged. Groups, an obsolete
 * form of messages, count as damage. */
bool wire_next(WireReader *reader, WireField *field);
/* The reader of a field that is a message. Another type of field makes both damaged. */
WireReader wire_message(WireReader *reader, const WireField *field);
/* A text with a closing NUL, in the arena. */
const char *wire_string(const WireField *field, Arena *arena);
float wire_f32(const WireField *field);
/* Appends the numbers of a repeated field, packed or one a field: varints, or the bits of
 * FIXED32 and FIXED64. false: it is damaged. */
typedef struct {
    uint64_t *items; /* in the arena */
    uint32_t count, capacity;
} WireNumbers;
bool wire_numbers(const WireField *field, WireType type, Arena *arena, WireNumbers *numbers);

#endif
