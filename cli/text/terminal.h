/* What the terminal can show, and texts made for it: colours, bars, numbers, a picture in
 * characters. */
#ifndef MLC_CLI_TEXT_TERMINAL_H
#define MLC_CLI_TEXT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD } Style;

/* A terminal that may show colours and lines that are redrawn: not a dumb one, and NO_COLOR is not
 * set. */
bool terminal_live(FILE *stream);
bool terminal_utf8(void);
int terminal_width(FILE *stream);
/* The escape sequence that switches to a style, or "" where the stream has no colours. */
const char *terminal_style(FILE *stream, Style style);

/* A cell of a table, at least `width` columns wide (negative: the text begins at the left); what is
 * longer than `most` is cut off. */
void terminal_cell(FILE *stream, const char *text, int width, int most);
/* A bar of `width` columns, filled to `share` (0..1; NaN: empty). */
void terminal_bar(FILE *stream, double share, int width);
/* A grey picture, two rows to a line of characters; 255 is drawn as ink. */
void terminal_image(FILE *stream, const uint8_t *pixels, int height, int width);

enum { NUMBER_TEXT = 32 };
const char *text_count(char buffer[NUMBER_TEXT], int64_t count); /* 567434 -> "567,434" */
const char *text_bytes(char buffer[NUMBER_TEXT], int64_t bytes); /* 2269736 -> "2.16 MiB" */
const char *text_number(char buffer[NUMBER_TEXT], double value); /* 0.0807, 6.02e+23, nan */
/* With so many digits, but every digit of a whole number: 0.07, 1830322, -1.30316e+10. */
enum { VALUE_DIGITS = 7 }; /* as many as an f32 is sure of */
const char *text_value(char buffer[NUMBER_TEXT], double value, int digits);
/* Likewise of an f64, in which digits before the point are no noise: 1700000123.46,
 * 9007199254740991. */
const char *text_exact(char buffer[NUMBER_TEXT], double value, int digits);
/* Of an f32 that is held as a double, the number with the fewest digits that is the same f32: 1.907
 * for 1.90699995. Others as they are. */
double number_shortest(double value);
/* 0.9772 -> "97.72 %" with two decimals; "100.00 %" is all and "0.00 %" none: what is nearly that
 * is ">99.99 %" or "<0.01 %". */
const char *text_percent(char buffer[NUMBER_TEXT], double share, int decimals);
const char *text_duration(char buffer[NUMBER_TEXT], double seconds); /* 83 -> "1:23" */

#endif
