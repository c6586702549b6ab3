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
        after = -width - columns;
    fprintf(stream, "%*s", before > 0 ? before : 0, "");
    for (size_t at = 0; at < bytes;) at += display_character(text + at, bytes - at, stream);
    fprintf(stream, "%*s", after > 0 ? after : 0, "");
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
void terminal_image(FILE *stream, const uint8_t *pixels, int height, int width) {
    static const char shades[] = " .:-=+*#%@";
    bool coloured = terminal_live(stream) && terminal_utf8();
    for (int y = 0; y < height; y += 2) {
        fputs("  ", stream);
        for (int x = 0; x < width; x++) {
            int above = pixels[y * width + x],
                below = y + 1 < height ? pixels[(y + 1) * width + x] : 0;
            if (coloured)
                fprintf(stream, "\033[38;5;%dm\033[48;5;%dm▀", 232 + above * 23 / 255,
                        232 + below * 23 / 255);
            else
                fputc(shades[(above + below) * 9 / 510], stream);
        }
        fprintf(stream, "%s\n", terminal_style(stream, STYLE_PLAIN));
    }
}
