#include "engine/build/device.h"

#include <stdlib.h>
#include <string.h>

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

bool build_open_device(Build *build) {
    const char *text = build->options.device;
    if (!text || !strcmp(text, "cpu")) return true;
    int number = cuda_number(text);
    if (number < 0) {
        diag_error(build->diag, STATUS_USAGE, (Span){0}, "--device does not take '%s'", text);
        diag_help(build->diag, "it takes cpu, cuda, or cuda:N for GPU N, counted from 0");
        return false;
    }
    build->device = device_open(number, build->diag);
    build->options.on_device = build->device != NULL;
    return build->device != NULL;
}

Program *build_for_device(Device *device, Plan *plan, Graph *graph, const CodegenOptions *options,
                          Diagnostics *diag) {
    CodegenOptions for_gpu = *options;
    for_gpu.ptx = true;
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
