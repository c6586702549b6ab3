/* The cores, as measured by `mlc tune` on one machine of each family. */
#include "codegen/target/core.h"

#include <string.h>

/* Zen 4: four steps take up to 15 % more time than two or one. Where zeros are skipped, a tile of 2
 * x 8 is 22 % faster than one of 8 x 2, although it loads four times as many lines for the same
 * sums: so a line costs at most half of what it costs Intel.
 *
 * Intel, with two ports for multiply-adds of 512 bits: four steps make products of a dense layer
 * 10 % faster than two. It has two ports for loads as well, but loads of 512 bits and broadcasts
 * take one cycle each (Ice Lake, plain loops over panels, sums in 12 to 28 registers): tiles of 8 x
 * 2, 12 x 2, 13 x 2 and 16 x 1 reach 86, 84, 85 and 50 % of the peak, those of 4 x 4, 6 x 4 and 8
 * x 3 reach 98. Meanwhile lines of columns arrive from the second-level cache, at 32 bytes a cycle.
 * From the third they take three times as long. Where the update of a weight is stored along both axes,
 * tiles of 8 x 2 are 4 to 8 % faster than 4 x 4.
 *
 * A square root and a division take 20 cycles for a vector. The core looks ahead by about 55 cycles
 * of multiply-adds, as it has registers for no more results. So it cannot hide one after the other
 * by itself: weight gradients with Adam take 10 % less time if the epilogue starts them early. If
 * weights of up to 128 kB are read again for every eight rows, products of many rows whose epilogue
 * reads other arrays take half the time. A weight gradient whose rows share two sets of the
 * first-level cache takes 10 % less time if they are copied. None of these was measured on Zen. */
static const Core cores[] = {
    {.family = "znver", .steps = 2, .line_fetch = 2},
    {.family = "",
     .steps = 4,
     .line_fetch = 4,
     .wide_load = 2,
     .first_fetch = 12,
     .piece_store = 10,
     .starts_slow_ops = true,
     .few_columns = 32 * 1024,
     .ways = 8},
};

const Core *core_of(const char *cpu) {
    const Core *core = cores;
    while (strncmp(cpu, core->family, strlen(core->family)) != 0) core++;
    return core;
}
