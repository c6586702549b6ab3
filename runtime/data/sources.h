/* From `source = mnist()` or `source = idx(...)` to the files that hold the data. */
#ifndef MLC_RUNTIME_DATA_SOURCES_H
#define MLC_RUNTIME_DATA_SOURCES_H

#include "ir/data/source.h"

/* Images and labels of each split, in the order of their rows. Named sets have no validation
 * files. */
typedef enum {
    FILE_TRAIN_IMAGES,
    FILE_TRAIN_LABELS,
    FILE_VALID_IMAGES,
    FILE_VALID_LABELS,
    FILE_TEST_IMAGES,
    FILE_TEST_LABELS,
    FILE_COUNT
} FileRole;

/* A data set known by name: images of one size in IDX files, each of a class. */
typedef struct {
    const char *name;
    const char *system_folder; /* where the system's package puts it, or NULL */
    int channels, height, width;
    int32_t class_count;
    const char *const *classes; /* their names */
} NamedSet;
const NamedSet *named_set(const char *name); /* NULL: there is none of that name */
/* its usual name, without .gz; NULL: a named set has no such file */
const char *named_file(FileRole role);

/* The table known by a name, or by that of its file, which has this at its end; NULL: there is
 * none. */
#define TABLE_ENDING ".csv"
const char *named_table(const char *file);

typedef struct {
    const NamedSet *named;         /* NULL: idx(...) */
    const char *paths[FILE_COUNT]; /* existing files; NULL: not part of the source */
    Span spans[FILE_COUNT];        /* where the model speaks of them */
    int32_t classes;               /* labels are below; 0: any */
} SourceFiles;

/* The file of that name, or else the same packed with gzip (t.csv.gz for t.csv) or unpacked (t.csv
 * for t.csv.gz). Relative names start at the folder, or else where named sets are looked for. NULL:
 * it is nowhere. */
const char *source_find_file(Arena *arena, const char *folder, const char *name);
/* Says so of a file that an argument names, and what to do. */
void source_report_missing(const DataSource *source, const SourceArg *arg, Diagnostics *diag);
/* Finds the files. Reports errors (STATUS_MODEL for wrong arguments, STATUS_DATA for missing files)
 * and returns false. */
bool source_files(const DataSource *source, Arena *arena, SourceFiles *files, Diagnostics *diag);
/* The same for a named set, without a word: false if its files are not there. */
bool source_files_named(const NamedSet *named, Span span, Arena *arena, SourceFiles *files);

const char *const *data_names(uint32_t *count);
/* Where a named set is looked for: $MLC_DATA/NAME, else the cache folder; a table's file lies
 * beside these folders. Writes into buffer. */
const char *data_folder(const char *name, char *buffer, size_t size);
/* Where a named set was found; false: nowhere. */
bool data_find(const char *name, char *buffer, size_t size);

#endif
