/* Cells of csv files: see csv.h. */
#include "cli/text/csv.h"

#include <string.h>

void csv_put_text(const char *text, FILE *out) {
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    putc('"', out);
}
