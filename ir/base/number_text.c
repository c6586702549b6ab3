/* Numbers as text for people. */
#include "ir/base/number_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *text_count(char buffer[NUMBER_TEXT], int64_t count) {
    char digits[NUMBER_TEXT];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count), used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') buffer[used++] = ',';
        buffer[used++] = digits[i];
    }
    buffer[used] = 0;
    return buffer;
}

const char *text_bytes(char buffer[NUMBER_TEXT], int64_t bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    int unit = 0;
    for (; size >= 1024 && unit < 4; unit++) size /= 1024;
    snprintf(buffer, NUMBER_TEXT, unit ? "%.2f %s" : "%.0f %s", size, units[unit]);
    return buffer;
}

/* Four decimals, or scientific notation for very large and very small numbers. */
const char *text_number(char buffer[NUMBER_TEXT], double value) {
    double size = fabs(value);
    bool plain = size == 0 || (size >= 1e-3 && size < 1e6);
    if (isnan(value)) return "nan"; /* NaN is printed without its sign */
    snprintf(buffer, NUMBER_TEXT, plain ? "%.4f" : "%.3e", value);
    return buffer;
}

double number_shortest(double value) {
    char text[NUMBER_TEXT];
    snprintf(text, sizeof text, "%.12g", value);
    if (strtod(text, NULL) == value) return value;
    for (int digits = 6; digits < 9 && value == (double)(float)value; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if ((double)strtof(text, NULL) == value) return strtod(text, NULL);
    }
    return value;
}

const char *text_value(char buffer[NUMBER_TEXT], double value, int digits) {
    /* a whole number is usually exact: all of its digits are printed */
    bool whole = value == floor(value) && fabs(value) < 1e10;
    if (isnan(value)) return "nan";
    snprintf(buffer, NUMBER_TEXT, whole ? "%.*f" : "%.*g", whole ? 0 : digits, value);
    return buffer;
}

const char *text_exact(char buffer[NUMBER_TEXT], double value, int digits) {
    double size = fabs(value);
    bool whole = value == floor(value), large = size >= pow(10, digits - 1);
    if (!large || size >= 0x1p63) return text_value(buffer, value, digits);
    snprintf(buffer, NUMBER_TEXT, whole || size >= 1e13 ? "%.0f" : "%.2f", value);
    return buffer;
}

const char *text_percent(char buffer[NUMBER_TEXT], double fraction, int decimals) {
    double last = pow(10, -decimals);
    if (isnan(fraction)) return "nan %"; /* NaN is printed without its sign */
    snprintf(buffer, NUMBER_TEXT, "%.*f %%", decimals, 100 * fraction);
    double rounded = strtod(buffer, NULL);
    if (fraction < 1 && rounded >= 100)
        snprintf(buffer, NUMBER_TEXT, ">%.*f %%", decimals, 100 - last);
    if (fraction > 0 && rounded == 0) snprintf(buffer, NUMBER_TEXT, "<%.*f %%", decimals, last);
    return buffer;
}

const char *text_duration(char buffer[NUMBER_TEXT], double seconds) {
    int64_t whole = (int64_t)(seconds + 0.5);
    if (whole < 3600)
        snprintf(buffer, NUMBER_TEXT, "%d:%02d", (int)(whole / 60), (int)(whole % 60));
    else
        snprintf(buffer, NUMBER_TEXT, "%" PRId64 ":%02d:%02d", whole / 3600, (int)(whole / 60 % 60),
                 (int)(whole % 60));
    return buffer;
}

bool parse_number(const char *text, int64_t low, int64_t high, int64_t *number) {
    const char *digits = text + (*text == '-' && low < 0);
    if (!*digits || strspn(digits, "0123456789") != strlen(digits)) return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno || value < low || value > high) return false;
    *number = value;
    return true;
}
