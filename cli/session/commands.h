/* The commands of mlc, each in a file of its own. A command prints its answer to stdout, reports
 * errors to `diag` (main prints them) and returns the exit status. */
#ifndef MLC_CLI_SESSION_COMMANDS_H
#define MLC_CLI_SESSION_COMMANDS_H

#include "cli/session/options.h"

#define COMMAND(function, name, operands, min, max, options, help)                                 \
    Status command_##function(const Options *given, Diagnostics *diag);
#include "cli/session/commands.def"

#endif
