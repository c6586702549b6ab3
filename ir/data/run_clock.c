/* Finds the field of a RunClock by the name of the input. */
#include "ir/data/run_clock.h"

#include <stddef.h>
#include <string.h>

int32_t *run_clock_field(RunClock *clock, const char *name) {
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {{INPUT_EPOCH, offsetof(RunClock, epoch)},
                  {INPUT_STEP, offsetof(RunClock, step)},
                  {INPUT_STEPS, offsetof(RunClock, steps)},
                  {INPUT_DRAW, offsetof(RunClock, draw)},
                  {INPUT_ROW, offsetof(RunClock, row)},
                  {INPUT_UPDATE, offsetof(RunClock, update)},
                  {INPUT_SEED_LOW, offsetof(RunClock, seed_low)},
                  {INPUT_SEED_HIGH, offsetof(RunClock, seed_high)}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!strcmp(fields[i].name, name))
            return (int32_t *)(void *)((char *)clock + fields[i].offset);
    return NULL;
}

void run_clock_seed(RunClock *clock, uint64_t seed) {
    clock->seed_low = (int32_t)(uint32_t)seed;
    clock->seed_high = (int32_t)(uint32_t)(seed >> 32);
}
