/* A graph as a program of the CPU or of a GPU. */
#ifndef MLC_TESTS_SUPPORT_COMPILE_ON_H
#define MLC_TESTS_SUPPORT_COMPILE_ON_H

#include "runtime/device/device.h"

/* Compiles a graph, which it takes over, at -O2. device NULL: for `threads` threads of the CPU. NULL
 * after reporting errors in the graph's diagnostics. */
Program *compile_on(Device *device, Graph *graph, int threads);

#endif
