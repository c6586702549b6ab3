/* Where programs run: on the CPU, or on a GPU that the user or mlc has chosen. */
#ifndef MLC_ENGINE_BUILD_DEVICE_H
#define MLC_ENGINE_BUILD_DEVICE_H

#include "engine/build/build.h"

/* Opens the device that build->options.device names, if it is not the CPU. Of "auto", the device on
 * which build->work takes less time by prediction; build->choice then says which, and why. false
 * after reporting errors. build_close closes it. */
bool build_open_device(Build *build);
/* The number of "cuda:N", and 0 of "cuda"; -1 after reporting an error: the text is another one. */
int build_device_number(const char *text, Diagnostics *diag);
/* Whether the text names the CPU; NULL does. */
bool build_device_is_cpu(const char *text);
bool build_device_is_auto(const char *text);
/* A GPU as predictions know it. */
CodegenGpu build_device_gpu(const DeviceFacts *facts);

/* Compiles a plan for a GPU, and takes plan and graph over. May be called by several threads at once.
 * NULL after reporting errors. */
Program *build_for_device(Device *device, Plan *plan, Graph *graph, const CodegenOptions *options,
                          Diagnostics *diag);

#endif
