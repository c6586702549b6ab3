/* commands.def and options.def as what help needs of them. Private to the pages of help. */
#ifndef MLC_CLI_SHOW_HELP_TABLES_H
#define MLC_CLI_SHOW_HELP_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    const char *name;     /* NULL: the option has a letter only */
    char letter;          /* 0: none */
    const char *argument; /* "DIR"; "train|eval|predict" of a choice; "" of a flag */
    bool choice, repeatable;
    const char *help;
} HelpOption;

typedef struct {
    const char *name, *operands; /* "predict", "RUN [FILE|FOLDER...]" */
    uint64_t options;            /* bit OptionId: the command takes this option */
    const char *help;
} HelpCommand;

extern const HelpOption help_options[];
extern const uint32_t help_option_count;
extern const HelpCommand help_commands[];
extern const uint32_t help_command_count;

/* NULL: there is none of this name */
const HelpCommand *help_command(const char *name);
/* does the command take option number i? */
bool help_has(const HelpCommand *command, uint32_t option);

/* "--out", or "-O" of an option with a letter only; returns `text`. */
enum { HELP_SPELLING = 64 };
const char *help_spelling(const HelpOption *option, char text[HELP_SPELLING]);

#endif
