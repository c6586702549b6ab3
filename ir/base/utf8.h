/* Characters beyond ASCII in texts that people write. */
#ifndef MLC_IR_BASE_UTF8_H
#define MLC_IR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many of text[0, bytes) are its first character, 1 to 4; 0: they are not UTF-8. */
size_t utf8_length(const char *text, size_t bytes);
/* Whether all of the text is UTF-8, as other programs expect. */
bool utf8_is_valid(const char *text, size_t bytes);
/* The number of a character of so many bytes. */
uint32_t utf8_code(const char *text, size_t length);

#endif
