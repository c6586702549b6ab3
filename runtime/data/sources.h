/* From `source = mnist()` or `source = idx(...)` to the files that hold the data. */
#ifndef MLC_RUNTIME_DATA_SOURCES_H
#define MLC_RUNTIME_DATA_SOURCES_H

#include "ir/data/source.h"

/* The files of images and labels, in the order of their rows. Named sets have no validation
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

/* A named data set: images of one size in IDX files, with one class each. */
typedef struct {
    const char *name;
    const char *system_folder; /* the folder of the system's package, or NULL */
    int channels, height, width;
    int32_t class_count;
    const char *const *classes; /* their names */
} NamedSet;
const NamedSet *named_set(const char *name); /* NULL: no set has that name */
/* The usual file name without .gz; NULL: named sets have no such file. */
const char *named_file(FileRole role);

#define TABLE_ENDING ".csv" /* of the file of a named table */

typedef struct {
    const NamedSet *named;         /* NULL: idx(...) */
    const char *paths[FILE_COUNT]; /* existing files; NULL: not part of the source */
    Span spans[FILE_COUNT];        /* their places in the model */
    int32_t classes;               /* labels must be below; 0: no limit */
} SourceFiles;

/* The file of that name, or its gzip form (t.csv.gz for t.csv), or its plain form (t.csv for
 * t.csv.gz). Relative names are searched in the folder, then in the folders of named sets. NULL:
 * not found. */
const char *source_find_file(Arena *arena, const char *folder, const char *name);
/* Reports that the file of an argument does not exist, with help. */
void source_report_missing(const DataSource *source, const SourceArg *arg, Diagnostics *diag);
/* Finds the files. Reports errors (STATUS_MODEL for wrong arguments, STATUS_DATA for missing files)
 * and returns false. */
bool source_files(const DataSource *source, Arena *arena, SourceFiles *files, Diagnostics *diag);
/* The same for a named set, without a report: false if its files do not exist. */
bool source_files_named(const NamedSet *named, Span span, Arena *arena, SourceFiles *files);

const char *const *data_names(uint32_t *count);
/* The folder of a named set, written into buffer: $MLC_DATA/NAME, or one in the cache folder. The
 * file of a named table lies beside these folders. */
const char *data_folder(const char *name, char *buffer, size_t size);
/* Finds the folder of a named set; false: not found. */
bool data_find(const char *name, char *buffer, size_t size);

#endif
