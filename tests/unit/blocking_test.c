/* The blocks of products: every row, column and step of k is in one block, tiles fit the registers,
 * spilled values fit the stack, and few rows get wide tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/matmul/blocking.h"
#include "ir/plan/plan.h"

enum { MAX_STACK = 1 << 20 };

static void assert_covered(int64_t size, int64_t block, int64_t blocks) {
    assert_true(block >= 1 && blocks >= 1);
    assert_true((blocks - 1) * block < size && size <= blocks * block);
}

static void assert_sound(const ProductSize *size, Blocking b) {
    assert_covered(size->rows, b.tile_rows, b.row_blocks);
    assert_covered(size->columns, b.vectors * LANES, b.column_blocks);
    assert_covered(size->k, b.k_block, b.k_blocks);
    assert_covered(b.row_blocks, b.chunk, b.chunks);
    assert_true(b.tile_rows <= MAX_ROWS && b.vectors <= MAX_VECTORS);
    int64_t group_sums = b.chunk * b.tile_rows * b.column_blocks * b.vectors * LANES;
    assert_true(b.k_blocks == 1 || group_sums * (int64_t)sizeof(float) <= MAX_STACK);
    assert_true(!b.lists_zeros ||
                (b.chunk + 1) * b.k_block * (int64_t)sizeof(int32_t) <= MAX_STACK);
}

static void assert_fits_registers(const ProductSize *size) {
    Blocking b = blocking_choose(size);
    int64_t registers = b.vectors * (size->many_registers ? 1 : size->short_vectors ? 4 : 2);
    assert_true(b.tile_rows * registers + registers + 1 <= (size->many_registers ? 32 : 16));
}

/* The tiles that may be measured: each is sound, none is there twice, and the first one is the cost
 * model's. */
static void assert_tiles_sound(const ProductSize *size) {
    ProductTile tiles[MAX_PRODUCT_TILES];
    uint32_t count = blocking_tiles(size, tiles);
    Blocking chosen = blocking_choose(size), first = blocking_with(size, tiles[0]);
    assert_true(chosen.tile_rows == first.tile_rows && chosen.vectors == first.vectors &&
                chosen.row_blocks == first.row_blocks && chosen.steps == first.steps);
    assert_true(count >= 1 && count <= MAX_PRODUCT_TILES);
    for (uint32_t i = 0; i < count; i++) {
        assert_sound(size, blocking_with(size, tiles[i]));
        assert_true(!size->group || size->group % tiles[i].rows == 0);
        for (uint32_t j = 0; j < i; j++)
            assert_false(tiles[i].rows == tiles[j].rows && tiles[i].vectors == tiles[j].vectors);
    }
}

static void all_sizes_are_covered(void **state) {
    (void)state;
    static const int64_t sizes[] = {1,  2,   3,   5,   8,    10,   16,   17,     33,     64,
                                    77, 100, 300, 784, 1000, 2048, 5000, 100000, 3000000};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    for (int i = 0; i < COUNT * COUNT * COUNT; i++)
        for (int flags = 0; flags < 256; flags++) {
            ProductSize size = {
                .rows = sizes[i % COUNT],
                .columns = sizes[i / COUNT % COUNT],
                .k = sizes[i / COUNT / COUNT],
                .many_registers = flags & 1,
                .short_vectors = (flags & 65) == 64,
                .panels = flags & 2,
                .lists_zeros = flags & 4,
                .run = flags & 8 ? sizes[i % COUNT] : 0,
                .columns_are_windows = flags & 16,
                .rows_adjoin = flags & 32,
                .transposes = i % 3 == 0,
                .group = flags & 128 && sizes[i % COUNT] % PLAN_ROWS == 0 ? PLAN_ROWS : 0,
                .core = core_of(flags & 1 && i % 2 ? "znver4" : "haswell")};
            assert_sound(&size, blocking_choose(&size));
            assert_fits_registers(&size);
            if (i % 7 == 0) assert_tiles_sound(&size);
        }
}

/* With few columns and a large result, every block of rows is a chunk. */
static void few_columns_are_read_again(void **state) {
    (void)state;
    ProductSize wide = {.core = core_of(""),
                        .rows = 1792,
                        .columns = 256,
                        .k = 64,
                        .many_registers = true,
                        .panels = true};
    assert_int_equal(blocking_choose(&wide).chunk, 1);
    ProductSize small = wide, packed = wide, listed = wide, deep = wide;
    small.rows = 64;
    assert_true(blocking_choose(&small).chunk > 1);
    packed.panels = false; /* the columns would be packed again and again */
    assert_true(blocking_choose(&packed).chunk > 1);
    listed.lists_zeros = true;
    assert_true(blocking_choose(&listed).chunk > 1);
    deep.k = 784;
    assert_true(blocking_choose(&deep).chunk > 1);
}

static void tiles_follow_the_shape(void **state) {
    (void)state;
    ProductSize square = {
        .core = core_of("znver4"), .rows = 64, .columns = 512, .k = 784, .many_registers = true};
    assert_int_equal(blocking_choose(&square).tile_rows, 8);
    assert_int_equal(blocking_choose(&square).vectors, 2);
    Blocking single = blocking_choose(&(ProductSize){
        .core = core_of(""), .rows = 1, .columns = 512, .k = 784, .many_registers = true});
    assert_int_equal(single.vectors, 8);
    Blocking narrow = blocking_choose(&(ProductSize){
        .core = core_of(""), .rows = 64, .columns = 10, .k = 128, .many_registers = true});
    assert_int_equal(narrow.vectors, 1);
    Blocking odd = blocking_choose(&(ProductSize){
        .core = core_of(""), .rows = 64, .columns = 77, .k = 784, .many_registers = true});
    assert_int_equal(odd.vectors, 5); /* 80 columns need 5 vectors; the tile is not padded to 6 */
    assert_int_equal(odd.tile_rows, 4);
    ProductSize pixels = {.core = core_of(""),
                          .rows = 64 * 14 * 14,
                          .columns = 6,
                          .k = 400,
                          .many_registers = true,
                          .run = 14};
    assert_int_equal(blocking_choose(&pixels).tile_rows, 14); /* a row of the picture */
    assert_int_equal(blocking_choose(&pixels).vectors, 1);
    pixels.columns = 32;
    assert_int_equal(blocking_choose(&pixels).vectors, 2);
    ProductSize across = {.core = core_of(""),
                          .rows = 6,
                          .columns = 64 * 14 * 16,
                          .k = 400,
                          .many_registers = true,
                          .columns_are_windows = true};
    /* 2 rows by 8 vectors would wait for loads */
    assert_int_equal(blocking_choose(&across).tile_rows, 6);
    assert_int_equal(blocking_choose(&across).vectors, 2);
    ProductSize taps = {
        .core = core_of(""), .rows = 25, .columns = 6, .k = 1568, .many_registers = true, .run = 5};
    assert_int_equal(blocking_choose(&taps).tile_rows, 25); /* all 25 positions of a window */
    ProductSize transposed = {.core = core_of(""),
                              .rows = 256,
                              .columns = 64,
                              .k = 1792,
                              .many_registers = true,
                              .rows_adjoin = true};
    /* all rows in one chunk, at the cost of shorter blocks of k */
    assert_int_equal(blocking_choose(&transposed).chunks, 1);
    transposed.rows_adjoin = false;
    assert_int_equal(blocking_choose(&transposed).chunks, 2);
    ProductSize zeros = {.core = core_of(""),
                         .rows = 784,
                         .columns = 512,
                         .k = 64,
                         .many_registers = true,
                         .rows_adjoin = true};
    zeros.core = core_of("znver4");
    assert_int_equal(blocking_choose(&zeros).tile_rows, 8);
    zeros.lists_zeros = true;
    /* neighbouring pixels: small tiles can skip more zeros */
    assert_int_equal(blocking_choose(&zeros).tile_rows, 4);
    zeros = (ProductSize){.core = core_of(""),
                          .rows = 64,
                          .columns = 512,
                          .k = 784,
                          .many_registers = true,
                          .lists_zeros = true};
    assert_int_equal(blocking_choose(&zeros).tile_rows, 4); /* wider tiles would wait for columns */
    zeros.core = core_of("znver4");
    assert_int_equal(blocking_choose(&zeros).tile_rows, 2); /* which that core loads faster */
    Blocking deep = blocking_choose(&(ProductSize){
        .core = core_of(""), .rows = 300, .columns = 32, .k = 100000, .many_registers = true});
    assert_true(deep.k_blocks > 1 && deep.k_block <= 512);
}

/* On Intel a load of 512 bits takes a cycle, so that square tiles are faster. Few rows find weights
 * far away, and stores along the rows want many rows. */
static void square_tiles_load_less(void **state) {
    (void)state;
    ProductSize layer = {.core = core_of("icelake-server"),
                         .rows = 64,
                         .columns = 256,
                         .k = 512,
                         .many_registers = true,
                         .panels = true};
    assert_int_equal(blocking_choose(&layer).tile_rows, 4);
    assert_int_equal(blocking_choose(&layer).vectors, 4);
    layer.rows = 8;
    assert_int_equal(blocking_choose(&layer).tile_rows, 8);
    layer.lists_zeros = true;
    assert_int_equal(blocking_choose(&layer).tile_rows, 8);
    ProductSize gradient = {.core = core_of("icelake-server"),
                            .rows = 512,
                            .columns = 256,
                            .k = 64,
                            .many_registers = true,
                            .rows_adjoin = true};
    assert_int_equal(blocking_choose(&gradient).tile_rows, 4);
    gradient.transposes = true;
    assert_int_equal(blocking_choose(&gradient).tile_rows, 8);
    gradient.core = core_of("znver5");
    gradient.transposes = false;
    assert_int_equal(blocking_choose(&gradient).tile_rows, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sizes_are_covered), cmocka_unit_test(few_columns_are_read_again),
        cmocka_unit_test(tiles_follow_the_shape), cmocka_unit_test(square_tiles_load_less)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
