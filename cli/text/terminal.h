/* Text for terminals: colours, bars, numbers, a picture made of characters. */
#ifndef MLC_CLI_TEXT_TERMINAL_H
#define MLC_CLI_TEXT_TERMINAL_H

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

enum { NUMBER_TEXT = 32 };
const char *text_count(char buffer[NUMBER_TEXT], int64_t count); /* 567434 -> "567,434" */
const char *text_bytes(char buffer[NUMBER_TEXT], int64_t bytes); /* 2269736 -> "2.16 MiB" */
const char *text_number(char buffer[NUMBER_TEXT], double value); /* 0.0807, 6.02e+23, nan */
/* `digits` significant digits, but all digits of a whole number: 0.07, 1830322, -1.30316e+10. */
enum { VALUE_DIGITS = 7 }; /* an f32 has about seven */
const char *text_value(char buffer[NUMBER_TEXT], double value, int digits);
/* The same for an f64, whose digits before the point are all significant: 1700000123.46,
 * 9007199254740991. */
const char *text_exact(char buffer[NUMBER_TEXT], double value, int digits);
/* For an f32 stored as a double: the number with the fewest digits that rounds to the same f32,
 * 1.907 for 1.90699995. Other numbers are returned unchanged, also those that 12 digits give exactly,
 * such as 272920.875. */
double number_shortest(double value);
/* 0.9772 -> "97.72 %" with two decimals. "100.00 %" means exactly 1 and "0.00 %" exactly 0: numbers
 * close to them are ">99.99 %" and "<0.01 %". */
const char *text_percent(char buffer[NUMBER_TEXT], double fraction, int decimals);
const char *text_duration(char buffer[NUMBER_TEXT], double seconds); /* 83 -> "1:23" */

#endif
