/* Numbers as text for people, such as counts, bytes and durations; and whole numbers from text. */
#ifndef MLC_IR_BASE_NUMBER_TEXT_H
#define MLC_IR_BASE_NUMBER_TEXT_H

#include <stdbool.h>
#include <stdint.h>

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
 * 1.907 for 1.90699995. Other numbers are returned unchanged. So are those that 12 digits give
 * exactly, such as 272920.875. */
double number_shortest(double value);
/* 0.9772 -> "97.72 %" with two decimals. "100.00 %" means exactly 1 and "0.00 %" exactly 0: numbers
 * close to them are ">99.99 %" and "<0.01 %". */
const char *text_percent(char buffer[NUMBER_TEXT], double fraction, int decimals);
const char *text_duration(char buffer[NUMBER_TEXT], double seconds); /* 83 -> "1:23" */

/* Parses a whole number from low to high: decimal digits only, with a leading '-' if low is
 * negative. */
bool parse_number(const char *text, int64_t low, int64_t high, int64_t *number);

#endif
