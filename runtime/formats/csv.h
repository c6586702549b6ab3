/* The records of a CSV text: cells between delimiters, quoted or not. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_CSV_H
#define MLC_RUNTIME_FORMATS_CSV_H

#include "ir/graph/graph.h"
#include "runtime/formats/file_problem.h"

enum { CSV_MAX_CELLS = 1 << 16 };

typedef struct {
    const char *text; /* in the text; without quotes and without spaces around it */
    size_t length;
    bool doubled; /* it holds quotes, each written twice */
    bool quoted;
} CsvCell;

/* Where reading stands. Nothing in the text is trusted; it need not end with a NUL. */
typedef struct {
    const char *text;
    size_t length, at;
    uint32_t line; /* of `at`, from 1 */
    char delimiter;
    CsvCell *cells; /* of the record read last */
    uint32_t count;
    uint32_t record_line; /* where it begins */
} CsvScan;

/* Checks that the text is text, and skips a byte order mark. `cells` has room for one cell more
 * than the text has bytes, or for CSV_MAX_CELLS. */
bool csv_begin(CsvScan *scan, const char *text, size_t length, char delimiter, CsvCell *cells,
               Problem *problem);
/* Leaves out so many lines, whatever they hold; false if there are no more. */
bool csv_skip(CsvScan *scan, uint32_t lines);
/* The next record that is not empty; false at the end of the text, or after setting the problem. */
bool csv_next(CsvScan *scan, Problem *problem);
/* The cell as it is meant: quotes are no longer doubled. */
char *csv_text(const CsvCell *cell, Arena *arena);

#endif
