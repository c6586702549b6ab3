/* Parses numbers in the cells of a table. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NUMBERS_H
#define MLC_RUNTIME_FORMATS_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { NUMBER_NONE, NUMBER_WHOLE, NUMBER_LONG, NUMBER_REAL, NUMBER_NAN } NumberForm;

/* The separators of numbers: "1.234.567,89" has decimal ',' and thousands '.'. */
typedef struct {
    char decimal, thousands; /* thousands 0: no separator */
} NumberSigns;
enum { NUMBER_LONGEST = 400 }; /* a longer text is not a number */

/* Rewrites a number with a decimal point and without separators of thousands, which must precede
 * groups of three digits. Returns the length; 0: not a number, or too long. */
size_t number_plain(const char *text, size_t length, NumberSigns signs,
                    char plain[NUMBER_LONGEST + 1]);

/* The form of a text: digits with an optional sign, point and exponent; or inf, infinity, nan in
 * any case. WHOLE: an i32 without point. LONG: an i64 without point, except INT64_MIN. */
NumberForm number_form(const char *text, size_t length);
bool number_is_nan(const char *text, size_t length); /* nan, in any case */
/* The nearest f64 and the nearest f32 to the number; the text must have a form. real: that f64,
 * which nearly always decides the f32. */
double number_real(const char *text, size_t length);
float number_value(const char *text, size_t length, double real);
int64_t number_whole(const char *text, size_t length); /* for WHOLE and LONG */

#endif
