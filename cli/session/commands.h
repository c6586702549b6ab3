/* The commands of mlc, each in a file of its own. A command prints its answer to stdout, reports
 * errors to `diag` (main prints them) and returns the exit status. */
#ifndef MLC_CLI_SESSION_COMMANDS_H
#define MLC_CLI_SESSION_COMMANDS_H

#include "cli/session/options.h"

#define COMMAND(function, name, operands, min, max, options, help)                                 \
    Status command_##function(const Options *given, Diagnostics *diag);
#include "cli/session/commands.def"

typedef enum {
#define COMMAND(function, name, operands, min, max, options, help) COMMAND_##function,
#include "cli/session/commands.def"
    COMMAND_COUNT
} CommandId;

/* A row of commands.def. */
typedef struct {
    const char *name, *operands; /* "predict", "RUN [FILE|FOLDER...]" */
    int min_operands, max_operands;
    OptionSet options; /* bit OptionId: the command takes this option */
    const char *help;
} CommandRow;
extern const CommandRow command_rows[COMMAND_COUNT];
/* NULL: no command has this name */
const CommandRow *command_named(const char *name);

#endif
