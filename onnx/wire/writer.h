/* Writing protobuf messages. A message is a sequence of fields: a key (number and type), then the
 * value.
 *
 *   size_t node = wire_begin(writer, GRAPH_node);      a field that is a message itself
 *   wire_text(writer, NODE_op_type, "Relu");
 *   wire_end(writer, node);                            its length, which stands before it, is known
 *   now */
#ifndef MLC_ONNX_WIRE_WRITER_H
#define MLC_ONNX_WIRE_WRITER_H

#include "onnx/wire/fields.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *bytes; /* owned */
    size_t length, capacity;
} WireWriter;

void wire_free(WireWriter *writer); /* empty again */

void wire_int(WireWriter *writer, uint32_t field, int64_t value);
void wire_float(WireWriter *writer, uint32_t field, float value);
void wire_double(WireWriter *writer, uint32_t field, double value);
void wire_text(WireWriter *writer, uint32_t field, const char *text);
void wire_bytes(WireWriter *writer, uint32_t field, const void *bytes, size_t length);
/* Appends fields that were written apart. */
void wire_raw(WireWriter *writer, const WireWriter *fields);

size_t wire_begin(WireWriter *writer, uint32_t field);
void wire_end(WireWriter *writer, size_t begun);

#endif
