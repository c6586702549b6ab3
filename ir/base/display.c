/* Text that came from users, made fit to print. */
#include "ir/base/display.h"
#include "ir/base/utf8.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* A byte that is not UTF-8 counts as a character. */
static size_t character_bytes(const char *text, size_t bytes) {
    size_t length = utf8_length(text, bytes);
    return length ? length : 1;
}

size_t display_character(const char *text, size_t bytes, FILE *out) {
    size_t length = utf8_length(text, bytes);
    uint32_t code = length ? utf8_code(text, length) : 0;
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0); /* C0, DEL and C1 of ISO 6429 */
    if (*text == '\t')
        fputc(' ', out);
    else if (control)
        fputc('?', out);
    else
        fwrite(text, 1, length, out);
    return length ? length : 1;
}

void display_text(const char *text, FILE *out) {
    for (size_t left = strlen(text); left;) {
        size_t length = display_character(text, left, out);
        text += length;
        left -= length;
    }
}

size_t display_columns(const char *text, size_t bytes) {
    size_t columns = 0;
    for (size_t at = 0; at < bytes; columns++) at += character_bytes(text + at, bytes - at);
    return columns;
}

size_t display_fitting(const char *text, size_t columns) {
    size_t bytes = strlen(text), at = 0;
    while (at < bytes && columns-- > 0) at += character_bytes(text + at, bytes - at);
    return at;
}

/* -- long names: a message must stay readable although a cell has 100 kB -- */

enum { MESSAGE_LONG = 300, NAME_LONG = 200, NAME_HEAD = 120, NAME_TAIL = 40, MESSAGE_MAX = 4000 };

static bool is_inside_character(const char *at) { return ((unsigned char)*at & 0xc0) == 0x80; }

/* Unlike an apostrophe, a quote that opens a name does not follow a letter, and one that closes it
 * does not precede one. */
static bool opens(const char *text, const char *at) {
    return *at == '\'' && (at == text || !isalnum((unsigned char)at[-1]));
}
static const char *name_end(const char *name) {
    while (*name && (*name != '\'' || isalnum((unsigned char)name[1]))) name++;
    return name;
}

/* Writes the head and tail of a name, the closing quote and its length. Returns the end of what was
 * written, which is shorter than the name. */
static char *write_shortened(char *to, const char *name, size_t length) {
    const char *head = name + NAME_HEAD, *tail = name + length - NAME_TAIL;
    while (is_inside_character(head)) head--;
    while (tail < name + length && is_inside_character(tail)) tail++;
    return to + sprintf(to, "%.*s...%.*s' (%zu bytes)", (int)(head - name), name,
                        (int)(name + length - tail), tail, length);
}

const char *display_shortened(Arena *arena, const char *message) {
    size_t length = strlen(message);
    if (length < MESSAGE_LONG) return message;
    char *text = arena_alloc(arena, length + 1), *to = text;
    const char *from = message, *last = message + length;
    while (from < last &&
           (to - text < MESSAGE_MAX || last - from < MESSAGE_LONG || is_inside_character(from))) {
        bool begins = opens(message, from);
        *to++ = *from++;
        const char *end = begins ? name_end(from) : from;
        if (end - from <= NAME_LONG) continue;
        to = write_shortened(to, from, (size_t)(end - from));
        from = end < last ? end + 1 : end;
    }
    if (from < last) sprintf(to, "... (%zu more bytes)", (size_t)(last - from));
    return text;
}
