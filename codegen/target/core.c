/* The cores, as measured by `mlc tune` on one machine of each family. */
#include "codegen/target/core.h"

#include <string.h>

/* Zen 4: four steps take up to 15 % more time than two or one. Where zeros are skipped, a tile of 2
 * x 8 is 22 % faster than one of 8 x 2, although it loads four times as many lines for the same
 * sums: so a line costs at most half of what it costs Intel. Intel, with two ports for
 * multiply-adds of 512 bits: four steps make products of a dense layer 10 % faster than two. A
 * square root and a division take 20 cycles for a vector. The core looks ahead by about 55 cycles
 * of multiply-adds, as it has registers for no more results. So it cannot hide one after the other
 * by itself: weight gradients with Adam take 10 % less time if the epilogue starts them early. If
 * weights of up to 128 kB are read again for every eight rows, products of many rows whose epilogue
 * reads other arrays take half the time. Neither was measured on Zen. */
static const Core cores[] = {
    {.family = "znver", .steps = 2, .line_fetch = 2},
    {.family = "", .steps = 4, .line_fetch = 4, .starts_slow_ops = true, .few_columns = 32 * 1024},
};

const Core *core_of(const char *cpu) {
    const Core *core = cores;
    while (strncmp(cpu, core->family, strlen(core->family)) != 0) core++;
    return core;
}
