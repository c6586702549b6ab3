/* The parts of mlc summary: summary.c prints layers, memory and the exchange of processes,
 * summary_device.c the step on a GPU. */
#ifndef MLC_CLI_COMMANDS_SUMMARIZING_H
#define MLC_CLI_COMMANDS_SUMMARIZING_H

#include "cli/session/build.h"

void summary_print_bytes(const char *what, int64_t bytes);
/* Prints stages, memory and predicted time of the training step on GPUs, if --device asks for it.
 * false after reporting errors. */
bool summary_print_device(Build *build);

#endif
