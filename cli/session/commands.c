/* The table of commands. main.c has their functions. */
#include "cli/session/commands.h"

#include <string.h>

const CommandRow command_rows[COMMAND_COUNT] = {
#define COMMAND(function, name, operands, min, max, options, help)                                 \
    {name, operands, min, max, options, help},
#include "cli/session/commands.def"
};

const CommandRow *command_named(const char *name) {
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(command_rows[i].name, name)) return &command_rows[i];
    return NULL;
}
