/* Text for terminals: colours, bars, numbers, a picture made of characters. */
#include "cli/text/terminal.h"
#include "ir/base/display.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_live(FILE *stream) {
    const char *term = getenv("TERM"), *off = getenv("NO_COLOR");
    return isatty(fileno(stream)) && !(term && strcmp(term, "dumb") == 0) && !(off && *off);
}

bool terminal_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

int terminal_width(FILE *stream) {
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

int terminal_height(FILE *stream) {
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

const char *terminal_sequence(Style style) {
    static const char *const sequences[] = {"\033[0m",    "\033[1m",  "\033[2m", "\033[32m",
                                            "\033[1;31m", "\033[34m", "\033[33m"};
    return sequences[style];
}

const char *terminal_style(FILE *stream, Style style) {
    return terminal_live(stream) ? terminal_sequence(style) : "";
}

void terminal_cell(FILE *stream, const char *text, int width, int max) {
    size_t bytes = display_fitting(text, (size_t)max);
    int columns = (int)display_columns(text, bytes), before = width - columns,
        behind = -width - columns;
    fprintf(stream, "%*s", before > 0 ? before : 0, "");
    for (size_t at = 0; at < bytes;) at += display_character(text + at, bytes - at, stream);
    fprintf(stream, "%*s", behind > 0 ? behind : 0, "");
}

void terminal_bar(FILE *stream, double fraction, int width) {
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int units = isnan(fraction) ? 0 : (int)(fraction * width * 8 + 0.5), full = units / 8,
        part = units % 8;
    bool fine = terminal_utf8();
    for (int i = 0; i < full; i++) fputs(fine ? "█" : "#", stream);
    if (fine) fputs(eighths[part], stream);
    fprintf(stream, "%*s", width - full - (fine && part), "");
}

/* Prints two pixels as one character: "▀" with the upper pixel as text colour and the lower one as
 * background. Without colours, a character as dense as their mean. */
static void image_character(FILE *stream, int above, int below) {
    static const char shades[] = " .:-=+*#%@";
    if (terminal_live(stream) && terminal_utf8())
        fprintf(stream, "\033[38;5;%dm\033[48;5;%dm▀", 232 + above * 23 / 255,
                232 + below * 23 / 255);
    else
        fputc(shades[(above + below) * 9 / 510], stream);
}

void terminal_image(FILE *stream, const uint8_t *pixels, int height, int width) {
    for (int y = 0; y < height; y += 2) {
        fputs("  ", stream);
        for (int x = 0; x < width; x++)
            image_character(stream, pixels[y * width + x],
                            y + 1 < height ? pixels[(y + 1) * width + x] : 0);
        fprintf(stream, "%s\n", terminal_style(stream, STYLE_PLAIN));
    }
}

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
