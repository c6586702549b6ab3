/* A table of texts for the terminal: each column as wide as its widest cell. */
#ifndef MLC_CLI_TEXT_TABLE_H
#define MLC_CLI_TEXT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    const char *const *heads; /* [column] */
    const bool *right;        /* [column]: numbers are aligned to the right */
    const char **cells;       /* [row * columns + column]; not NULL */
    uint32_t columns, rows;
} TextTable;

/* Prints the heads and the rows, two spaces between columns. Empty cells at the end of a line leave
 * no spaces. */
void table_print(const TextTable *table, FILE *out);

#endif
