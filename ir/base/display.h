/* Text that came from users, made fit to print: names of files and classes, cells of tables, lines
 * of models. A control character, or a byte that is not UTF-8, is printed as '?', a tab as a space.
 * Every character takes one column. */
#ifndef MLC_IR_BASE_DISPLAY_H
#define MLC_IR_BASE_DISPLAY_H

#include "ir/base/arena.h"

#include <stddef.h>
#include <stdio.h>

/* Prints the first character of text[0, bytes), which is not empty; returns how many bytes it
 * has. */
size_t display_character(const char *text, size_t bytes, FILE *out);
void display_text(const char *text, FILE *out);
/* How many columns text[0, bytes) takes. */
size_t display_columns(const char *text, size_t bytes);
/* How many bytes of a text fit into a number of columns. */
size_t display_fitting(const char *text, size_t columns);
/* The message with names in quotes of more than 200 bytes shortened: 'aaa...aaa' (100000 bytes). A
 * message without such names is cut after 4,000 bytes. */
const char *display_shortened(Arena *arena, const char *message);

#endif
