/* UTF-8: lengths and code points of characters, and bytes that are not UTF-8. */
#include "ir/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect_character(const char *text, uint32_t code) {
    size_t length = utf8_length(text, strlen(text));
    assert_int_equal(length, strlen(text));
    assert_int_equal(utf8_code(text, length), code);
}

static void characters_of_all_lengths(void **state) {
    (void)state;
    expect_character("a", 'a');
    expect_character("\x7f", 0x7f);
    expect_character("\xc2\x80", 0x80);
    expect_character("\u07ff", 0x7ff);
    expect_character("\u0800", 0x800);
    expect_character("\uffff", 0xffff);
    expect_character("\U00010000", 0x10000);
    expect_character("\U0010ffff", 0x10ffff);
}

static void bytes_that_are_none(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\x80",             /* the middle of a character */
        "\xc3",             /* cut off */
        "\xe2\x82",         /* cut off */
        "\xc3(",            /* the second byte is wrong */
        "\xc0\x80",         /* longer than necessary */
        "\xe0\x9f\xbf",     /* longer than necessary */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf8\x88\x80\x80\x80",
        "\xff",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(utf8_length(texts[i], strlen(texts[i])), 0);
    assert_int_equal(utf8_length("", 0), 0);
}

static void whole_texts(void **state) {
    (void)state;
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_valid("h\u00e4user \U0001f3e0", 12));
    assert_false(utf8_is_valid("h\xe4user", 6));
    assert_false(utf8_is_valid("\u00e4", 1)); /* cut off */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(characters_of_all_lengths),
                                       cmocka_unit_test(bytes_that_are_none),
                                       cmocka_unit_test(whole_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
