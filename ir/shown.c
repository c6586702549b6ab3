/* Text as people see it: see ir/shown.h. */
#include "ir/shown.h"
#include "ir/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Bytes that are no UTF-8 are taken one by one. */
static size_t character_bytes(const char *text, size_t bytes) {
    size_t length = utf8_length(text, bytes);
    return length ? length : 1;
}

/* C0, DEL and C1 of ISO 6429 */
static bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

size_t shown_character(const char *text, size_t bytes, FILE *out) {
    size_t length = utf8_length(text, bytes);
    if (*text == '\t')
        fputc(' ', out);
    else if (length == 0 || is_control(utf8_code(text, length)))
        fputc('?', out);
    else
        fwrite(text, 1, length, out);
    return length ? length : 1;
}

void shown_text(const char *text, FILE *out) {
    for (size_t left = strlen(text); left;) {
        size_t length = shown_character(text, left, out);
        text += length;
        left -= length;
    }
}

size_t shown_columns(const char *text, size_t bytes) {
    size_t columns = 0;
    for (size_t at = 0; at < bytes; columns++) at += character_bytes(text + at, bytes - at);
    return columns;
}

size_t shown_fitting(const char *text, size_t columns) {
    size_t bytes = strlen(text), at = 0;
    while (at < bytes && columns-- > 0) at += character_bytes(text + at, bytes - at);
    return at;
}
