/* Numbers of derived columns: whole ones of 64 bits, or f64. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_NUMBERS_H
#define MLC_RUNTIME_DATA_NUMBERS_H

#include "ir/data/derived.h"
#include "runtime/data/exact.h"

#include <math.h>

typedef struct {
    bool is_whole;
    int64_t whole;
    double real; /* a number that is not whole; NaN: missing */
} DerivedNumber;

static inline DerivedNumber number_whole(int64_t whole) { return (DerivedNumber){true, whole, 0}; }
static inline DerivedNumber number_real(double real) { return (DerivedNumber){false, 0, real}; }
static inline double number_f64(DerivedNumber number) {
    return number.is_whole ? (double)number.whole : number.real;
}
static inline ExactNumber number_exact(DerivedNumber number) {
    return number.is_whole ? exact_of_whole(number.whole) : exact_of_real(number.real);
}
static inline bool number_missing(DerivedNumber number) {
    return !number.is_whole && isnan(number.real);
}

/* The operations on numbers. false after writing what is wrong with the result, such as "is a whole
 * number beyond 64 bits". */
enum { FINDING_TEXT = 320 };
bool number_single(DerivedKind kind, DerivedNumber a, DerivedNumber *result,
                   char finding[FINDING_TEXT]);
bool number_double(DerivedKind kind, DerivedNumber a, DerivedNumber b, DerivedNumber *result,
                   char finding[FINDING_TEXT]);

#endif
