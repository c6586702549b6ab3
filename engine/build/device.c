#include "engine/build/device.h"
#include "engine/build/choose_device.h"

#include <stdlib.h>
#include <string.h>

bool build_device_is_cpu(const char *text) { return !text || !strcmp(text, "cpu"); }
bool build_device_is_auto(const char *text) { return text && !strcmp(text, "auto"); }

/* The number of "cuda:N"; 0 of "cuda"; -1: the text is another one. */
static int cuda_number(const char *text) {
    enum { LENGTH = 4, MOST = 1000 };
    char *end;
    if (strncmp(text, "cuda", LENGTH)) return -1;
    if (!text[LENGTH]) return 0;
    if (text[LENGTH] != ':' || text[LENGTH + 1] < '0' || text[LENGTH + 1] > '9') return -1;
    long number = strtol(text + LENGTH + 1, &end, 10);
    return *end || number > MOST ? -1 : (int)number;
}

int build_device_number(const char *text, Diagnostics *diag) {
    int number = cuda_number(text);
    if (number >= 0) return number;
    diag_error(diag, STATUS_USAGE, (Span){0}, "--device does not take '%s'", text);
    diag_help(diag, "it takes cpu, auto, cuda, or cuda:N for GPU N, counted from 0");
    return -1;
}

bool build_open_device(Build *build) {
    const char *text = build->options.device;
    if (build_device_is_cpu(text)) return true;
    if (build_device_is_auto(text)) return choose_device(build);
    int number = build_device_number(text, build->diag);
    if (number < 0 || !codegen_has_gpus(build->diag)) return false;
    build->device = device_open(number, build->diag);
    build->options.on_device = build->device != NULL;
    return build->device != NULL;
}

/* Drivers that do not tell the clock get one that is low for a GPU. */
CodegenGpu build_device_gpu(const DeviceFacts *facts) {
    const double usual_clock = 1e9, usual_rate = 2e11;
    bool is_narrow = facts->major < 8 || (facts->major == 8 && facts->minor == 0);
    return (CodegenGpu){.name = facts->name,
                        .processors = facts->processors,
                        .adders = is_narrow ? 64 : 128,
                        .clock = facts->clock > 0 ? facts->clock : usual_clock,
                        .memory_rate = facts->memory_rate > 0 ? facts->memory_rate : usual_rate,
                        .cache = (double)facts->cache};
}

Program *build_for_device(Device *device, Plan *plan, Graph *graph, const CodegenOptions *options,
                          Diagnostics *diag) {
    CodegenOptions for_gpu = *options;
    for_gpu.gpu = device_facts(device)->code;
    char *ptx = codegen_ptx(plan, &for_gpu, diag);
    if (!ptx) {
        plan_free(plan);
        graph_free(graph);
        return NULL;
    }
    Program *program = device_program(device, ptx, plan, graph, diag);
    free(ptx);
    return program;
}
