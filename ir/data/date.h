/* Dates and times that are written in text, by a format such as "%d/%m/%Y %H:%M". Neither the locale nor the time zone of the machine
 * has a part in them. Years are those of the Gregorian calendar, also before 1582. */
#ifndef MLC_IR_DATA_DATE_H
#define MLC_IR_DATA_DATE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
#define PART(name, needs, text) DATE_##name,
#include "ir/data/date.def"
    DATE_PARTS
} DatePart;
enum { DATE_USUAL = DATE_seconds + 1 }; /* how many parts are told where none are asked for: the first ones */

typedef struct {
    int64_t parts[DATE_PARTS]; /* in UTC */
    int32_t nanoseconds;       /* 0 to 999999999, to be added to the seconds */
} Date;

const char *date_part_name(DatePart part);
bool date_part_find(const char *name, DatePart *part);

enum { DATE_PROBLEM = 240 };
/* Whether a format can be read; else why not: "has '%q', which is no part of a date". */
bool date_format_check(const char *format, char problem[DATE_PROBLEM]);
/* Whether a format tells a part; it must be one that can be read. Every format tells the seconds. */
bool date_format_tells(const char *format, DatePart part);
/* Whether the seconds may have a fraction (%f). */
bool date_format_has_fraction(const char *format);
/* The digits of a text that has digits only, "%Y%m%d": 8. 0: it has other characters too, or their number is not known. */
int date_format_digits(const char *format);
/* The date that is so many seconds after 1970-01-01 00:00:00; false: its year is not one of 1 to 9999. */
bool date_from_seconds(int64_t seconds, Date *date);
/* Reads the whole of a text; else the problem: "does not fit the format ...", "is no date: February 2023 has 28 days". */
bool date_read(const char *format, const char *text, Date *date, char problem[DATE_PROBLEM]);

#endif
