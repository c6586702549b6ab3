/* Reads dates by a format, as strptime does, but without a locale; the text must be used up. */
#include "ir/data/date.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A fact about a date that a text can give. */
typedef enum {
    SAYS_YEAR,
    SAYS_MONTH,
    SAYS_DAY,
    SAYS_YEARDAY,
    SAYS_WEEKDAY,
    SAYS_HOUR,
    SAYS_HALF, /* AM or PM: 0 before noon, 1 after it */
    SAYS_MINUTE,
    SAYS_SECOND,
    SAYS_FRACTION, /* the fraction of a second, in nanoseconds */
    SAYS_ZONE,     /* the offset from UTC, in seconds */
    SAYS_COUNT
} Says;

static const char *const says_words[SAYS_COUNT] = {
    "year",   "month",  "day",      "day of the year", "weekday", "hour", "half of the day",
    "minute", "second", "fraction", "time zone"};

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const weekday_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};
static const char *const half_names[] = {"AM", "PM"};
enum { MONTHS = 12, WEEKDAYS = 7, HALVES = 2, ABBREVIATED = 3 };

/* The directives of a format. Each stands for a number of so many digits in [low, high], for a
 * name, or for several other directives. */
typedef struct {
    char letter;
    Says says;
    int least_digits, most_digits; /* 0: no number */
    int low, high;
    const char *short_for;
} Directive;

static const Directive directives[] = {
    {'Y', SAYS_YEAR, 4, 4, 1, 9999, NULL},     {'y', SAYS_YEAR, 2, 2, 0, 99, NULL},
    {'m', SAYS_MONTH, 1, 2, 1, 12, NULL},      {'b', SAYS_MONTH, 0, 0, 0, 0, NULL},
    {'B', SAYS_MONTH, 0, 0, 0, 0, NULL},       {'d', SAYS_DAY, 1, 2, 1, 31, NULL},
    {'e', SAYS_DAY, 1, 2, 1, 31, NULL},        {'j', SAYS_YEARDAY, 1, 3, 1, 366, NULL},
    {'a', SAYS_WEEKDAY, 0, 0, 0, 0, NULL},     {'A', SAYS_WEEKDAY, 0, 0, 0, 0, NULL},
    {'H', SAYS_HOUR, 1, 2, 0, 23, NULL},       {'I', SAYS_HOUR, 1, 2, 1, 12, NULL},
    {'p', SAYS_HALF, 0, 0, 0, 0, NULL},        {'M', SAYS_MINUTE, 1, 2, 0, 59, NULL},
    {'S', SAYS_SECOND, 1, 2, 0, 59, NULL},     {'f', SAYS_FRACTION, 1, 9, 0, 999999999, NULL},
    {'z', SAYS_ZONE, 0, 0, 0, 0, NULL},        {'T', SAYS_COUNT, 0, 0, 0, 0, "%H:%M:%S"},
    {'R', SAYS_COUNT, 0, 0, 0, 0, "%H:%M"},    {'F', SAYS_COUNT, 0, 0, 0, 0, "%Y-%m-%d"},
    {'D', SAYS_COUNT, 0, 0, 0, 0, "%m/%d/%y"},
};

static const Directive *directive_of(char letter) {
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
        if (directives[i].letter == letter) return &directives[i];
    return NULL;
}

/* -- formats -- */

/* The facts that a format gives, as bits, and those that it gives twice. */
typedef struct {
    uint32_t says;
    uint32_t twice;
    bool names, literals, twelve; /* twelve: hours from 1 to 12 */
    int digits;
} DateForm;

static bool says(const DateForm *form, Says what) { return form->says >> what & 1; }

static bool find_form(const char *format, DateForm *form, char problem[DATE_PROBLEM]) {
    for (const char *at = format; *at; at++) {
        if (*at != '%' || at[1] == '%') {
            at += *at == '%';
            form->literals = true;
            continue;
        }
        const Directive *directive = directive_of(*++at);
        if (!directive) {
            snprintf(problem, DATE_PROBLEM,
                     *at ? "has '%%%c', which is no part of a date" : "ends in '%%'", *at);
            return false;
        }
        if (directive->short_for) {
            if (!find_form(directive->short_for, form, problem)) return false;
            continue;
        }
        form->twice |= form->says & 1u << directive->says;
        form->says |= 1u << directive->says;
        form->twelve |= directive->letter == 'I';
        form->names |= !directive->most_digits || directive->says == SAYS_FRACTION;
        form->digits += directive->most_digits;
    }
    return true;
}

static DateForm form_of(const char *format) {
    char problem[DATE_PROBLEM];
    DateForm form = {0};
    find_form(format, &form, problem);
    return form;
}

bool date_format_check(const char *format, char problem[DATE_PROBLEM]) {
    DateForm form = {0};
    if (!find_form(format, &form, problem)) return false;
    const char *wrong = NULL;
    for (Says what = 0; what < SAYS_COUNT; what++)
        if (form.twice >> what & 1)
            return snprintf(problem, DATE_PROBLEM, "says the %s twice", says_words[what]), false;
    if (!form.says) wrong = "has no part of a date, such as %Y";
    if (says(&form, SAYS_YEARDAY) && (says(&form, SAYS_MONTH) || says(&form, SAYS_DAY)))
        wrong = "says the day twice: by %j, and by month and day";
    if (says(&form, SAYS_DAY) && !says(&form, SAYS_MONTH))
        wrong = "says the day of a month, but no month";
    if (says(&form, SAYS_YEARDAY) && !says(&form, SAYS_YEAR))
        wrong = "says the day of a year, but no year";
    if (says(&form, SAYS_WEEKDAY) &&
        !(says(&form, SAYS_YEAR) && (says(&form, SAYS_DAY) || says(&form, SAYS_YEARDAY))))
        wrong = "says the weekday, but no date that it is of";
    if (form.twelve != says(&form, SAYS_HALF))
        wrong = "needs %I and %p together; %H has the hours from 0 to 23";
    if (says(&form, SAYS_FRACTION) && !says(&form, SAYS_SECOND))
        wrong = "says the fraction of a second, but no second";
    if (says(&form, SAYS_ZONE) && !says(&form, SAYS_HOUR)) wrong = "says a time zone, but no hour";
    if (wrong) snprintf(problem, DATE_PROBLEM, "%s", wrong);
    return !wrong;
}

bool date_format_tells(const char *format, DatePart part) {
    enum {
        HAS_YEAR = 1 << SAYS_YEAR,
        HAS_MONTH = 1 << SAYS_MONTH | 1 << SAYS_YEARDAY,
        HAS_DAY = 1 << SAYS_DAY | 1 << SAYS_YEARDAY,
        HAS_HOUR = 1 << SAYS_HOUR,
        HAS_MINUTE = 1 << SAYS_MINUTE,
        HAS_SECOND = 1 << SAYS_SECOND
    };
    static const uint32_t needs[DATE_PARTS] = {
#define PART(name, needs, text) [DATE_##name] = needs,
#include "ir/data/date.def"
    };
    DateForm form = form_of(format);
    return !needs[part] || form.says & needs[part];
}

bool date_format_has_fraction(const char *format) {
    DateForm form = form_of(format);
    return says(&form, SAYS_FRACTION);
}

int date_format_digits(const char *format) {
    DateForm form = form_of(format);
    return form.names || form.literals ? 0 : form.digits;
}

static const char *const part_names[DATE_PARTS] = {
#define PART(name, needs, text) [DATE_##name] = #name,
#include "ir/data/date.def"
};

const char *date_part_name(DatePart part) { return part_names[part]; }

bool date_part_find(const char *name, DatePart *part) {
    for (*part = 0; *part < DATE_PARTS; ++*part)
        if (!strcmp(part_names[*part], name)) return true;
    return false;
}

/* -- reading a text -- */

typedef struct {
    const char *at;
    int values[SAYS_COUNT];
    char *problem;
} DateReading;

/* Reads a number; -1 if there is none. */
static int read_number(DateReading *reading, const Directive *directive) {
    int value = 0, digits = 0;
    for (; digits < directive->most_digits && isdigit((unsigned char)*reading->at); digits++)
        value = value * 10 + (*reading->at++ - '0');
    return digits < directive->least_digits ? -1 : value;
}

/* ".25" are 250000000 nanoseconds. */
static int read_fraction(DateReading *reading, const Directive *directive) {
    const char *begin = reading->at;
    int value = read_number(reading, directive);
    for (long digits = reading->at - begin; value >= 0 && digits < directive->most_digits; digits++)
        value *= 10;
    return value;
}

/* Reads one of several names, or their first letters, in any case; -1 if there is none. */
static int read_name(DateReading *reading, const char *const *names, int count, size_t letters) {
    for (int i = 0; i < count; i++) {
        size_t length = letters ? letters : strlen(names[i]);
        if (strncasecmp(reading->at, names[i], length)) continue;
        reading->at += length;
        return i;
    }
    return -1;
}

/* Reads "+0530", "+05:30", "-08" or "Z"; false if the text has another form. */
static bool read_zone(DateReading *reading, int *seconds) {
    static const Directive two = {.least_digits = 2, .most_digits = 2};
    char sign = *reading->at;
    *seconds = 0;
    if (sign == 'Z') return reading->at++, true;
    if (sign != '+' && sign != '-') return false;
    reading->at++;
    int hours = read_number(reading, &two), minutes = 0;
    bool colon = *reading->at == ':';
    if (colon) reading->at++;
    if (colon || isdigit((unsigned char)*reading->at)) minutes = read_number(reading, &two);
    *seconds = (sign == '-' ? -60 : 60) * (hours * 60 + minutes);
    return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

static bool read_value(DateReading *reading, const Directive *directive, int *value) {
    switch (directive->letter) {
    case 'b': *value = 1 + read_name(reading, month_names, MONTHS, ABBREVIATED); return *value > 0;
    case 'B': *value = 1 + read_name(reading, month_names, MONTHS, 0); return *value > 0;
    case 'a': *value = read_name(reading, weekday_names, WEEKDAYS, ABBREVIATED); return *value >= 0;
    case 'A': *value = read_name(reading, weekday_names, WEEKDAYS, 0); return *value >= 0;
    case 'p': *value = read_name(reading, half_names, HALVES, 0); return *value >= 0;
    case 'z': return read_zone(reading, value);
    case 'f': *value = read_fraction(reading, directive); return *value >= 0;
    case 'e': reading->at += *reading->at == ' '; break; /* " 5" */
    default: break;
    }
    *value = read_number(reading, directive);
    return *value >= 0;
}

static bool read_directive(DateReading *reading, const Directive *directive) {
    int value;
    const char *at = reading->at;
    if (!read_value(reading, directive, &value)) {
        char letter = directive->letter;
        snprintf(reading->problem, DATE_PROBLEM, ": '%.20s' stands where %%%c is", at, letter);
        if (!*at) snprintf(reading->problem, DATE_PROBLEM, ": it ends where %%%c is", letter);
        return false;
    }
    if (directive->most_digits && (value < directive->low || value > directive->high)) {
        snprintf(reading->problem, DATE_PROBLEM, "is no date: there is no %s %d",
                 says_words[directive->says], value);
        return false;
    }
    if (directive->letter == 'y') value += value < 69 ? 2000 : 1900;
    if (directive->letter == 'I') value %= MONTHS;
    reading->values[directive->says] = value;
    return true;
}

/* A space of the format stands for one or more spaces of the text. */
static bool read_literal(DateReading *reading, char literal) {
    if (*reading->at != literal) {
        if (*reading->at)
            snprintf(reading->problem, DATE_PROBLEM, ": '%.20s' stands where '%c' is", reading->at,
                     literal);
        else
            snprintf(reading->problem, DATE_PROBLEM, ": it ends where '%c' is", literal);
        return false;
    }
    reading->at++;
    while (literal == ' ' && *reading->at == ' ') reading->at++;
    return true;
}

static bool read_text(DateReading *reading, const char *format) {
    for (const char *at = format; *at; at++) {
        const Directive *directive = *at == '%' ? directive_of(at[1]) : NULL;
        at += *at == '%';
        while (*at == ' ' && at[1] == ' ') at++;
        bool good = !directive             ? read_literal(reading, *at)
                    : directive->short_for ? read_text(reading, directive->short_for)
                                           : read_directive(reading, directive);
        if (!good) return false;
    }
    return true;
}

/* -- the calendar -- */

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int days_of_month(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to 1 January of a year. */
static int64_t days_before_year(int64_t year) {
    int64_t before = year - 1;
    return 365 * (year - 1970) + before / 4 - before / 100 + before / 400 -
           (1969 / 4 - 1969 / 100 + 1969 / 400);
}

enum { DAY = 24 * 60 * 60 };

/* Finds year, month and day from the days since 1970; false if the year is not from 1 to 9999. */
static bool find_day(int64_t days, Date *date) {
    int64_t year = 1970 + days / 366, within;
    while (year <= 9999 && days_before_year(year + 1) <= days) year++;
    while (year >= 1 && days_before_year(year) > days) year--;
    if (year < 1 || year > 9999) return false;
    within = days - days_before_year(year);
    date->parts[DATE_year] = year;
    date->parts[DATE_yearday] = within + 1;
    /* 1970 began on a Thursday */
    date->parts[DATE_weekday] = ((days + 3) % WEEKDAYS + WEEKDAYS) % WEEKDAYS;
    int month = 1;
    for (; within >= days_of_month(year, month); month++) within -= days_of_month(year, month);
    date->parts[DATE_month] = month;
    date->parts[DATE_day] = within + 1;
    return true;
}

/* Counts the days since 1970. Facts that the text does not give are those of 1970-01-01; a day
 * without a year may be 29 February. */
static bool count_days(const DateReading *reading, const DateForm *form, int64_t *days) {
    const int *values = reading->values;
    int64_t year = says(form, SAYS_YEAR) ? values[SAYS_YEAR] : 1970;
    int month = says(form, SAYS_MONTH) ? values[SAYS_MONTH] : 1,
        day = says(form, SAYS_DAY) ? values[SAYS_DAY] : 1;
    *days = days_before_year(year);
    if (says(form, SAYS_YEARDAY) && values[SAYS_YEARDAY] > 365 + is_leap(year)) {
        snprintf(reading->problem, DATE_PROBLEM, "is no date: %d has 365 days", values[SAYS_YEAR]);
        return false;
    }
    if (says(form, SAYS_YEARDAY)) return *days += values[SAYS_YEARDAY] - 1, true;
    int64_t calendar = says(form, SAYS_YEAR) ? year : 1972;
    if (day > days_of_month(calendar, month)) {
        char of_year[16] = "";
        if (says(form, SAYS_YEAR)) snprintf(of_year, sizeof of_year, " %d", (int)year);
        snprintf(reading->problem, DATE_PROBLEM, "is no date: %s%s has %d days",
                 month_names[month - 1], of_year, days_of_month(calendar, month));
        return false;
    }
    for (int before = 1; before < month; before++) *days += days_of_month(year, before);
    *days += day - 1;
    return true;
}

bool date_from_seconds(int64_t seconds, Date *date) {
    /* rounded down, also before 1970 */
    int64_t rest = (seconds % DAY + DAY) % DAY, days = (seconds - rest) / DAY;
    date->parts[DATE_seconds] = seconds;
    date->nanoseconds = 0;
    date->parts[DATE_hour] = rest / 3600;
    date->parts[DATE_minute] = rest / 60 % 60;
    date->parts[DATE_second] = rest % 60;
    return find_day(days, date);
}

static bool make_date(const DateReading *reading, const DateForm *form, Date *date) {
    const int *values = reading->values;
    int64_t days;
    if (!count_days(reading, form, &days)) return false;
    int64_t weekday = ((days + 3) % WEEKDAYS + WEEKDAYS) % WEEKDAYS;
    if (says(form, SAYS_WEEKDAY) && weekday != values[SAYS_WEEKDAY]) {
        snprintf(reading->problem, DATE_PROBLEM, "is no date: that day is a %s",
                 weekday_names[weekday]);
        return false;
    }
    int64_t hour = values[SAYS_HOUR] + 12 * values[SAYS_HALF];
    int64_t seconds = days * DAY + hour * 3600 + values[SAYS_MINUTE] * 60 + values[SAYS_SECOND] -
                      values[SAYS_ZONE];
    bool known = date_from_seconds(seconds, date);
    date->nanoseconds = values[SAYS_FRACTION];
    if (known) return true;
    snprintf(reading->problem, DATE_PROBLEM,
             "is no date: in UTC it is outside of the years 1 to 9999");
    return false;
}

bool date_read(const char *format, const char *text, Date *date, char problem[DATE_PROBLEM]) {
    char detail[DATE_PROBLEM] = "";
    DateReading reading = {.at = text, .problem = detail};
    DateForm form = form_of(format);
    bool good = read_text(&reading, format);
    if (good && *reading.at) {
        snprintf(detail, sizeof detail, ": '%.20s' is left over", reading.at);
        good = false;
    }
    if (good) good = make_date(&reading, &form, date);
    if (!good && *detail == ':')
        snprintf(problem, DATE_PROBLEM, "does not fit the format \"%.80s\"%.60s", format, detail);
    else if (!good)
        snprintf(problem, DATE_PROBLEM, "%s", detail);
    return good;
}

bool date_format_of(const char *text, char format[DATE_FORMAT]) {
    static const char *const days[] = {"%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y",
                                       "%Y/%m/%d", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y"};
    static const char *const times[] = {"",          " %H:%M",      " %H:%M:%S",   "T%H:%M",
                                        "T%H:%M:%S", "T%H:%M:%S%z", " %H:%M:%S%z", " %H:%M:%S.%f"};
    char problem[DATE_PROBLEM];
    Date date;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
            snprintf(format, DATE_FORMAT, "%s%s", days[i], times[k]);
            if (date_read(format, text, &date, problem)) return true;
        }
    return false;
}
