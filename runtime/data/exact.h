/* Numbers that f32 and i32 cannot hold, and whole numbers that f64 cannot hold. */
#ifndef MLC_RUNTIME_DATA_EXACT_H
#define MLC_RUNTIME_DATA_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* The exact numbers of a field whose elements are rounded, or the cells of a text field. */
typedef enum { EXACT_WHOLE, EXACT_REAL, EXACT_TEXT } ExactKind;
#define WHOLE_MISSING INT64_MIN
typedef struct {
    ExactKind kind;
    /* WHOLE: int64_t, WHOLE_MISSING where missing. REAL: double. TEXT: int32_t, the index of the
     * cell in `texts`, -1 where missing. NULL: the elements of the field are exact. */
    void *elements;
    const char *const *texts;
} Exact;

/* number + rest, where number is the nearest f64. The rest of a whole number is 0 up to 2^53: f64
 * cannot hold all whole numbers beyond. */
typedef struct {
    double number, rest;
} ExactNumber;

ExactNumber exact_of_whole(int64_t whole);
ExactNumber exact_of_real(double real);
/* a - b, as f64: the difference of whole numbers is rounded once. */
double exact_minus(ExactNumber a, ExactNumber b);
/* The sum as number and rest: the rest is what f64 cannot hold. */
ExactNumber exact_plus(ExactNumber a, double b);
/* The nearest whole number of 64 bits; false: the number is beyond them, or is not known. */
bool exact_whole(ExactNumber exact, int64_t *whole);
/* -1, 0 or 1: a < b, a = b, a > b. Neither is NaN. */
int exact_compare(ExactNumber a, ExactNumber b);
/* Sorts numbers in ascending order; none may be NaN. */
void exact_sort(ExactNumber *numbers, int64_t count);

#endif
