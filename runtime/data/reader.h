/* What a reader brings into memory, and the table of readers. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_READER_H
#define MLC_RUNTIME_DATA_READER_H

#include "ir/graph/graph.h"
#include "ir/data/source.h"
#include "runtime/formats/blake3.h"
#include "runtime/data/exact.h"
#include "runtime/formats/file_problem.h"
#include "runtime/data/dataset.h"

/* Rows that come from one file. */
typedef struct {
    /* the number of its first row; the origins of a source are in the order of their rows */
    int32_t begin;
    const char *file;
    const uint32_t *lines; /* of a table: where each row begins, from 1; else NULL */
    const char *const
        *parts;  /* of arrays, one a field: "'x.npy'", "'x_train' in 'd.npz'"; else NULL */
    bool is_row; /* the file is one row: a picture */
} RowOrigin;

typedef struct SourceData SourceData;
struct SourceData {
    Arena *arena;
    SourceSchema schema;
    SourceField *fields; /* the schema's */
    void **
        data; /* [field_count]: row 0; the training rows, then validation and test rows of their own. NULL: there is no such field */
    Exact *exact;               /* [field_count] */
    const FittedColumn *fitted; /* what transforms have fitted of its columns */
    uint32_t fitted_count;
    /* where test rows of their own begin, in rows; 0: right behind those before */
    int64_t test_begin;
    /* which rows follow each other (splits.h); NULL: no model looks at others */
    const struct SeriesRuns *runs;
    /* asked for: the field that tells series of rows apart, or NULL */
    const char *series;
    /* [rows]: the series of each, where the reader knows; -1: none. NULL: its elements tell */
    const int32_t *series_of;
    RowOrigin *origins; /* where the rows come from */
    uint32_t origin_count;
    /* where the model speaks of the rows */
    Span span;
    void *own; /* of the reader */
    /* hashes the contents of the files */
    void (*digest)(const SourceData *data, llvm_blake3_hasher *hasher);
    /* frees what is not in the arena; may be NULL */
    void (*release)(SourceData *data);
};

/* Fills schema and fields, and if `whole` is set, everything else. Reports errors (STATUS_DATA;
 * STATUS_MODEL for arguments). What was read until a failure is released by the caller. */
typedef bool ReadSource(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag);
/* read_csv and so on, of ir/data/sources.def */
#define SOURCE(name, signature, doc, read, ...) ReadSource read_##read;
#include "ir/data/sources.def"

/* Makes room for `count` fields. */
void reader_fields(SourceData *data, uint32_t count);
/* Makes room for `count` origins. */
void reader_origins(SourceData *data, uint32_t count);
/* Where a row comes from (places.c), as dataset_row_place and dataset_place_text say it. */
RowPlace source_row_place(const SourceData *source, int32_t row);
const char *source_place_text(const SourceData *source, const char *field, int32_t row,
                              char text[PLACE_TEXT]);
/* The rows of all splits. */
static inline int64_t source_all_rows(const SourceSchema *schema) {
    return schema->train_rows + schema->valid_rows + schema->test_rows;
}
/* The numbers that rows have: those of test rows may begin behind a gap. */
static inline int64_t source_numbered_rows(const SourceData *data) {
    return data->test_begin + data->schema.test_rows;
}
/* The argument of that name, or NULL where it is left out. */
const SourceArg *reader_arg(const DataSource *source, const char *name);
/* The strings of an argument that may be one string or a list of them, none where it is left out.
 * False after reporting that it is something else. */
bool reader_texts(const DataSource *source, const char *name, Arena *arena,
                  const char *const **texts, uint32_t *count, Diagnostics *diag);
/* The files of an argument that may name one or a list of them, each as an argument of its own.
 * False after reporting that it is something else. */
bool reader_files(const DataSource *source, const char *name, const SourceArg **files,
                  uint32_t *count, Diagnostics *diag);
/* The file that an argument of the source names, or else its packed or unpacked form; in the
 * model's folder, or else in $MLC_DATA. NULL after reporting that it is nowhere. */
const char *reader_path(const DataSource *source, const SourceArg *arg, Arena *arena,
                        Diagnostics *diag);
/* The whole contents of a file, unpacked if it is packed, followed by a NUL; malloc'ed. NULL after
 * setting the problem. */
char *reader_contents(const char *path, size_t *length, Problem *problem);
/* Reports what is wrong with a file of the source. */
void reader_report(const Problem *problem, Span span, Diagnostics *diag);

#endif
