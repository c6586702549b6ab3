/* Cells of csv files that mlc writes (RFC 4180). */
#ifndef MLC_CLI_TEXT_CSV_H
#define MLC_CLI_TEXT_CSV_H

#include <stdio.h>

/* In quotes where the text holds a delimiter, a quote or the end of a line. */
void csv_put_text(const char *text, FILE *out);

#endif
