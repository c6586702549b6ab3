/* Parses numbers in text. The form is checked here first: strtod would also accept hexadecimal
 * numbers and stop at any other character. */
#include "runtime/formats/numbers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Parses digits after an optional sign; false: beyond 64 bits. */
static bool whole_value(const char *text, size_t length, int64_t *value) {
    size_t at = skip_sign(text, length, 0);
    bool overflow = false;
    *value = 0;
    for (; at < length && !overflow; at++)
        overflow = __builtin_mul_overflow(*value, 10, value) ||
                   __builtin_add_overflow(*value, text[at] - '0', value);
    if (*text == '-' && !overflow) *value = -*value;
    return !overflow;
}

/* The end of a fraction and an exponent that begin at `at`; 0: they have no digits. */
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

/* -- decimal commas and separators of thousands -- */

/* The length of the separator at `text`; 0: none. ' ' stands for U+00A0 and U+202F too. */
static size_t thousands_sign(const char *text, size_t left, char sign) {
    static const char *const spaces[] = {" ", "\xc2\xa0", "\xe2\x80\xaf"};
    if (sign != ' ') return left && *text == sign;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        size_t length = strlen(spaces[i]);
        if (left >= length && !memcmp(text, spaces[i], length)) return length;
    }
    return 0;
}

/* Copies digits without their separators; *at moves past them. False: a group does not have three
 * digits. */
static bool copy_digits(const char *text, size_t length, char sign, size_t *at, char *to,
                        size_t *count) {
    size_t group = 0, groups = 0;
    for (;;) {
        for (group = 0; *at < length && text[*at] >= '0' && text[*at] <= '9'; group++)
            to[(*count)++] = text[(*at)++];
        size_t skip = sign ? thousands_sign(text + *at, length - *at, sign) : 0;
        if (groups ? group != 3 : skip && (group < 1 || group > 3)) return false;
        if (!skip) return true;
        *at += skip;
        groups++;
    }
}

size_t number_plain(const char *text, size_t length, NumberSigns signs,
                    char plain[NUMBER_LONGEST + 1]) {
    size_t at = 0, count = 0;
    if (length > NUMBER_LONGEST) return 0;
    if (length && (*text == '+' || *text == '-')) plain[count++] = text[at++];
    if (!copy_digits(text, length, signs.thousands, &at, plain, &count)) return 0;
    if (at < length && text[at] == signs.decimal)
        plain[count++] = '.', at++;
    else if (at < length && text[at] == '.')
        return 0;
    memcpy(plain + count, text + at, length - at); /* fraction and exponent, or a word */
    return memchr(plain + count, '.', length - at) ? 0 : count + length - at;
}

bool number_is_nan(const char *text, size_t length) { return is_word(text, length, "nan"); }

NumberForm number_form(const char *text, size_t length) {
    if (length == 0 || length > NUMBER_LONGEST) return NUMBER_NONE;
    size_t begin = skip_sign(text, length, 0), end = skip_digits(text, length, begin);
    if (number_is_nan(text, length)) return NUMBER_NAN;
    if (is_word(text + begin, length - begin, "inf") ||
        is_word(text + begin, length - begin, "infinity"))
        return NUMBER_REAL;
    int64_t value;
    if (end == length && end > begin && whole_value(text, length, &value))
        return value >= INT32_MIN && value <= INT32_MAX ? NUMBER_WHOLE : NUMBER_LONG;
    return skip_rest(text, length, end, end > begin) == length ? NUMBER_REAL : NUMBER_NONE;
}

static const char *terminated(const char *text, size_t length, char copy[NUMBER_LONGEST + 1]) {
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

double number_real(const char *text, size_t length) {
    char copy[NUMBER_LONGEST + 1];
    return strtod(terminated(text, length, copy), NULL);
}

/* Rounding to f64 and then to f32 can differ from rounding once only if the f64 is exactly halfway
 * between two f32, or outside of the normal f32. */
float number_value(const char *text, size_t length, double real) {
    enum { LOST_BITS = 52 - 23 };
    char copy[NUMBER_LONGEST + 1];
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    bool middle = (bits & ((UINT64_C(1) << LOST_BITS) - 1)) == UINT64_C(1) << (LOST_BITS - 1);
    if (!middle && fabs(real) >= (double)FLT_MIN && fabs(real) <= (double)FLT_MAX)
        return (float)real;
    return strtof(terminated(text, length, copy), NULL);
}

int64_t number_whole(const char *text, size_t length) {
    int64_t value;
    whole_value(text, length, &value);
    return value;
}
