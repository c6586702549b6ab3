/* Numbers as the sum of two f64 numbers, for whole numbers beyond 2^53. */
#include "runtime/data/exact.h"

#include <math.h>
#include <stdlib.h>

ExactNumber exact_of_whole(int64_t whole) {
    double number = (double)whole;
    /* 2^63 is no int64_t, although the largest ones are rounded to it */
    int64_t near = number < 0x1p63 ? (int64_t)number : INT64_MAX;
    return (ExactNumber){number, (double)(whole - near) - (number < 0x1p63 ? 0 : 1)};
}

ExactNumber exact_of_real(double real) { return (ExactNumber){real, 0}; }

double exact_minus(ExactNumber a, ExactNumber b) {
    double difference = a.number - b.number, rest = a.rest - b.rest;
    return rest != 0 ? difference + rest : difference;
}

/* Knuth's two-sum: sum + error is a + b exactly. */
ExactNumber exact_plus(ExactNumber a, double b) {
    double sum = a.number + b, of_b = sum - a.number;
    double error = (a.number - (sum - of_b)) + (b - of_b);
    if (!isfinite(sum)) return exact_of_real(sum);
    double number = sum + (error + a.rest);
    return (ExactNumber){number, (error + a.rest) - (number - sum)};
}

bool exact_whole(ExactNumber exact, int64_t *whole) {
    double number = rint(exact.number), rest = rint(exact.rest);
    bool edge = number == 0x1p63 && rest < 0;
    if (!edge && !(number >= -0x1p63 && number < 0x1p63)) return false;
    *whole = edge ? INT64_MAX : (int64_t)number;
    return !__builtin_add_overflow(*whole, (int64_t)rest + edge, whole);
}

int exact_compare(ExactNumber a, ExactNumber b) {
    double x = a.number, y = b.number;
    if (x == y) x = a.rest, y = b.rest;
    return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b) {
    return exact_compare(*(const ExactNumber *)a, *(const ExactNumber *)b);
}

void exact_sort(ExactNumber *numbers, int64_t count) {
    qsort(numbers, (size_t)count, sizeof *numbers, by_number);
}
