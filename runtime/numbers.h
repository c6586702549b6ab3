/* Numbers in text: what a cell of a table may be. Private to runtime/. */
#ifndef MLC_RUNTIME_NUMBERS_H
#define MLC_RUNTIME_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { NUMBER_NONE, NUMBER_WHOLE, NUMBER_REAL, NUMBER_NAN } NumberForm;

/* The form of a text: digits with an optional sign, point and exponent; inf, infinity, nan in any case. WHOLE: an i32 without point. */
NumberForm number_form(const char *text, size_t length);
/* The f32 nearest to the number; the text must have a form. */
float number_value(const char *text, size_t length);
int32_t number_whole(const char *text, size_t length);

#endif
