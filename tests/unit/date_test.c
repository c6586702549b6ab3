/* Dates in text: every day of 9,999 years against a calendar that counts days, and against the C
 * library; texts that fit a format and texts that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/data/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static Date read(const char *format, const char *text) {
    Date date;
    char problem[DATE_PROBLEM] = "";
    assert_true(date_format_check(format, problem));
    if (!date_read(format, text, &date, problem))
        fail_msg("'%s' by '%s': %s", text, format, problem);
    return date;
}

static void assert_parts(const char *format, const char *text, int year, int month, int day,
                         int weekday, int yearday, int64_t seconds) {
    const int64_t expected[DATE_USUAL] = {year, month, day, weekday, yearday, seconds};
    Date date = read(format, text);
    for (int part = 0; part < DATE_USUAL; part++)
        if (date.parts[part] != expected[part])
            fail_msg("'%s': %s is %lld, not %lld", text, date_part_name((DatePart)part),
                     (long long)date.parts[part], (long long)expected[part]);
}

static void test_every_day(void **state) {
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -719162, count = 0; /* 0001-01-01, a Monday */
    for (int year = 1; year <= 9999; year++) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100);
        for (int month = 1, yearday = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (leap && month == 2);
            for (int day = 1; day <= length; day++, yearday++, days++, count++) {
                char text[40];
                Date back;
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                if (day == 1 || day == length)
                    assert_parts("%Y-%m-%d", text, year, month, day, (int)(count % 7), yearday,
                                 days * 86400);
                assert_true(date_from_seconds(days * 86400 + 86399, &back));
                assert_true(back.parts[DATE_year] == year && back.parts[DATE_month] == month &&
                            back.parts[DATE_day] == day);
                assert_true(back.parts[DATE_weekday] == count % 7 &&
                            back.parts[DATE_yearday] == yearday);
            }
        }
    }
    struct tm last = {.tm_year = 9999 - 1900, .tm_mon = 11, .tm_mday = 31};
    assert_int_equal(timegm(&last), (days - 1) * 86400);
}

/* The expected values were computed by Python. */
static void test_formats(void **state) {
    (void)state;
    assert_parts("%Y-%m-%d %H:%M:%S", "2024-06-29 13:45:10", 2024, 6, 29, 5, 181, 1719668710);
    assert_parts("%d/%m/%Y", "1/2/1969", 1969, 2, 1, 5, 32, -28857600);
    assert_parts("%d.%m.%y", "31.12.68", 2068, 12, 31, 0, 366, 3124137600);
    assert_parts("%d.%m.%y", "31.12.69", 1969, 12, 31, 2, 365, -86400);
    assert_parts("%a, %d %b %Y %T %z", "Sat, 29 Jun 2024 23:30:00 -0130", 2024, 6, 30, 6, 182,
                 1719709200);
    assert_parts("%A %e. %B %Y", "SUNDAY  1. march 1801", 1801, 3, 1, 6, 60, -5328028800);
    assert_parts("%FT%T%z", "2024-01-01T00:00:00+05:30", 2023, 12, 31, 6, 365, 1704047400);
    assert_parts("%FT%RZ", "2024-01-01T00:10Z", 2024, 1, 1, 0, 1, 1704067800);
    assert_parts("%Y%j", "2024366", 2024, 12, 31, 1, 366, 1735603200);
    assert_parts("%D %I:%M %p", "02/29/24 12:05 am", 2024, 2, 29, 3, 60, 1709165100);
    assert_parts("%I%p %Y-%m-%d", "12PM 2024-02-29", 2024, 2, 29, 3, 60, 1709208000);
    assert_parts("%Y-%m", "2024-02", 2024, 2, 1, 3, 32, 1706745600);
    assert_parts("100%% %Y", "100% 0001", 1, 1, 1, 0, 1, -62135596800);
    assert_parts("%d %Y  %m", "03   2000 04", 2000, 4, 3, 0, 94, 954720000);
    Date date = read("%T.%f", "00:01:02.25");
    assert_true(date.parts[DATE_seconds] == 62 && date.nanoseconds == 250000000);
    date = read("%T.%f", "23:59:59.000000001");
    assert_true(date.parts[DATE_hour] == 23 && date.parts[DATE_second] == 59 &&
                date.nanoseconds == 1);
}

static void test_no_dates(void **state) {
    (void)state;
    static const struct {
        const char *format, *text, *problem;
    } cases[] = {
        {"%Y-%m-%d", "2024-06-29 13:45:10",
         "does not fit the format \"%Y-%m-%d\": ' 13:45:10' is left over"},
        {"%Y-%m-%d", "2024-06-", "does not fit the format \"%Y-%m-%d\": it ends where %d is"},
        {"%Y-%m-%d", "2024-06", "does not fit the format \"%Y-%m-%d\": it ends where '-' is"},
        {"%Y-%m-%d", "24-06-29",
         "does not fit the format \"%Y-%m-%d\": '24-06-29' stands where %Y is"},
        {"%Y-%m-%d", "2024/06/29",
         "does not fit the format \"%Y-%m-%d\": '/06/29' stands where '-' is"},
        {"%Y-%m-%d", "", "does not fit the format \"%Y-%m-%d\": it ends where %Y is"},
        {"%d %b", "29 Juno", "does not fit the format \"%d %b\": 'o' is left over"},
        {"%d %b", "29 Xxx", "does not fit the format \"%d %b\": 'Xxx' stands where %b is"},
        {"%F", "2023-02-29", "is no date: February 2023 has 28 days"},
        {"%F", "1900-02-29", "is no date: February 1900 has 28 days"},
        {"%d/%m/%Y", "31/04/2020", "is no date: April 2020 has 30 days"},
        {"%d/%m", "30/02", "is no date: February has 29 days"},
        {"%F", "2023-13-01", "is no date: there is no month 13"},
        {"%F", "2023-00-01", "is no date: there is no month 0"},
        {"%F", "0000-01-01", "is no date: there is no year 0"},
        {"%T", "24:00:00", "is no date: there is no hour 24"},
        {"%T", "23:60:00", "is no date: there is no minute 60"},
        {"%T", "23:59:60", "is no date: there is no second 60"},
        {"%I %p", "13 PM", "is no date: there is no hour 13"},
        {"%Y %j", "2023 366", "is no date: 2023 has 365 days"},
        {"%a %F", "Mon 2024-06-29", "is no date: that day is a Saturday"},
        {"%FT%T%z", "0001-01-01T00:00:00+01:00",
         "is no date: in UTC it is outside of the years 1 to 9999"},
        {"%FT%T%z", "2024-01-01T00:00:00+25:00",
         "does not fit the format \"%FT%T%z\": '+25:00' stands where %z is"},
        {"%FT%T%z", "2024-01-01T00:00:00",
         "does not fit the format \"%FT%T%z\": it ends where %z is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char problem[DATE_PROBLEM] = "";
        Date date;
        assert_false(date_read(cases[i].format, cases[i].text, &date, problem));
        assert_string_equal(problem, cases[i].problem);
    }
}

static void test_no_formats(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"%d/%m/%q", "has '%q', which is no part of a date"},
        {"%d/%m/%", "ends in '%'"},
        {"when", "has no part of a date, such as %Y"},
        {"%Y %y", "says the year twice"},
        {"%F %d", "says the day twice"},
        {"%Y-%m-%d %j", "says the day twice: by %j, and by month and day"},
        {"%d", "says the day of a month, but no month"},
        {"%j", "says the day of a year, but no year"},
        {"%a %H", "says the weekday, but no date that it is of"},
        {"%I:%M", "needs %I and %p together; %H has the hours from 0 to 23"},
        {"%H:%M %p", "needs %I and %p together; %H has the hours from 0 to 23"},
        {"%Y %f", "says the fraction of a second, but no second"},
        {"%F%z", "says a time zone, but no hour"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char problem[DATE_PROBLEM] = "";
        assert_false(date_format_check(cases[i][0], problem));
        assert_string_equal(problem, cases[i][1]);
    }
}

static void test_what_formats_tell(void **state) {
    (void)state;
    assert_true(date_format_tells("%F", DATE_weekday) && date_format_tells("%Y %j", DATE_month));
    assert_false(date_format_tells("%F", DATE_hour));
    assert_false(date_format_tells("%d/%m", DATE_year));
    assert_true(date_format_tells("%T", DATE_seconds));
    assert_true(date_format_has_fraction("%T.%f"));
    assert_false(date_format_has_fraction("%T"));
    assert_int_equal(date_format_digits("%Y%m%d"), 8);
    assert_int_equal(date_format_digits("%Y-%m-%d"), 0);
    assert_int_equal(date_format_digits("%d%b%Y"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day), cmocka_unit_test(test_formats),
        cmocka_unit_test(test_no_dates), cmocka_unit_test(test_no_formats),
        cmocka_unit_test(test_what_formats_tell)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
