/* Protobuf messages as bytes. The expected bytes are those of protobuf's encoding guide:
 * https://protobuf.dev/programming-guides/encoding */
#include "onnx/wire/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void expect(WireWriter *writer, const char *bytes, size_t length) {
    assert_int_equal(writer->length, length);
    assert_memory_equal(writer->bytes, bytes, length);
    wire_free(writer);
}
#define EXPECT(writer, text) expect(writer, text, sizeof text - 1)

static void test_numbers(void **state) {
    (void)state;
    WireWriter writer = {0};
    wire_int(&writer, 1, 150);
    EXPECT(&writer, "\x08\x96\x01");
    wire_int(&writer, 1, -1);
    EXPECT(&writer, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    wire_float(&writer, 2, 1.5f);
    EXPECT(&writer, "\x15\0\0\xc0\x3f");
    wire_int(&writer, 20, 7); /* a key of two bytes */
    EXPECT(&writer, "\xa0\x01\x07");
}

static void test_texts(void **state) {
    (void)state;
    WireWriter writer = {0};
    wire_text(&writer, 2, "testing");
    wire_text(&writer, 2, "");
    EXPECT(&writer, "\x12\x07testing\x12\0");
}

/* A message in a message, whose content is so long that its length takes two bytes. */
static void test_nested(void **state) {
    (void)state;
    WireWriter writer = {0};
    char long_text[200];
    memset(long_text, 'a', sizeof long_text);
    size_t outer = wire_begin(&writer, 3);
    wire_int(&writer, 1, 150);
    size_t inner = wire_begin(&writer, 4);
    wire_bytes(&writer, 1, long_text, sizeof long_text);
    wire_end(&writer, inner);
    wire_end(&writer, outer);
    assert_int_equal(writer.length, 3 + 3 + 3 + 3 + 200);
    assert_memory_equal(writer.bytes, "\x1a\xd1\x01\x08\x96\x01\x22\xcb\x01\x0a\xc8\x01", 12);
    assert_memory_equal(writer.bytes + 12, long_text, sizeof long_text);
    wire_free(&writer);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_nested)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
