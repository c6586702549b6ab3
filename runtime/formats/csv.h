/* The records of a CSV text: cells between delimiters, quoted or not. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_CSV_H
#define MLC_RUNTIME_FORMATS_CSV_H

#include "ir/graph/graph.h"
#include "runtime/formats/file_problem.h"

enum { CSV_MAX_CELLS = 1 << 16 };

typedef struct {
    const char *text; /* points into the text; without quotes and surrounding spaces */
    size_t length;
    bool doubled; /* it contains quotes, which are written twice */
    bool quoted;
} CsvCell;

/* The state of reading a text, which need not be valid and need not end with a NUL. */
typedef struct {
    const char *text;
    size_t length, at;
    uint32_t line; /* of `at`, from 1 */
    char delimiter;
    CsvCell *cells; /* of the record read last */
    uint32_t count;
    uint32_t record_line; /* its first line */
} CsvScan;

/* Begins a scan: checks for binary data and skips a byte order mark. `cells` needs room for
 * min(length + 1, CSV_MAX_CELLS) cells. */
bool csv_begin(CsvScan *scan, const char *text, size_t length, char delimiter, CsvCell *cells,
               Problem *problem);
/* Skips `lines` lines of any content; false at the end of the text. */
bool csv_skip(CsvScan *scan, uint32_t lines);
/* Reads the next record that is not empty. false at the end of the text, or after setting the
 * problem. */
bool csv_next(CsvScan *scan, Problem *problem);
/* The text of a cell, with doubled quotes replaced by single ones. */
char *csv_text(const CsvCell *cell, Arena *arena);

#endif
