/* Manual pages and completions of shells, made from the tables commands.def and options.def. */
#ifndef MLC_CLI_SHOW_HELP_PAGES_H
#define MLC_CLI_SHOW_HELP_PAGES_H

#include <stdbool.h>
#include <stdio.h>

/* The manual page mlc(1), or that of a command such as mlc-train(1), in the macros of man(7). NULL
 * is mlc(1). False if there is no such command. */
bool help_print_man(const char *command, FILE *out);

/* A script that makes a shell ("bash", "zsh" or "fish") complete commands, options, choices and
 * files. False if the shell is another one. */
bool help_print_completion(const char *shell, FILE *out);

#endif
