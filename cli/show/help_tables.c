/* The tables of commands and options, for the pages of help. */
#include "cli/show/help_tables.h"
#include "cli/session/options.h"

#include <string.h>

enum { FLAG, TEXT, NUMBER, CHOICE, LIST };

const HelpOption help_options[] = {
#define WORD(id, word) "|" #word
#define OPTION(id, name, letter, kind, argument, low, high, standard, help)                        \
    {name, letter, &(argument)[(kind) == CHOICE], (kind) == CHOICE, (kind) == LIST, help},
#include "cli/session/options.def"
};
const uint32_t help_option_count = sizeof help_options / sizeof *help_options;

const HelpCommand help_commands[] = {
#define COMMAND(function, name, operands, least, most, options, help)                              \
    {name, operands, options, help},
#include "cli/session/commands.def"
};
const uint32_t help_command_count = sizeof help_commands / sizeof *help_commands;

const HelpCommand *help_command(const char *name) {
    for (uint32_t i = 0; i < help_command_count; i++)
        if (!strcmp(help_commands[i].name, name)) return &help_commands[i];
    return NULL;
}

bool help_has(const HelpCommand *command, uint32_t option) {
    return command->options >> option & 1;
}

const char *help_spelling(const HelpOption *option, char text[HELP_SPELLING]) {
    if (option->name)
        snprintf(text, HELP_SPELLING, "--%s", option->name);
    else
        snprintf(text, HELP_SPELLING, "-%c", option->letter);
    return text;
}
