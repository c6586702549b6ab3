/* Text as people see it, whatever wrote it: names of files and classes, cells of tables, lines of models. A character takes a column; in place
 * of what a terminal would obey (control characters) or cannot show (bytes that are no UTF-8) stands '?', of a tab a space. */
#ifndef MLC_IR_BASE_DISPLAY_H
#define MLC_IR_BASE_DISPLAY_H

#include "ir/base/arena.h"

#include <stddef.h>
#include <stdio.h>

/* Writes the first character of text[0, bytes), which is not empty, and returns how many bytes it has. */
size_t shown_character(const char *text, size_t bytes, FILE *out);
void shown_text(const char *text, FILE *out);
/* How many columns text[0, bytes) takes. */
size_t shown_columns(const char *text, size_t bytes);
/* How many bytes of a text fit into so many columns. */
size_t shown_fitting(const char *text, size_t columns);
/* A message in which the middle of every name in quotes that is longer than 200 bytes is left out, and its length said:
 * 'aaa...aaa' (100000 bytes). A message without such names ends after 4,000 bytes. */
const char *shown_shortened(Arena *arena, const char *message);

#endif
