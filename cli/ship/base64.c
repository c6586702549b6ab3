/* Three bytes become four characters. '=' stands for characters that are not needed at the end. */
#include "cli/ship/base64.h"

#include <stdint.h>

void base64_write(FILE *out, const void *bytes, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t word = (uint32_t)from[i] << 16;
        if (left > 1) word |= (uint32_t)from[i + 1] << 8;
        if (left > 2) word |= from[i + 2];
        fputc(digits[word >> 18], out);
        fputc(digits[word >> 12 & 63], out);
        fputc(left > 1 ? digits[word >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[word & 63] : '=', out);
    }
}
