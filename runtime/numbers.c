/* Numbers in text: their form is checked by hand, for the C library would take hexadecimal numbers too, and stop at anything. */
#include "runtime/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 400 }; /* no number that somebody means is longer */

static size_t skip_digits(const char *text, size_t length, size_t at) {
    while (at < length && text[at] >= '0' && text[at] <= '9') at++;
    return at;
}

static size_t skip_sign(const char *text, size_t length, size_t at) {
    return at + (at < length && (text[at] == '+' || text[at] == '-'));
}

static bool is_word(const char *text, size_t length, const char *word) {
    return length == strlen(word) && !strncasecmp(text, word, length);
}

/* Of digits behind an optional sign; false: it is beyond 64 bits. */
static bool whole_value(const char *text, size_t length, int64_t *value) {
    size_t at = skip_sign(text, length, 0);
    bool overflow = false;
    *value = 0;
    for (; at < length && !overflow; at++)
        overflow = __builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, text[at] - '0', value);
    if (*text == '-') *value = -*value;
    return !overflow;
}

/* Where a fraction and an exponent end that begin at `at`; 0: they have no digits. */
static size_t skip_rest(const char *text, size_t length, size_t at, bool digits) {
    if (at < length && text[at] == '.') {
        size_t end = skip_digits(text, length, at + 1);
        digits |= end > at + 1;
        at = end;
    }
    if (!digits) return 0;
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        size_t begin = skip_sign(text, length, at + 1), end = skip_digits(text, length, begin);
        return end > begin ? end : 0;
    }
    return at;
}

NumberForm number_form(const char *text, size_t length) {
    if (length == 0 || length > LONGEST) return NUMBER_NONE;
    size_t begin = skip_sign(text, length, 0), end = skip_digits(text, length, begin);
    if (is_word(text, length, "nan")) return NUMBER_NAN;
    if (is_word(text + begin, length - begin, "inf") || is_word(text + begin, length - begin, "infinity")) return NUMBER_REAL;
    int64_t value;
    if (end == length && end > begin && whole_value(text, length, &value))
        return value >= INT32_MIN && value <= INT32_MAX ? NUMBER_WHOLE : NUMBER_LONG;
    return skip_rest(text, length, end, end > begin) == length ? NUMBER_REAL : NUMBER_NONE;
}

static const char *terminated(const char *text, size_t length, char copy[LONGEST + 1]) {
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

float number_value(const char *text, size_t length) {
    char copy[LONGEST + 1];
    return strtof(terminated(text, length, copy), NULL);
}

double number_real(const char *text, size_t length) {
    char copy[LONGEST + 1];
    return strtod(terminated(text, length, copy), NULL);
}

int64_t number_whole(const char *text, size_t length) {
    int64_t value;
    whole_value(text, length, &value);
    return value;
}
