/* The IDX reader: files that it reads, files that it rejects and the messages, and damaged files,
 * which do no more harm than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/formats/idx.h"
#include "temporary.h"

enum { ROWS = 50, SIDE = 6, DATA = ROWS * SIDE * SIDE, HEADER = 16, WHOLE = HEADER + DATA };

static uint8_t whole[WHOLE];

/* Opens and reads a file; NULL if that went well. */
static const char *finding(const char *name) {
    static Problem problem;
    IdxFile file;
    strcpy(problem.finding, "");
    if (!idx_open(&file, temporary_path(name), &problem)) return problem.finding;
    uint8_t *data = malloc(file.bytes);
    bool good = idx_read(&file, data, &problem);
    if (good && file.bytes == DATA) good = !memcmp(data, whole + HEADER, DATA);
    idx_close(&file);
    free(data);
    return good ? NULL : problem.finding;
}

static void expect_finding(const uint8_t *bytes, size_t count, const char *text) {
    temporary_write("bad", bytes, count);
    const char *found = finding("bad");
    assert_non_null(found);
    if (!strstr(found, text)) fail_msg("expected \"%s\" in \"%s\"", text, found);
}

static void test_reads_plain_and_packed(void **state) {
    (void)state;
    IdxFile file;
    Problem problem;
    temporary_write("plain", whole, WHOLE);
    temporary_write_packed("packed", whole, WHOLE);
    assert_null(finding("plain"));
    assert_null(finding("packed"));
    assert_true(idx_open(&file, temporary_path("packed"), &problem));
    assert_true(shape_equal(file.shape, shape_of(3, (int64_t[]){ROWS, SIDE, SIDE})));
    assert_int_equal(file.bytes, DATA);
    idx_close(&file);
}

static void test_header_round_trip(void **state) {
    (void)state;
    uint8_t header[IDX_MAX_HEADER];
    assert_int_equal(idx_header(shape_of(3, (int64_t[]){ROWS, SIDE, SIDE}), header), HEADER);
    assert_memory_equal(header, whole, HEADER);
}

static void test_joined_gzip_members(void **state) {
    (void)state;
    uint8_t packed[2 * WHOLE];
    temporary_write_packed("first", whole, 100);
    temporary_write_packed("second", whole + 100, WHOLE - 100);
    size_t length = temporary_read("first", packed, sizeof packed);
    length += temporary_read("second", packed + length, sizeof packed - length);
    temporary_write("joined", packed, length);
    assert_null(finding("joined"));
}

/* Writes `value` at `offset` of the header and expects a finding. */
static void expect_header(size_t offset, uint8_t value, const char *text) {
    uint8_t bytes[WHOLE];
    memcpy(bytes, whole, WHOLE);
    bytes[offset] = value;
    expect_finding(bytes, WHOLE, text);
}

static void test_refuses_headers(void **state) {
    (void)state;
    expect_header(0, 0x89, "is not an IDX file: it begins with the bytes 89 00 08 03");
    expect_header(2, 0x0d, "of type 0x0d (32-bit floats), expected 0x08 (bytes)");
    expect_header(2, 0x77, "of type 0x77 (no type of IDX)");
    expect_header(3, 0, "has 0 dimensions");
    expect_header(3, 7, "has 7 dimensions in its IDX header, expected 1 to 6");
    expect_header(7, 0, "dimension 0 has size 0");
    expect_header(4, 0xff, "dimension 0 has size 4278190130");
    expect_header(4, 0x7f, "is cut short: its header promises 2130706482 x 6 x 6");
    expect_header(7, ROWS - 1,
                  "is too long: its header promises 49 x 6 x 6 = 1764 bytes, but 1800 follow");
}

static void test_refuses_lengths(void **state) {
    (void)state;
    uint8_t longer[WHOLE + 1] = {0};
    memcpy(longer, whole, WHOLE);
    expect_finding(longer, WHOLE + 1,
                   "is too long: its header promises 50 x 6 x 6 = 1800 bytes, but 1801 follow");
    expect_finding(whole, WHOLE - 1,
                   "is cut short: its header promises 50 x 6 x 6 = 1800 bytes, but 1799 follow");
    expect_finding(whole, 9, "it ends inside its IDX header");
    expect_finding(whole, 0, "it ends inside its IDX header");
    assert_non_null(strstr(finding("missing"), "No such file"));
    assert_non_null(strstr(finding("."), "Is a directory"));
}

static void test_refuses_packed(void **state) {
    (void)state;
    uint8_t packed[WHOLE + 64], longer[WHOLE + 1] = {0};
    memcpy(longer, whole, WHOLE);
    temporary_write_packed("packed", whole, WHOLE);
    size_t length = temporary_read("packed", packed, sizeof packed);
    expect_finding(packed, length - 1, "is cut short: its gzip data do not end");
    expect_finding(packed, 3, "is cut short: its gzip data do not end");
    packed[length] = 0;
    expect_finding(packed, length + 1, "continues after the end of its gzip data");
    packed[length - 5] ^= 1;
    expect_finding(packed, length, "is damaged: incorrect data check");
    temporary_write_packed("longer", longer, sizeof longer);
    assert_non_null(strstr(finding("longer"), "is too long"));
    temporary_write_packed("shorter", whole, WHOLE - 1);
    assert_non_null(strstr(finding("shorter"), "but only 1799 follow"));
}

/* A header cannot make the reader allocate more memory than the file could fill. */
static void test_promises_are_bounded(void **state) {
    (void)state;
    uint8_t bytes[HEADER] = {0, 0, 8,    3,    0x7f, 0xff, 0xff, 0xff,
                             0, 0, 0x7f, 0xff, 0,    0,    0x7f, 0xff};
    temporary_write_packed("bomb", bytes, HEADER);
    assert_non_null(strstr(finding("bomb"), "is cut short"));
}

static uint32_t draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Damages one to four bytes of a file, and in one of four cases its length. */
static size_t mutate(uint8_t *bytes, size_t length, uint64_t *random) {
    for (uint32_t i = draw(random) % 4 + 1; i > 0; i--) {
        size_t range = draw(random) % 2 ? length : 24;
        bytes[draw(random) % range] = (uint8_t)draw(random);
    }
    return draw(random) % 4 ? length : draw(random) % (length + 8);
}

static void test_survives_damage(void **state) {
    (void)state;
    uint8_t packed[WHOLE + 64] = {0}, bytes[WHOLE + 64];
    uint64_t random = 1;
    int refused = 0;
    temporary_write_packed("packed", whole, WHOLE);
    size_t packed_length = temporary_read("packed", packed, sizeof packed);
    for (int i = 0; i < 4000; i++) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, i % 2 ? packed : whole, i % 2 ? packed_length : WHOLE);
        temporary_write("bad", bytes, mutate(bytes, i % 2 ? packed_length : WHOLE, &random));
        const char *found = finding("bad");
        if (found && *found) refused++;
    }
    assert_true(refused > 2500); /* damage to the elements of a plain file cannot be seen */
}

int main(void) {
    uint8_t data[DATA];
    for (int i = 0; i < DATA; i++) data[i] = (uint8_t)(i * i / 7);
    assert_int_equal(idx_bytes(whole, 3, (int[]){ROWS, SIDE, SIDE}, data), WHOLE);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_plain_and_packed), cmocka_unit_test(test_header_round_trip),
        cmocka_unit_test(test_joined_gzip_members),    cmocka_unit_test(test_refuses_headers),
        cmocka_unit_test(test_refuses_lengths),        cmocka_unit_test(test_refuses_packed),
        cmocka_unit_test(test_promises_are_bounded),   cmocka_unit_test(test_survives_damage),
    };
    return cmocka_run_group_tests(tests, temporary_set_up, temporary_tear_down);
}
