/* Hostile data files: small good ones, damaged at random. Reading one must end in data or in a problem that is told; the sanitizers
 * see to the rest. Every file lies in memory that ends where it ends.
 *   data_fuzz_test            a thousand files of each kind
 *   data_fuzz_test 0 100000   these */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/random.h"
#include "runtime/bitmap.h"
#include "runtime/npy.h"
#include "runtime/schema_text.h"
#include "runtime/table.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ROOM = 8192, UNPACKED_MOST = 1 << 20 };
static uint64_t first_file, last_file = 1000; /* the last one is not included */

/* A file under attack. */
typedef struct {
    uint8_t bytes[ROOM];
    size_t length;
    uint64_t seed, drawn;
} Victim;

static size_t draw(Victim *victim, size_t count) {
    return (size_t)((uint64_t)random_bits(victim->seed, STREAM_AUGMENT, 0, victim->drawn++) * count >> 32);
}

static void put(Victim *victim, const void *bytes, size_t count) {
    assert_true(victim->length + count <= ROOM);
    memcpy(victim->bytes + victim->length, bytes, count);
    victim->length += count;
}

/* -- good files -- */

static void make_csv(Victim *victim) {
    static const char text[] = "name,size,\"two words\",kind\r\nann,1,0.5,\"a \"\"b\"\"\"\nbob,,-1e3,\"x,\ny\"\ncid,3,nan,x\n";
    put(victim, text, sizeof text - 1);
}

static void make_npy(Victim *victim) {
    static const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }          \n";
    const double values[6] = {1, -2, 3.5, 0, 1e300, 5};
    uint16_t length = sizeof header - 1;
    put(victim, "\x93NUMPY\1\0", 8);
    put(victim, &length, 2);
    put(victim, header, length);
    put(victim, values, sizeof values);
}

static void put_u16(Victim *victim, uint32_t value) {
    put(victim, (uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
}
static void put_u32(Victim *victim, size_t value) {
    put_u16(victim, (uint32_t)value & 0xffff);
    put_u16(victim, (uint32_t)(value >> 16));
}

/* One entry's fields that its local header and its line of the list have in common. */
static void put_entry(Victim *victim, uint32_t method, uint32_t crc, size_t packed, size_t bytes) {
    put_u16(victim, 20);
    put_u16(victim, 0);
    put_u16(victim, method);
    put_u32(victim, 0);
    put_u32(victim, crc);
    put_u32(victim, packed);
    put_u32(victim, bytes);
    put_u16(victim, 5);
    put_u16(victim, 0);
}

static void make_npz(Victim *victim) {
    Victim npy = {0};
    uint8_t packed[1024];
    z_stream stream = {0};
    make_npy(&npy);
    deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = npy.bytes, stream.avail_in = (uInt)npy.length, stream.next_out = packed, stream.avail_out = sizeof packed;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    uint32_t crc = (uint32_t)crc32(0, npy.bytes, (uInt)npy.length);
    put_u32(victim, 0x04034b50);
    put_entry(victim, 8, crc, size, npy.length);
    put(victim, "x.npy", 5);
    put(victim, packed, size);
    size_t list = victim->length;
    put_u32(victim, 0x02014b50);
    put_u16(victim, 20);
    put_entry(victim, 8, crc, size, npy.length);
    put(victim, (uint8_t[14]){0}, 14);
    put(victim, "x.npy", 5);
    size_t end = victim->length;
    put_u32(victim, 0x06054b50);
    put_u32(victim, 0);
    put_u16(victim, 1);
    put_u16(victim, 1);
    put_u32(victim, end - list);
    put_u32(victim, list);
    put_u16(victim, 0);
}

static void make_png(Victim *victim) {
    static const png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_RGBA, PNG_FORMAT_RGB_COLORMAP};
    uint8_t pixels[12 * 9 * 4], colours[256 * 3] = {0};
    png_image png = {.version = PNG_IMAGE_VERSION, .width = 12, .height = 9, .format = formats[victim->seed % 3], .colormap_entries = 256};
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 7);
    png_alloc_size_t size = ROOM;
    assert_true(png_image_write_to_memory(&png, victim->bytes, &size, 0, pixels, 0, colours));
    victim->length = size;
}

static void make_schema(Victim *victim) {
    static const char *const kinds[] = {"flat", "house \"x\""};
    const SourceField fields[] = {{.name = "image", .dtype = DTYPE_U8, .row = {3, {1, 28, 28}}},
                                  {.name = "kind", .dtype = DTYPE_I32, .categories = kinds, .category_count = 2, .is_column = true, .is_text = true}};
    char *text = schema_write(&(SourceSchema){.fields = fields, .field_count = 2});
    put(victim, text, strlen(text));
    free(text);
}

/* -- damages -- */

static void change_byte(Victim *victim) {
    victim->bytes[draw(victim, victim->length)] = (uint8_t)draw(victim, 256);
}

static void change_bit(Victim *victim) {
    victim->bytes[draw(victim, victim->length)] ^= (uint8_t)(1u << draw(victim, 8));
}

static void change_size(Victim *victim) {
    static const uint32_t sizes[] = {0, 1, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = draw(victim, victim->length);
    for (size_t i = 0; i < 4 && at + i < victim->length; i++)
        victim->bytes[at + i] = (uint8_t)(sizes[draw(victim, sizeof sizes / sizeof *sizes)] >> 8 * i);
}

static void change_sign(Victim *victim) {
    static const char signs[] = "\",\n\r'0129().e-+ {}:[]";
    victim->bytes[draw(victim, victim->length)] = (uint8_t)signs[draw(victim, sizeof signs - 1)];
}

static void remove_piece(Victim *victim) {
    size_t at = draw(victim, victim->length), count = 1 + draw(victim, 8);
    if (at + count > victim->length) count = victim->length - at;
    memmove(victim->bytes + at, victim->bytes + at + count, victim->length - at - count);
    victim->length -= count;
}

static void repeat_piece(Victim *victim) {
    size_t at = draw(victim, victim->length), count = 1 + draw(victim, 16);
    if (at + count > victim->length || victim->length + count > ROOM) return;
    memmove(victim->bytes + at + count, victim->bytes + at, victim->length - at);
    victim->length += count;
}

static void cut_off(Victim *victim) {
    victim->length = 1 + draw(victim, victim->length);
}

static void damage(Victim *victim) {
    static void (*const damages[])(Victim *) = {change_byte, change_bit, change_size, change_sign, remove_piece, repeat_piece, cut_off};
    size_t times = draw(victim, 4), kinds = sizeof damages / sizeof *damages;
    for (size_t i = 0; i < times && victim->length; i++) damages[draw(victim, draw(victim, 4) ? kinds - 1 : kinds)](victim);
}

/* -- readers -- */

typedef bool Try(const void *bytes, size_t length, Problem *problem);

static bool try_csv(const void *bytes, size_t length, Problem *problem) {
    Arena *arena = arena_new();
    Table table;
    bool good = table_read(bytes, length, &(CsvFormat){length % 5 != 0, "x", length % 7 ? ',' : ';'}, NULL, arena, &table, problem);
    if (good) assert_true(table.rows > 0 && table.column_count > 0);
    table_free(&table);
    arena_free(arena);
    return good;
}

static bool try_npy(const void *bytes, size_t length, Problem *problem) {
    NpyArray array;
    if (!npy_read(bytes, length, true, &array, problem)) return false;
    assert_true(array.bytes <= length);
    void *elements = malloc((size_t)shape_elements(array.shape) * 4);
    bool good = npy_convert(&array, elements, problem);
    free(elements);
    return good;
}

static bool try_npz(const void *bytes, size_t length, Problem *problem) {
    Arena *arena = arena_new();
    ZipEntry *entries = ARENA_ARRAY(arena, ZipEntry, ZIP_MAX_ENTRIES);
    uint32_t count = 0;
    bool good = zip_list(bytes, length, arena, entries, &count, problem);
    for (uint32_t i = 0; i < count && good; i++) {
        if (entries[i].bytes > UNPACKED_MOST * (size_t)16) fail_msg("%zu bytes of %zu", entries[i].bytes, length);
        void *unpacked = malloc(entries[i].bytes + 1);
        good = zip_unpack(bytes, length, &entries[i], unpacked, entries[i].bytes, problem) &&
               try_npy(unpacked, entries[i].bytes, problem);
        free(unpacked);
    }
    arena_free(arena);
    return good;
}

static bool try_png(const void *bytes, size_t length, Problem *problem) {
    Bitmap bitmap = {0}, look;
    uint8_t small[3 * 4 * 4];
    bool good = bitmap_decode(bytes, length, length % 2 ? 3 : 1, &bitmap, problem);
    if (good) assert_true(bitmap_look(bytes, length, &look, problem) && look.width == bitmap.width);
    if (good) bitmap_resize(&bitmap, 4, 4, small);
    bitmap_free(&bitmap);
    return good;
}

static bool try_schema(const void *bytes, size_t length, Problem *problem) {
    Arena *arena = arena_new();
    char *text = arena_copy_string(arena, bytes, length);
    SourceSchema schema;
    bool good = schema_read(text, arena, &schema);
    if (!good) problem_set(problem, "no schema");
    for (uint32_t i = 0; i < schema.field_count && good; i++) assert_non_null(schema.fields[i].name);
    arena_free(arena);
    return good;
}

static bool try_file(Victim *victim, void (*make)(Victim *), Try *try) {
    Problem problem = {0};
    make(victim);
    damage(victim);
    uint8_t *copy = malloc(victim->length + !victim->length);
    memcpy(copy, victim->bytes, victim->length);
    bool good = try(copy, victim->length, &problem);
    if (!good) assert_true(*problem.finding);
    free(copy);
    return good;
}

static void try_all(void (*make)(Victim *), Try *try) {
    uint64_t accepted = 0;
    for (uint64_t seed = first_file; seed < last_file; seed++) {
        Victim victim = {.seed = seed};
        accepted += try_file(&victim, make, try);
    }
    assert_true(accepted > 0 && accepted < last_file - first_file); /* both happen */
}

static void test_csv(void **state) { (void)state, try_all(make_csv, try_csv); }
static void test_npy(void **state) { (void)state, try_all(make_npy, try_npy); }
static void test_npz(void **state) { (void)state, try_all(make_npz, try_npz); }
static void test_png(void **state) { (void)state, try_all(make_png, try_png); }
static void test_schema(void **state) { (void)state, try_all(make_schema, try_schema); }

int main(int argc, char **argv) {
    if (argc == 3) {
        first_file = strtoull(argv[1], NULL, 10);
        last_file = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_csv), cmocka_unit_test(test_npy), cmocka_unit_test(test_npz),
                                       cmocka_unit_test(test_png), cmocka_unit_test(test_schema)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
