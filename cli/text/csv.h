/* Cells of csv files that mlc writes (RFC 4180). */
#ifndef MLC_CLI_TEXT_CSV_H
#define MLC_CLI_TEXT_CSV_H

#include <stdio.h>

/* Writes a cell; in quotes if the text has a delimiter, a quote or an end of line. */
void csv_put_text(const char *text, FILE *out);

#endif
