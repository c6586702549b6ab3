/* Where programs run: on the CPU, or on a GPU that the user has named. */
#ifndef MLC_ENGINE_BUILD_DEVICE_H
#define MLC_ENGINE_BUILD_DEVICE_H

#include "engine/build/build.h"

/* Opens the device that build->options.device names, if it is not the CPU. false after reporting
 * errors. build_close closes it. */
bool build_open_device(Build *build);
/* Compiles a plan for a GPU, and takes plan and graph over. May be called by several threads at
 * once. NULL after reporting errors. */
Program *build_for_device(Device *device, Plan *plan, Graph *graph, const CodegenOptions *options,
                          Diagnostics *diag);

#endif
