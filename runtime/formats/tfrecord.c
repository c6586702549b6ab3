/* TFRecord files. */
#include "runtime/formats/tfrecord.h"

#include <string.h>

enum { LENGTH = 8, CHECK = 4 };
#define POLYNOMIAL 0x82f63b78u /* Castagnoli's, lowest bit first */
#define MASK 0xa282ead8u

static uint32_t crc32c(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return ~crc;
}

static uint32_t masked(const void *bytes, size_t length) {
    uint32_t crc = crc32c(bytes, length);
    return (crc >> 15 | crc << 17) + MASK;
}

static void put_number(uint8_t *to, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t get_number(const char *from, int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++) number |= (uint64_t)(uint8_t)from[i] << 8 * i;
    return number;
}

bool tfrecord_write(FILE *out, const void *record, size_t length) {
    uint8_t head[LENGTH + CHECK], tail[CHECK];
    put_number(head, length, LENGTH);
    put_number(head + LENGTH, masked(head, LENGTH), CHECK);
    put_number(tail, masked(record, length), CHECK);
    return fwrite(head, sizeof head, 1, out) == 1 && fwrite(record, 1, length, out) == length &&
           fwrite(tail, sizeof tail, 1, out) == 1 && fflush(out) == 0;
}

bool tfrecord_next(const char *bytes, size_t length, size_t *at, const char **record,
                   size_t *size) {
    const char *head = bytes + *at;
    size_t left = length - *at;
    if (left < LENGTH + CHECK || get_number(head + LENGTH, CHECK) != masked(head, LENGTH))
        return false;
    uint64_t stated = get_number(head, LENGTH);
    left -= LENGTH + CHECK;
    if (left < CHECK || stated > left - CHECK) return false;
    *record = head + LENGTH + CHECK;
    *size = (size_t)stated;
    if (get_number(*record + *size, CHECK) != masked(*record, *size)) return false;
    *at += LENGTH + CHECK + *size + CHECK;
    return true;
}
