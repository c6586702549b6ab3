/* Runs the steps of a program on a GPU: copies states and data there, launches many steps at once,
 * and copies states and outputs back. */
#include "ir/base/clock.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "runtime/device/device_launch.h"

#include <math.h>
#include <stdlib.h>

/* A launch should not take longer: displays and Ctrl-C wait for its end. */
static const double LAUNCH_SECONDS = 0.05;
enum { MAX_STEPS = 5000, MAX_CHUNK = 64 << 20 };

static size_t state_bytes(const Program *program, uint32_t i) {
    const Symbol *symbol = &program->graph->symbols[program->states[i].symbol];
    return layout_bytes(program->states[i].layout, symbol->dtype, symbol->shape);
}

/* -- open and close -- */

static bool copy_states(DeviceRun *run) {
    const Program *program = run->program;
    for (uint32_t i = 0; i < program->state_count; i++) {
        run->copies[i] =
            device_copy(run->device, run->states[i], state_bytes(program, i), run->diag);
        if (!run->copies[i]) return false;
        if (run->copies[i]->users == 1) run->device->taken += run->copies[i]->bytes;
    }
    return true;
}

DeviceRun *device_run_new(const Program *program, void *const *states,
                          const uint64_t *const *versions, Diagnostics *diag) {
    uint32_t symbols = program->graph->symbol_count;
    DeviceRun *run = MEMORY_NEW(DeviceRun, "a batch");
    *run = (DeviceRun){.program = program,
                       .device = program->device,
                       .diag = diag,
                       .states = states,
                       .versions = versions,
                       .batch = graph_batch_rows(program->graph)};
    run->copies = memory_array(program->state_count, sizeof(DeviceCopy *), "a batch");
    run->data = memory_array(symbols, sizeof *run->data, "a batch");
    run->values = memory_array(symbols, sizeof *run->values, "a batch");
    run->clocks = memory_array(symbols, sizeof *run->clocks, "a batch");
    Device *device = run->device;
    if (device_use(device, diag) && copy_states(run) &&
        device_grow(device, &device->slab,
                    program->plan->slab_bytes + program->plan->thread_slab_bytes + 1, diag))
        return run;
    device_run_free(run);
    return NULL;
}

void device_run_free(DeviceRun *run) {
    if (!run) return;
    for (uint32_t i = 0; i < run->program->state_count; i++) {
        if (run->copies[i] && run->copies[i]->users == 1)
            run->device->taken -= run->copies[i]->bytes;
        device_copy_release(run->device, run->copies[i]);
    }
    for (uint32_t i = 0; i < run->data_count; i++)
        device_copy_release(run->device, run->data[i].copy);
    free(run->copies);
    free(run->data);
    free(run->values);
    free(run->clocks);
    device_free_host(run->device, &run->chunk);
    free(run);
}

/* -- inputs -- */

/* The entry of a symbol, new or old. */
static DeviceInput *input_entry(DeviceInput *inputs, uint32_t *count, uint32_t symbol) {
    uint32_t i = 0;
    while (i < *count && inputs[i].symbol != symbol) i++;
    if (i == *count) inputs[(*count)++] = (DeviceInput){.symbol = symbol};
    return &inputs[i];
}

static size_t symbol_bytes(const Symbol *symbol) {
    return (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype);
}

/* Copies all rows of an input. false: they do not fit, or the device has failed. */
static bool copy_data(DeviceRun *run, DeviceInput *input, const RowBlock *blocks) {
    const RowBlock *last = &blocks[ROW_BLOCKS - 1];
    size_t row = input->row_bytes, bytes = (size_t)(last->first + last->count) * row;
    bool known = device_find_copy(run->device, input->host, bytes) != NULL;
    if (!known && !device_has_room(run->device, bytes, run->diag)) return false;
    input->copy = device_copy(run->device, input->host, bytes, run->diag);
    bool good = input->copy != NULL;
    for (int i = 0; i < ROW_BLOCKS && !known && good; i++) {
        size_t at = (size_t)blocks[i].first * row;
        good = DEVICE_CALL(run->device, run->diag, cuMemcpyHtoD_v2, input->copy->address + at,
                           (const char *)input->host + at, (size_t)blocks[i].count * row);
    }
    return good;
}

void device_run_data(DeviceRun *run, uint32_t symbol, const void *data, const RowBlock *blocks) {
    const Symbol *of = &run->program->graph->symbols[symbol];
    DeviceInput *input = input_entry(run->data, &run->data_count, symbol);
    device_copy_release(run->device, input->copy);
    *input = (DeviceInput){
        .symbol = symbol, .host = data, .row_bytes = symbol_bytes(of) / (size_t)of->shape.dim[0]};
    if (!blocks || !copy_data(run, input, blocks)) run->copies_rows = true;
}

void device_run_value(DeviceRun *run, uint32_t symbol, const void *data) {
    for (uint32_t i = 0; i < run->clock_count; i++)
        if (run->clocks[i].symbol == symbol) run->clocks[i] = run->clocks[--run->clock_count];
    *input_entry(run->values, &run->value_count, symbol) =
        (DeviceInput){.symbol = symbol,
                      .host = data,
                      .row_bytes = symbol_bytes(&run->program->graph->symbols[symbol])};
}

void device_run_clock(DeviceRun *run, uint32_t symbol, size_t offset) {
    run->clocks[run->clock_count++] = (ClockInput){symbol, offset};
}

/* -- running -- */

bool device_run_begin(DeviceRun *run) {
    if (device_failed(run->device) || !device_use(run->device, run->diag)) return false;
    for (uint32_t i = 0; i < run->program->state_count; i++) {
        DeviceCopy *copy = run->copies[i];
        if (copy->version == *run->versions[i]) continue;
        if (!DEVICE_CALL(run->device, run->diag, cuMemcpyHtoD_v2, copy->address, copy->host,
                         copy->bytes))
            return false;
        copy->version = *run->versions[i];
    }
    return true;
}

int64_t device_run_count(const DeviceRun *run, int64_t left) {
    size_t one = launch_parts(run, 1).end, two = launch_parts(run, 2).end;
    double steps = run->seconds > 0 ? LAUNCH_SECONDS / run->seconds : 1;
    double room = (double)MAX_CHUNK / (double)(two > one ? two - one : 1);
    return min_i64(left, max_i64(1, (int64_t)fmin(MAX_STEPS, fmin(steps, room))));
}

static bool launch(DeviceRun *run, uint64_t steps) {
    Device *device = run->device;
    const DeviceCode *code = device_code(run->program);
    uint64_t args = device->chunk.address + run->parts.args,
             arrivals = device->chunk.address + run->parts.arrivals,
             times = device->chunk.address + run->parts.times;
    uint32_t arrived = 0;
    void *parameters[] = {&args, &steps, &arrivals, &arrived, &times}; /* the last: of timed code */
    return DEVICE_CALL(device, run->diag, cuLaunchCooperativeKernel, code->function, code->blocks,
                       1, 1, DEVICE_BLOCK, 1, 1, 0, NULL, parameters) &&
           device_expect(device, device->driver.cuCtxSynchronize(), "cuCtxSynchronize", run->diag);
}

bool device_run_steps(DeviceRun *run, const int32_t *rows, const RunClock *clocks, int64_t count) {
    size_t steps = (size_t)count;
    if (device_failed(run->device) || !launch_fill(run, rows, clocks, steps)) return false;
    const ChunkParts *parts = &run->parts;
    uint64_t base = run->device->chunk.address;
    double start = seconds_now();
    if (!DEVICE_CALL(run->device, run->diag, cuMemcpyHtoD_v2, base, run->chunk.memory,
                     parts->outputs) ||
        !launch(run, (uint64_t)count) ||
        !DEVICE_CALL(run->device, run->diag, cuMemcpyDtoH_v2, run->chunk.memory + parts->outputs,
                     base + parts->outputs, parts->end - parts->outputs))
        return false;
    run->seconds = (seconds_now() - start) / (double)count;
    return true;
}

const void *device_run_outputs(const DeviceRun *run, int64_t step) {
    return run->chunk.memory + run->parts.outputs + (size_t)step * run->program->output_bytes;
}

void device_run_time(DeviceRun *run, uint32_t marks) {
    run->times = (1 + (size_t)marks) * device_code(run->program)->blocks;
}

const uint64_t *device_run_times(const DeviceRun *run, uint32_t *blocks) {
    *blocks = device_code(run->program)->blocks;
    return (const uint64_t *)(const void *)(run->chunk.memory + run->parts.times);
}

static bool is_updated(const Program *program, uint32_t state) {
    return program->graph->symbols[program->states[state].symbol].update != NODE_NONE;
}

bool device_run_end(DeviceRun *run) {
    for (uint32_t i = 0; i < run->program->state_count; i++) {
        const DeviceCopy *copy = run->copies[i];
        if (is_updated(run->program, i) && !DEVICE_CALL(run->device, run->diag, cuMemcpyDtoH_v2,
                                                        run->states[i], copy->address, copy->bytes))
            return false;
    }
    return true;
}

void device_run_published(DeviceRun *run) {
    for (uint32_t i = 0; i < run->program->state_count; i++)
        if (is_updated(run->program, i)) run->copies[i]->version = *run->versions[i];
}
