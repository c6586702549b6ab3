/* Text for terminals: colours, bars, a picture made of characters. */
#ifndef MLC_CLI_TEXT_TERMINAL_H
#define MLC_CLI_TEXT_TERMINAL_H

#include "ir/base/number_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_BLUE,
    STYLE_YELLOW
} Style;

/* Whether the stream is a terminal with colours and redrawn lines: TERM is not "dumb" and NO_COLOR
 * is not set. */
bool terminal_live(FILE *stream);
bool terminal_utf8(void);
int terminal_width(FILE *stream);
int terminal_height(FILE *stream);
/* The escape sequence of a style. */
const char *terminal_sequence(Style style);
/* The same, or "" if the stream has no colours. */
const char *terminal_style(FILE *stream, Style style);

/* Prints a table cell at least |width| columns wide: right-aligned, or left-aligned if width is
 * negative. Text longer than `max` columns is cut off. */
void terminal_cell(FILE *stream, const char *text, int width, int max);
/* A bar of `width` columns, filled to `fraction` (0..1; NaN: empty). */
void terminal_bar(FILE *stream, double fraction, int width);
/* Prints a grey picture, with two pixel rows in each line; 255 is the brightest or densest. */
void terminal_image(FILE *stream, const uint8_t *pixels, int height, int width);

#endif
