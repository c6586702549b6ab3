/* Programs of a device: the driver compiles them, and a DeviceRun runs them. */
#include "runtime/device/device_program.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/device/device_memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const DeviceCode *device_code(const Program *program) { return program->context; }

/* The driver's log is one line for each finding; the first one tells most. */
static void help_with_log(char *log, Diagnostics *diag) {
    log[strcspn(log, "\n")] = '\0';
    if (*log) diag_help(diag, "the driver says: %s", log);
}

static bool load(DeviceCode *code, const char *ptx, Diagnostics *diag) {
    enum { LOG_BYTES = 1024 };
    Device *device = code->device;
    char log[LOG_BYTES] = "";
    int options[] = {CUDA_ERROR_TEXT, CUDA_ERROR_TEXT_BYTES};
    void *values[] = {log, (void *)(uintptr_t)(LOG_BYTES - 1)};
    int blocks = 0;
    if (!device_use(device, diag)) return false;
    if (!DEVICE_CALL(device, diag, cuModuleLoadDataEx, &code->module, ptx, 2, options, values)) {
        help_with_log(log, diag);
        return false;
    }
    if (!DEVICE_CALL(device, diag, cuModuleGetFunction, &code->function, code->module, "step") ||
        !DEVICE_CALL(device, diag, cuOccupancyMaxActiveBlocksPerMultiprocessor, &blocks,
                     code->function, DEVICE_BLOCK, 0))
        return false;
    code->blocks = (unsigned)device->facts.processors;
    if (blocks > 0 && code->blocks > 0) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "GPU %d (%s) has no room for a block of %d threads",
               device->facts.number, device->facts.name, DEVICE_BLOCK);
    diag_help(diag, "--device cpu computes the same bits");
    return false;
}

static void destroy_program(Program *program) {
    DeviceCode *code = program->context;
    const CudaDriver *driver = &code->device->driver;
    if (code->module && !driver->cuCtxSetCurrent(code->device->context))
        driver->cuModuleUnload(code->module);
    free(code->output_offsets);
    plan_free(code->plan);
    graph_free(code->graph);
    free(code);
    free(program);
}

static void run_nothing(const Program *program, const StepArgs *args, uint32_t kernel,
                        int64_t first, int64_t last) {
    (void)program, (void)args, (void)kernel, (void)first, (void)last;
    assert(0 && "a runner runs the steps of a device");
}

static void find_outputs(DeviceCode *code) {
    code->output_offsets =
        memory_array(code->graph->output_count, sizeof *code->output_offsets, "a program");
    for (uint32_t k = 0; k < code->plan->kernel_count; k++)
        for (uint32_t i = 0; i < code->plan->kernels[k].store_count; i++) {
            Storage to = code->plan->kernels[k].stores[i].to;
            if (to.kind == STORAGE_OUTPUT) code->output_offsets[to.index] = to.offset;
        }
}

Program *device_program(Device *device, const char *ptx, Plan *plan, Graph *graph,
                        Diagnostics *diag) {
    double start = seconds_now();
    DeviceCode *code = MEMORY_NEW(DeviceCode, "a program");
    Program *program = MEMORY_NEW(Program, "a program");
    *code = (DeviceCode){.device = device, .plan = plan, .graph = graph};
    find_outputs(code);
    *program = (Program){.graph = graph,
                         .states = plan->states,
                         .state_count = plan->state_count,
                         .output_bytes = plan->output_bytes,
                         .output_offsets = code->output_offsets,
                         .plan = plan,
                         .run = run_nothing,
                         .destroy = destroy_program,
                         .context = code,
                         .device = device};
    bool good = load(code, ptx, diag);
    program->compile_seconds = seconds_now() - start;
    if (good) return program;
    program_free(program);
    return NULL;
}
