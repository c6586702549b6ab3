/* Blocking: a cost model of a core chooses the tile, unless one was measured to be faster. The
 * sizes of the caches choose the rest.
 *
 * A core starts two FMAs and two loads a cycle, and an FMA takes four cycles. The cost of a tile of
 * R rows by V vectors, in half cycles, is
 *
 *     k * max(R * V multiply-adds, R + V loads, one latency) + overheads
 *
 * Eight rows by two vectors keep the multipliers busy and leave registers for the epilogue. With
 * fewer rows a tile has more vectors, so that enough sums hide the latency.
 *
 * A vector of windows crosses two cache lines and costs two loads. Columns that do not fit the
 * first-level cache come from the second level, in the time that the core takes for a line. Some
 * cores load 512 bits once a cycle only. If zeros are skipped, a tile with few rows skips more of
 * them. */
#include "codegen/matmul/blocking.h"
#include "ir/base/integers.h"
#include "ir/plan/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    SUMS = 16,     /* registers for sums if there are 32; half as many if there are 16 */
    FEW_SUMS = 12, /* if there are 16 and little else needs them: six rows of two registers */
    MAX_SUMS = 28, /* where a measurement decides; half as many if there are 16 */
    /* cycles of an FMA: four, and two that are lost when the next step waits for every sum */
    LATENCY = 6,
    USUAL_ROWS = 8,
    RUN_ROWS = 16,      /* rows of a tile of one vector whose rows are found from one address */
    ODD_ROWS = 4,       /* rows of a tile of three or five vectors */
    PER_CYCLE = 2,      /* multiply-adds, or loads, that start in a cycle */
    TILE_OVERHEAD = 60, /* half cycles: addresses, clearing and saving sums */
    PAIR_OVERHEAD = 30, /* half cycles for two vectors: they lie in a panel of their own */
    ROW_OVERHEAD = 8,   /* half cycles for one vector of a row to go through the epilogue */
    /* bytes of columns that stay in the first-level cache, besides the data that streams through
     * it */
    FIRST_LEVEL = 24 * 1024,
    LIST_STEP = 1, /* half cycles to list one k of a block of rows */
    /* half cycles of a multiply-add of LANES elements in double, and for LANES columns to become
     * double and to be compared; the same if columns and sums are kept as double, which pays from so
     * many rows on */
    EMULATED = 48,
    EMULATED_COLUMN = 18,
    EMULATED_WIDE = 40,
    WIDE_ROWS = 4,
};

/* Limits in elements. Rows of a chunk and columns of a tile should leave room for each other in the
 * second-level cache. */
enum {
    WHOLE_K = 1024, /* up to this, k is not cut if the columns need no packing */
    MAX_K = 512,    /* steps in a block if k is cut */
    /* steps in a shorter block, so that a chunk has all rows: then memory is read without gaps */
    ENOUGH_K = 256,
    CHUNK = MAX_PACKED, /* rows times k: a quarter of a second-level cache */
    LARGE = 64 * 1024   /* rows times columns: a result that leaves the second-level cache */
};

/* Percent of k for which any of `rows` rows is not zero, measured on MNIST. The rows are images, or
 * neighbouring pixels. */
static int64_t density(const ProductSize *size, int64_t rows) {
    static const int64_t images[] = {0,  19, 29, 35, 39, 42, 44, 45, 47,
                                     48, 49, 50, 50, 51, 52, 52, 53};
    static const int64_t pixels[] = {0,  19, 22, 26, 28, 31, 34, 37, 40,
                                     44, 48, 51, 54, 58, 61, 60, 58};
    return (size->rows_adjoin ? pixels : images)[min_i64(rows, RUN_ROWS)];
}

/* How many registers a vector of LANES elements takes. */
static int64_t vector_registers(const ProductSize *size) {
    return size->many_registers ? 1 : size->short_vectors ? 4 : 2;
}

/* Whether a tile keeps its columns and sums as double: a row by a vector takes half of 16 registers
 * for sums. */
static bool is_wide(const ProductSize *size, int64_t rows, int vectors) {
    return size->emulated && size->rows >= WIDE_ROWS && rows == 1 && vectors == 1;
}

/* The loads of one k of a tile in half cycles: an element of each row, and the columns, whose lines
 * may come from another cache than the first one. */
static int64_t load_cost(const ProductSize *size, int64_t rows, int vectors, int line_fetch) {
    const Core *core = size->core;
    int64_t registers = vectors * vector_registers(size), fetches = registers * line_fetch;
    if (size->columns_are_windows) registers *= 2, fetches = registers;
    if (!size->many_registers || !core->wide_load) return rows + fetches;
    return max_i64((rows + registers) * core->wide_load, fetches);
}

/* The half cycles for a line of columns from the cache that holds them: columns that do not fit the
 * first-level cache come from the second one, and the first block of rows finds weights farther
 * away. */
static int line_fetch(const ProductSize *size, int vectors, bool first) {
    const Core *core = size->core;
    bool near = vectors * LANES * size->k * (int64_t)sizeof(float) <= FIRST_LEVEL;
    if (first && size->panels && core->first_fetch) return core->first_fetch;
    return near ? 1 : core->line_fetch;
}

/* The cost of one k of a tile in half cycles (see above). One multiply-add takes 1. first: of the
 * first block of rows. */
static int64_t step_cost(const ProductSize *size, int64_t rows, int vectors, bool first) {
    if (is_wide(size, rows, vectors)) return EMULATED_WIDE;
    if (size->emulated) return vectors * (rows * EMULATED + EMULATED_COLUMN);
    int64_t loads = load_cost(size, rows, vectors, line_fetch(size, vectors, first));
    int64_t sums = rows * vectors * vector_registers(size);
    return max_i64(max_i64(sums, loads), PER_CYCLE * LATENCY) + 1;
}

static int64_t tile_cost(const ProductSize *size, const Blocking *b, bool first) {
    int64_t rows = b->tile_rows, vectors = b->vectors;
    int64_t steps = size->lists_zeros ? size->k * density(size, rows) / 100 : size->k;
    int64_t stores = size->transposes ? vectors * LANES * size->core->piece_store : 0;
    return steps * step_cost(size, rows, b->vectors, first) + ROW_OVERHEAD * rows * vectors +
           PAIR_OVERHEAD * vectors / 2 + TILE_OVERHEAD + stores;
}

static int64_t max_rows(const ProductSize *size, int vectors) {
    if (vectors > 1 && vectors % 2) return ODD_ROWS;
    /* Other things than sums need registers: the update of a weight in the epilogue of its
     * gradient, addresses of the rows at the steps of a list, several registers for a vector. A
     * group of rows is not divided by six. */
    bool few =
        vectors > 1 || size->group || size->rows_adjoin || size->lists_zeros || size->short_vectors;
    int64_t sums = size->many_registers ? SUMS : few ? SUMS / 2 : FEW_SUMS;
    return min_i64(RUN_ROWS, sums / (vectors * vector_registers(size)));
}

static Blocking of_tile(const ProductSize *size, int64_t rows, int vectors) {
    return (Blocking){.tile_rows = rows,
                      .vectors = vectors,
                      .row_blocks = divide_up(size->rows, rows),
                      .column_blocks = divide_up(size->columns, vectors * LANES)};
}

/* Rows of tiles as equal as can be, and no more tiles than with `most` rows each. */
static int64_t equal_rows(const ProductSize *size, int64_t most) {
    return divide_up(size->rows, divide_up(size->rows, most));
}

static Blocking with_vectors(const ProductSize *size, int vectors) {
    int64_t most = min_i64(USUAL_ROWS, max_rows(size, vectors));
    return of_tile(size, equal_rows(size, most), vectors);
}

/* A tile with as many rows as possible that divide a run of windows; without a run, one row. */
static Blocking with_run(const ProductSize *size, int vectors) {
    int64_t rows = min_i64(max_rows(size, vectors), max_i64(size->run, 1));
    while (size->run % rows) rows--;
    return of_tile(size, rows, vectors);
}

/* A tile of all rows by one vector, for products of windows by gradients. The rows are the elements
 * of a small window, at constant distances from one address. The epilogue is small, so most
 * registers can hold sums. */
static Blocking with_all_rows(const ProductSize *size) { return of_tile(size, size->rows, 1); }

/* The cost of a block of rows. */
static int64_t row_cost(const ProductSize *size, const Blocking *b, bool first) {
    int64_t lists = size->lists_zeros ? LIST_STEP * size->k + TILE_OVERHEAD : 0;
    return b->column_blocks * tile_cost(size, b, first) + lists;
}

/* The cost of all tiles. It is a double: with millions of rows, columns and k it exceeds 64
 * bits. */
static double product_cost(const ProductSize *size, const Blocking *b) {
    double others = (double)(b->row_blocks - 1) * (double)row_cost(size, b, false);
    return (double)row_cost(size, b, true) + others;
}

/* The cheaper of two; a if the costs are equal. */
static Blocking cheaper(const ProductSize *size, Blocking a, Blocking b) {
    return product_cost(size, &b) < product_cost(size, &a) ? b : a;
}

/* Chooses the cheapest tile. The widths that it tries divide a panel or are whole panels. */
static Blocking choose_tile(const ProductSize *size) {
    static const int many[] = {2, 1, 4, 8}, few[] = {1, 2};
    const int *vectors = size->many_registers ? many : few;
    int count = size->many_registers ? 4 : size->short_vectors ? 1 : 2;
    Blocking best = with_vectors(size, vectors[0]);
    for (int i = 1; i < count; i++) best = cheaper(size, best, with_vectors(size, vectors[i]));
    for (int odd = 3; odd <= 5 && size->many_registers && !size->run; odd += 2) {
        Blocking b = with_vectors(size, odd);
        /* tiles that hold no whole row would not begin where panels begin */
        if (b.column_blocks == 1) best = cheaper(size, best, b);
    }
    for (int i = 0; i < count && size->run; i++)
        best = cheaper(size, best, with_run(size, vectors[i]));
    if (size->run && size->many_registers && size->rows <= MAX_ROWS)
        best = cheaper(size, best, with_all_rows(size));
    if (is_wide(size, 1, 1)) best = cheaper(size, best, of_tile(size, 1, 1));
    return best;
}

int64_t blocking_list_room(const Blocking *b) { return b->k_block + LANES; }

/* Whether each block of rows goes through all columns before the next one does. Then the epilogue
 * reads and writes whole rows, which the processor foresees. The columns, which all blocks of rows
 * read again, must be few. It pays if the result is too large for the second-level cache. */
static bool goes_by_rows(const ProductSize *size, const Blocking *b) {
    return b->k_blocks == 1 && size->panels && !size->lists_zeros && !size->rows_adjoin &&
           size->k * size->columns <= size->core->few_columns && size->rows > LARGE / size->columns;
}

/* Divides the blocks of rows into chunks of equal size, as large as caches and stack allow. In
 * kernels by rows, a chunk is one group of rows. */
static void cut_rows(const ProductSize *size, Blocking *b) {
    int64_t chunk = CHUNK / (b->k_block * b->tile_rows);
    if (b->k_blocks > 1)
        chunk =
            min_i64(chunk, MAX_SPILLED / (b->tile_rows * b->column_blocks * b->vectors * LANES));
    if (b->lists_zeros) chunk = min_i64(chunk, LIST_ENTRIES / blocking_list_room(b));
    assert(!size->group || size->group % b->tile_rows == 0);
    if (goes_by_rows(size, b)) chunk = 1;
    /* threads pack the rows and columns of their own tiles, so they divide the longer side */
    if (size->threads > 1 && size->rows_adjoin && b->k_blocks > 1 && size->rows >= size->columns)
        chunk = min_i64(chunk, divide_up(b->row_blocks, size->threads));
    if (size->group) chunk = size->group / b->tile_rows;
    b->chunks = divide_up(b->row_blocks, max_i64(chunk, 1));
    b->chunk = divide_up(b->row_blocks, b->chunks);
    b->chunks = divide_up(b->row_blocks, b->chunk);
}

/* Chunks and blocks of k, for a chosen tile. */
static Blocking with_tile(const ProductSize *size, Blocking b) {
    /* k is not cut if the spilled sums of a single block of rows, or of a group, for all columns
     * would not fit the stack. */
    int64_t least_rows = max_i64(b.tile_rows, size->group);
    bool too_wide = least_rows * b.column_blocks * b.vectors * LANES > MAX_SPILLED;
    bool whole = (size->panels && size->k <= WHOLE_K) || too_wide;
    bool all_rows = size->rows_adjoin && size->rows * ENOUGH_K <= CHUNK;
    int64_t longest = all_rows ? min_i64(MAX_K, CHUNK / size->rows) : MAX_K;
    b.k_block = whole ? size->k : divide_up(size->k, divide_up(size->k, longest));
    b.k_blocks = divide_up(size->k, b.k_block);
    b.lists_zeros = size->lists_zeros && blocking_list_room(&b) <= LIST_ENTRIES;
    cut_rows(size, &b);
    b.wide = is_wide(size, b.tile_rows, b.vectors) && b.chunk > 1 &&
             b.k_block * LANES * (int64_t)(sizeof(double) / sizeof(float)) <= MAX_PACKED;
    return b;
}

Blocking blocking_choose(const ProductSize *size) {
    Blocking b = choose_tile(size);
    b.steps = size->core->steps;
    return with_tile(size, b);
}

/* -- tiles to be measured -- */

/* Whether a tile fits the registers, and begins where panels and the groups of rows begin. */
static bool is_possible(const ProductSize *size, int64_t rows, int vectors) {
    int64_t registers = rows * vectors * vector_registers(size);
    bool fits = registers <= (size->many_registers ? MAX_SUMS : MAX_SUMS / 2);
    bool odd = vectors > 1 && vectors % 2;
    return fits && (!odd || size->columns <= vectors * LANES) &&
           (!size->group || size->group % rows == 0);
}

/* Inserts a tile after those that cost as little or less; the first stays where it is. */
static uint32_t insert_tile(double costs[], ProductTile tiles[], uint32_t count, double cost,
                            ProductTile tile) {
    uint32_t at = count < MAX_PRODUCT_TILES ? count : MAX_PRODUCT_TILES - 1;
    if (count == MAX_PRODUCT_TILES && costs[at] <= cost) return count;
    for (; at > 1 && costs[at - 1] > cost; at--) {
        costs[at] = costs[at - 1];
        tiles[at] = tiles[at - 1];
    }
    costs[at] = cost;
    tiles[at] = tile;
    return count < MAX_PRODUCT_TILES ? count + 1 : count;
}

uint32_t blocking_tiles(const ProductSize *size, ProductTile tiles[MAX_PRODUCT_TILES]) {
    static const int widths[] = {1, 2, 3, 4, 5, 8};
    double costs[MAX_PRODUCT_TILES] = {0};
    Blocking chosen = choose_tile(size);
    uint32_t count = 1;
    tiles[0] = (ProductTile){(int)chosen.tile_rows, chosen.vectors, size->core->steps};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int rows = 1; rows <= min_i64(MAX_ROWS, size->rows); rows++) {
            Blocking b = of_tile(size, rows, widths[i]);
            bool same = rows == chosen.tile_rows && b.vectors == chosen.vectors;
            /* all tiles have about as many rows, or each stays inside a run of windows */
            bool cuts_well = size->run ? size->run % rows == 0 : equal_rows(size, rows) == rows;
            if (same || !is_possible(size, rows, b.vectors) || !cuts_well) continue;
            count = insert_tile(costs, tiles, count, product_cost(size, &b),
                                (ProductTile){rows, b.vectors, size->core->steps});
        }
    return count;
}

Blocking blocking_with(const ProductSize *size, ProductTile tile) {
    Blocking b = of_tile(size, tile.rows, tile.vectors);
    b.steps = tile.steps;
    return with_tile(size, b);
}

bool blocking_can_step(int steps) {
    return steps >= 1 && steps <= MAX_PRODUCT_STEPS && (steps & (steps - 1)) == 0;
}

void blocking_text(const ProductSize *size, char text[PRODUCT_TEXT]) {
    int at = snprintf(text, PRODUCT_TEXT, "%" PRId64 "x%" PRId64 "x%" PRId64 "%s%s%s%s", size->rows,
                      size->columns, size->k, size->panels ? ",panels" : "",
                      size->rows_adjoin ? ",rows-adjoin" : "",
                      size->columns_are_windows ? ",window-columns" : "",
                      size->lists_zeros ? ",skips-zeros" : "");
    if (size->run) at += snprintf(text + at, PRODUCT_TEXT - (size_t)at, ",run=%" PRId64, size->run);
    if (size->group) snprintf(text + at, PRODUCT_TEXT - (size_t)at, ",group=%" PRId64, size->group);
}
