/* Characters of UTF-8 as RFC 3629 has them: the shortest form only, no surrogates, up to
 * U+10FFFF. */
#include "ir/base/utf8.h"

uint32_t utf8_code(const char *text, size_t length) {
    static const uint8_t payload[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (uint8_t)text[0] & payload[length];
    for (size_t i = 1; i < length; i++) code = code << 6 | ((uint8_t)text[i] & 0x3f);
    return code;
}

size_t utf8_length(const char *text, size_t bytes) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes ? (uint8_t)text[0] : 0xff;
    size_t length = first < 0x80         ? 1
                    : first >> 5 == 0x6  ? 2
                    : first >> 4 == 0xe  ? 3
                    : first >> 3 == 0x1e ? 4
                                         : 0;
    if (length > bytes) return 0;
    for (size_t i = 1; i < length; i++)
        if (((uint8_t)text[i] & 0xc0) != 0x80) return 0;
    uint32_t code = length ? utf8_code(text, length) : 0;
    return code < smallest[length] || code > 0x10ffff || code >> 11 == 0x1b ? 0 : length;
}

bool utf8_is_valid(const char *text, size_t bytes) {
    for (size_t at = 0, length; at < bytes; at += length)
        if (!(length = utf8_length(text + at, bytes - at))) return false;
    return true;
}
