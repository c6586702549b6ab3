/* Operations on numbers of derived columns: whole numbers in 64 bits, where an overflow is a fault,
 * and everything else in f64. */
#include "runtime/data/numbers.h"
#include "ir/eval/eval.h"

#include <stdio.h>

/* Computes with two whole numbers. An operation without a whole result is left to f64. */
static bool whole_operation(DerivedKind kind, int64_t a, int64_t b, DerivedNumber *result,
                            char finding[FINDING_TEXT]) {
    int64_t whole = 0;
    bool overflow = false;
    switch (kind) {
    case DERIVED_ADD: overflow = __builtin_add_overflow(a, b, &whole); break;
    case DERIVED_SUB: overflow = __builtin_sub_overflow(a, b, &whole); break;
    case DERIVED_MUL: overflow = __builtin_mul_overflow(a, b, &whole); break;
    case DERIVED_MOD:
        if (b == 0) return *result = number_real((double)NAN), true;
        whole = eval_whole_remainder(a, b);
        break;
    case DERIVED_DIV: return *result = number_real((double)a / (double)b), true;
    case DERIVED_MIN: whole = a < b ? a : b; break;
    case DERIVED_MAX: whole = a > b ? a : b; break;
    case DERIVED_LT: whole = a < b; break;
    case DERIVED_LE: whole = a <= b; break;
    case DERIVED_GT: whole = a > b; break;
    case DERIVED_GE: whole = a >= b; break;
    case DERIVED_EQ: whole = a == b; break;
    default: whole = a != b; break;
    }
    *result = number_whole(whole);
    if (overflow) snprintf(finding, FINDING_TEXT, "is a whole number beyond 64 bits");
    return !overflow;
}

static double larger(double a, double b) { return isnan(a) || a > b ? a : b; }

static DerivedNumber real_operation(DerivedKind kind, double a, double b) {
    switch (kind) {
    case DERIVED_ADD: return number_real(a + b);
    case DERIVED_SUB: return number_real(a - b);
    case DERIVED_MUL: return number_real(a * b);
    case DERIVED_DIV: return number_real(a / b);
    case DERIVED_MOD: return number_real(eval_floor_remainder(a, b));
    case DERIVED_MIN: return number_real(-larger(-a, -b));
    case DERIVED_MAX: return number_real(larger(a, b));
    case DERIVED_LT: return number_whole(a < b);
    case DERIVED_LE: return number_whole(a <= b);
    case DERIVED_GT: return number_whole(a > b);
    case DERIVED_GE: return number_whole(a >= b);
    case DERIVED_EQ: return number_whole(a == b);
    default: return number_whole(a != b);
    }
}

static bool int_of(DerivedNumber number, DerivedNumber *result, char finding[FINDING_TEXT]) {
    double real = trunc(number_f64(number));
    bool fits = real >= INT32_MIN && real <= INT32_MAX;
    if (number_missing(number))
        snprintf(finding, FINDING_TEXT, "is no number");
    else if (!fits)
        snprintf(finding, FINDING_TEXT,
                 "is %.17g: int() makes whole numbers of 32 bits, -2147483648 to 2147483647", real);
    else
        *result = number_whole(number.is_whole ? number.whole : (int64_t)real);
    return fits;
}

bool number_single(DerivedKind kind, DerivedNumber a, DerivedNumber *result,
                   char finding[FINDING_TEXT]) {
    bool negates = kind == DERIVED_NEG || (kind == DERIVED_ABS && a.is_whole && a.whole < 0);
    if (kind == DERIVED_INT) return int_of(a, result, finding);
    if (a.is_whole && negates) return whole_operation(DERIVED_SUB, 0, a.whole, result, finding);
    *result = a;
    if (!a.is_whole)
        result->real = kind == DERIVED_FLOOR   ? floor(a.real)
                       : kind == DERIVED_ROUND ? rint(a.real)
                       : kind == DERIVED_ABS   ? fabs(a.real)
                                               : -a.real;
    return true;
}

bool number_double(DerivedKind kind, DerivedNumber a, DerivedNumber b, DerivedNumber *result,
                   char finding[FINDING_TEXT]) {
    if (a.is_whole && b.is_whole) return whole_operation(kind, a.whole, b.whole, result, finding);
    *result = real_operation(kind, number_f64(a), number_f64(b));
    return true;
}
