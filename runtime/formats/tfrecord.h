/* TFRecord files: a sequence of records, each with checksums.
 *
 *   8 bytes   the length of the record, little-endian
 *   4 bytes   the masked CRC-32C of these 8 bytes
 *   length    the record
 *   4 bytes   the masked CRC-32C of the record
 *
 * CRC-32C is the cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4).
 * Masked: rotated right by 15 bits, plus 0xa282ead8, because checksums of texts that hold checksums
 * are weak. */
#ifndef MLC_RUNTIME_FORMATS_TFRECORD_H
#define MLC_RUNTIME_FORMATS_TFRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes a record and flushes the stream. false with errno set. */
bool tfrecord_write(FILE *out, const void *record, size_t length);
/* Finds the record at bytes[*at, length) and moves *at to its end. false at the end, and at a
 * record that is cut off or damaged. */
bool tfrecord_next(const char *bytes, size_t length, size_t *at, const char **record, size_t *size);

#endif
