/* The data that a reader reads into memory, and the list of readers. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_READER_H
#define MLC_RUNTIME_DATA_READER_H

#include "ir/graph/graph.h"
#include "ir/data/source.h"
#include "runtime/formats/blake3.h"
#include "runtime/data/exact.h"
#include "runtime/formats/file_problem.h"
#include "runtime/data/dataset.h"

/* The rows of one file. */
typedef struct {
    /* the number of its first row; the origins of a source are sorted by it */
    int32_t begin;
    const char *file;
    const uint32_t *lines;    /* [row] of a table: its first line, from 1; else NULL */
    const char *const *parts; /* [field] of arrays: "'x.npy'", "'x_train' in 'd.npz'"; else NULL */
    bool is_row;              /* the file is one row: a picture */
} RowOrigin;

typedef struct SourceData SourceData;
struct SourceData {
    Arena *arena;
    SourceSchema schema;
    SourceField *fields; /* the schema's */
    /* [field_count]: the training rows, then the rows of separate valid and test files. NULL: the
     * data lack the field */
    void **data;
    Exact *exact;               /* [field_count] */
    const FittedColumn *fitted; /* fitted numbers of transforms of its columns */
    uint32_t fitted_count;
    /* the number of the first separate test row; 0: they follow without a gap */
    int64_t test_begin;
    /* the order of rows in series (splits.h); NULL: no model reads windows */
    const struct SeriesRuns *runs;
    /* set by the caller: the field that separates series of rows, or NULL */
    const char *series;
    /* [rows]: the series of each row, if the reader knows it; -1: none. NULL: see `series` */
    const int32_t *series_of;
    RowOrigin *origins; /* the files of the rows */
    uint32_t origin_count;
    /* the place of the source in the model, for errors */
    Span span;
    void *own; /* memory of the reader */
    /* hashes the contents of the files */
    void (*digest)(const SourceData *data, llvm_blake3_hasher *hasher);
    /* frees what is not in the arena; may be NULL */
    void (*release)(SourceData *data);
};

/* Fills schema and fields, and everything else if `whole` is set. false after errors: STATUS_DATA,
 * or STATUS_MODEL for arguments. The caller releases the data even after a failure. */
typedef bool ReadSource(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag);
/* read_csv and so on, of ir/data/sources.def */
#define SOURCE(name, signature, doc, read, ...) ReadSource read_##read;
#include "ir/data/sources.def"

/* Allocates the arrays of `count` fields. */
void reader_fields(SourceData *data, uint32_t count);
/* Allocates `count` origins. */
void reader_origins(SourceData *data, uint32_t count);
/* The place of a row (places.c), as in dataset_row_place and dataset_place_text. */
RowPlace source_row_place(const SourceData *source, int32_t row);
const char *source_place_text(const SourceData *source, const char *field, int32_t row,
                              char text[PLACE_TEXT]);
/* The rows of all splits. */
static inline int64_t source_all_rows(const SourceSchema *schema) {
    return schema->train_rows + schema->valid_rows + schema->test_rows;
}
/* The number of row numbers, including a gap before test rows. */
static inline int64_t source_numbered_rows(const SourceData *data) {
    return data->test_begin + data->schema.test_rows;
}
/* The argument of that name, or NULL. */
const SourceArg *reader_arg(const DataSource *source, const char *name);
/* The strings of an argument that is a string or a list of strings; none if it is omitted. False
 * after reporting another kind of value. */
bool reader_texts(const DataSource *source, const char *name, Arena *arena,
                  const char *const **texts, uint32_t *count, Diagnostics *diag);
/* Splits an argument that names one file or a list of files into one argument for each file. False
 * after reporting another kind of value. */
bool reader_files(const DataSource *source, const char *name, const SourceArg **files,
                  uint32_t *count, Diagnostics *diag);
/* The path of the file that an argument names, or of its gzip or plain form, in the model's folder
 * or in $MLC_DATA. NULL after reporting that it does not exist. */
const char *reader_path(const DataSource *source, const SourceArg *arg, Arena *arena,
                        Diagnostics *diag);
/* The contents of a file, decompressed if it is a gzip file, followed by a NUL; malloc'ed. NULL
 * after setting the problem. */
char *reader_contents(const char *path, size_t *length, Problem *problem);
/* Reports the problem of a file of the source. */
void reader_report(const Problem *problem, Span span, Diagnostics *diag);

#endif
