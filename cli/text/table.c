/* Tables of texts. */
#include "cli/text/table.h"
#include "cli/text/terminal.h"
#include "ir/base/display.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

static void print_line(const TextTable *table, const char *const *cells, const int *widths,
                       FILE *out) {
    uint32_t last = table->columns - 1;
    while (last && !*cells[last]) last--;
    for (uint32_t c = 0; c <= last; c++) {
        if (c) fputs("  ", out);
        if (c == last && !table->right[c])
            display_text(cells[c], out);
        else
            terminal_cell(out, cells[c], table->right[c] ? widths[c] : -widths[c], widths[c]);
    }
    putc('\n', out);
}

static int columns_of(const char *cell) { return (int)display_columns(cell, strlen(cell)); }

void table_print(const TextTable *table, FILE *out) {
    int *widths = memory_array(table->columns, sizeof *widths, "the columns of a table");
    for (uint32_t c = 0; c < table->columns; c++) {
        widths[c] = columns_of(table->heads[c]);
        for (uint32_t r = 0; r < table->rows; r++)
            widths[c] = (int)max_i64(widths[c], columns_of(table->cells[r * table->columns + c]));
    }
    print_line(table, table->heads, widths, out);
    for (uint32_t r = 0; r < table->rows; r++)
        print_line(table, &table->cells[r * table->columns], widths, out);
    free(widths);
}
