/* Dates and times in text, by a format such as "%d/%m/%Y %H:%M". The locale and the time zone of
 * the machine do not matter. Years are Gregorian, also before 1582. */
#ifndef MLC_IR_DATA_DATE_H
#define MLC_IR_DATA_DATE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
#define PART(name, needs, text) DATE_##name,
#include "ir/data/date.def"
    DATE_PARTS
} DatePart;
/* the number of parts, the first ones, that are given by default */
enum { DATE_USUAL = DATE_seconds + 1 };

typedef struct {
    int64_t parts[DATE_PARTS]; /* in UTC */
    int32_t nanoseconds;       /* 0 to 999999999, to be added to the seconds */
} Date;

const char *date_part_name(DatePart part);
bool date_part_find(const char *name, DatePart *part);

enum { DATE_PROBLEM = 240 };
/* Whether a format is valid. If not, `problem` says why: "has '%q', which is no part of a date". */
bool date_format_check(const char *format, char problem[DATE_PROBLEM]);
/* Whether a valid format gives a part of the date. Every format gives the seconds. */
bool date_format_tells(const char *format, DatePart part);
/* Whether the seconds may have a fraction (%f). */
bool date_format_has_fraction(const char *format);
/* The number of digits of a text that has digits only: 8 for "%Y%m%d". 0 if it has other
 * characters, or the number is not known. */
int date_format_digits(const char *format);
/* The date that is so many seconds after 1970-01-01 00:00:00; false if its year is not from 1 to
 * 9999. */
bool date_from_seconds(int64_t seconds, Date *date);
/* The first of the usual formats that a text fits. */
enum { DATE_FORMAT = 32 };
bool date_format_of(const char *text, char format[DATE_FORMAT]);
/* Reads a text, which must be used up. If false, `problem` says why: "does not fit the format ...",
 * "is no date: February 2023 has 28 days". */
bool date_read(const char *format, const char *text, Date *date, char problem[DATE_PROBLEM]);

#endif
