/* What a launch of `count` steps needs is written into one block of the host's memory, and copied
 * at once:
 *
 *     arrivals of barriers, addresses of the states          once
 *     StepArgs, addresses of the inputs, clock, row numbers  for each step
 *     VALUE tensors                                          once
 *     rows of the data set                                   for each step, if the data stay here
 *     outputs, clocks of timed code                          for each step, copied back
 */
#include "runtime/device/device_launch.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PART_ALIGNMENT = 256 };

/* StepArgs with addresses of the GPU's memory, in the same order. */
typedef struct {
    uint64_t slab, states, inputs, rows, outputs, thread_slab;
} DeviceArgs;
_Static_assert(sizeof(DeviceArgs) == sizeof(StepArgs), "all fields are addresses");

static size_t aligned(size_t bytes) { return (size_t)round_up((int64_t)bytes, PART_ALIGNMENT); }

/* Appends a part; returns where it begins. */
static size_t part(size_t *end, size_t bytes) {
    size_t at = *end;
    *end = at + aligned(bytes);
    return at;
}

/* The room for the rows of one input in all steps. */
static size_t rows_bytes(const DeviceRun *run, const DeviceInput *input, size_t steps) {
    return aligned(steps * (size_t)run->batch * input->row_bytes);
}

ChunkParts launch_parts(const DeviceRun *run, size_t steps) {
    const Program *program = run->program;
    ChunkParts parts = {0};
    size_t values = 0, data = 0;
    for (uint32_t i = 0; i < run->value_count; i++) values += aligned(run->values[i].row_bytes);
    for (uint32_t i = 0; run->copies_rows && i < run->data_count; i++)
        data += rows_bytes(run, &run->data[i], steps);
    parts.arrivals = part(&parts.end, sizeof(uint32_t));
    parts.states = part(&parts.end, program->state_count * sizeof(uint64_t));
    parts.args = part(&parts.end, steps * sizeof(DeviceArgs));
    parts.inputs = part(&parts.end, steps * program->graph->symbol_count * sizeof(uint64_t));
    parts.clocks = part(&parts.end, steps * sizeof(RunClock));
    parts.rows = part(&parts.end, steps * (size_t)run->batch * sizeof(int32_t));
    parts.values = part(&parts.end, values);
    parts.data = part(&parts.end, data);
    parts.outputs = part(&parts.end, steps * program->output_bytes);
    parts.times = part(&parts.end, steps * run->times * sizeof(uint64_t));
    return parts;
}

/* Makes room for the block in the host's memory and in the GPU's. Pinning takes long, so the room of
 * launches that become longer is doubled. */
static bool chunk_open(DeviceRun *run, size_t steps) {
    run->parts = launch_parts(run, steps);
    size_t end = run->parts.end, room = 2 * run->chunk.bytes;
    if (end <= run->chunk.bytes || end > room) room = end;
    return device_grow_host(run->device, &run->chunk, room, run->diag) &&
           device_grow(run->device, &run->device->chunk, end, run->diag);
}

static void fill_states(const DeviceRun *run) {
    uint64_t *addresses = (uint64_t *)(void *)(run->chunk.memory + run->parts.states);
    memset(run->chunk.memory + run->parts.arrivals, 0, sizeof(uint32_t));
    for (uint32_t i = 0; i < run->program->state_count; i++) addresses[i] = run->copies[i]->address;
}

static void fill_args(const DeviceRun *run, size_t steps) {
    const Program *program = run->program;
    const Device *device = run->device;
    const ChunkParts *parts = &run->parts;
    DeviceArgs *args = (DeviceArgs *)(void *)(run->chunk.memory + parts->args);
    uint64_t base = device->chunk.address;
    for (size_t s = 0; s < steps; s++)
        args[s] = (DeviceArgs){
            .slab = device->slab.address,
            .states = base + parts->states,
            .inputs = base + parts->inputs + s * program->graph->symbol_count * sizeof(uint64_t),
            .rows = base + parts->rows + s * (size_t)run->batch * sizeof(int32_t),
            .outputs = base + parts->outputs + s * program->output_bytes,
            .thread_slab = device->slab.address + program->plan->slab_bytes};
}

/* Copies the rows that the steps read, in their order. */
static void gather(const DeviceRun *run, const DeviceInput *input, const int32_t *rows,
                   size_t steps, char *to) {
    size_t count = steps * (size_t)run->batch, bytes = input->row_bytes;
    for (size_t r = 0; r < count; r++)
        memcpy(to + r * bytes, (const char *)input->host + (size_t)rows[r] * bytes, bytes);
}

/* The addresses of inputs that are the same in all steps: [symbol_count]. */
static void fill_data(const DeviceRun *run, const int32_t *rows, size_t steps, uint64_t *inputs) {
    size_t at = run->parts.values;
    uint64_t base = run->device->chunk.address;
    for (uint32_t i = 0; i < run->value_count; i++) {
        const DeviceInput *value = &run->values[i];
        memcpy(run->chunk.memory + at, value->host, value->row_bytes);
        inputs[value->symbol] = base + at;
        at += aligned(value->row_bytes);
    }
    at = run->parts.data;
    for (uint32_t i = 0; i < run->data_count; i++) {
        const DeviceInput *input = &run->data[i];
        inputs[input->symbol] = run->copies_rows ? base + at : input->copy->address;
        if (!run->copies_rows) continue;
        gather(run, input, rows, steps, run->chunk.memory + at);
        at += rows_bytes(run, input, steps);
    }
}

static void fill_inputs(const DeviceRun *run, const int32_t *rows, const RunClock *clocks,
                        size_t steps) {
    const ChunkParts *parts = &run->parts;
    size_t symbols = run->program->graph->symbol_count;
    uint64_t *inputs = (uint64_t *)(void *)(run->chunk.memory + parts->inputs);
    uint64_t clock = run->device->chunk.address + parts->clocks;
    memset(inputs, 0, symbols * sizeof *inputs);
    fill_data(run, rows, steps, inputs);
    for (size_t s = 0; s < steps; s++) {
        uint64_t *own = inputs + s * symbols;
        if (s) memcpy(own, inputs, symbols * sizeof *own);
        for (uint32_t i = 0; i < run->clock_count; i++)
            own[run->clocks[i].symbol] = clock + s * sizeof *clocks + run->clocks[i].offset;
    }
    memcpy(run->chunk.memory + parts->clocks, clocks, steps * sizeof *clocks);
}

static void fill_rows(const DeviceRun *run, const int32_t *rows, size_t steps) {
    int32_t *to = (int32_t *)(void *)(run->chunk.memory + run->parts.rows);
    size_t count = steps * (size_t)run->batch;
    for (size_t r = 0; r < count; r++) to[r] = run->copies_rows ? (int32_t)r : rows[r];
}

bool launch_fill(DeviceRun *run, const int32_t *rows, const RunClock *clocks, size_t steps) {
    if (!chunk_open(run, steps)) return false;
    fill_states(run);
    fill_args(run, steps);
    fill_inputs(run, rows, clocks, steps);
    fill_rows(run, rows, steps);
    return true;
}
