/* Numbers in text: what a cell of a table may be. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NUMBERS_H
#define MLC_RUNTIME_FORMATS_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { NUMBER_NONE, NUMBER_WHOLE, NUMBER_LONG, NUMBER_REAL, NUMBER_NAN } NumberForm;

/* The signs in a number: "1.234.567,89" has decimal ',' and thousands '.'. */
typedef struct {
    char decimal, thousands; /* thousands 0: there is no such sign */
} NumberSigns;
enum { NUMBER_LONGEST = 400 }; /* no number that somebody means is longer */

/* The same number with the decimal point and without signs between thousands, which must stand
 * before groups of three digits. Its length; 0: it is none, or too long. */
size_t number_plain(const char *text, size_t length, NumberSigns signs,
                    char plain[NUMBER_LONGEST + 1]);

/* The form of a text: digits with an optional sign, point and exponent; inf, infinity, nan in any
 * case. WHOLE: an i32 without point; LONG: an i64 without point, and not the least one. */
NumberForm number_form(const char *text, size_t length);
bool number_is_nan(const char *text, size_t length); /* nan, in any case */
/* The nearest f64 and f32 to the number; the text must have a form. real: the nearest f64, from
 * which the f32 nearly always follows. */
double number_real(const char *text, size_t length);
float number_value(const char *text, size_t length, double real);
int64_t number_whole(const char *text, size_t length); /* of WHOLE and LONG */

#endif
