/* Prints the syntax tree of a text, for mlc check --ast. */
#ifndef MLC_FRONTEND_SYNTAX_AST_PRINT_H
#define MLC_FRONTEND_SYNTAX_AST_PRINT_H

#include "ir/base/diag.h"

#include <stdio.h>

/* Prints one node a line, children indented by two blanks. `name` is the text's name in messages;
 * false after reporting errors. */
bool ast_print(const char *name, const char *text, size_t length, FILE *out, Diagnostics *diag);

#endif
