/* Numbers in text: what a cell of a table may be. Private to runtime/. */
#ifndef MLC_RUNTIME_NUMBERS_H
#define MLC_RUNTIME_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { NUMBER_NONE, NUMBER_WHOLE, NUMBER_LONG, NUMBER_REAL, NUMBER_NAN } NumberForm;

/* The form of a text: digits with an optional sign, point and exponent; inf, infinity, nan in any case. WHOLE: an i32 without point;
 * LONG: an i64 without point, and not the least one. */
NumberForm number_form(const char *text, size_t length);
/* The nearest f32 and f64 to the number; the text must have a form. */
float number_value(const char *text, size_t length);
double number_real(const char *text, size_t length);
int64_t number_whole(const char *text, size_t length); /* of WHOLE and LONG */

#endif
