/* The sources of data by name, from sources.def, with the facts that the frontend, the runtime and
 * the commands need. */
#ifndef MLC_IR_DATA_READERS_H
#define MLC_IR_DATA_READERS_H

#include "ir/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* The kind of a file of new rows for a trained network. */
typedef enum { INPUT_NONE, INPUT_TABLE, INPUT_ARRAY, INPUT_ARCHIVE, INPUT_PICTURES } InputKind;

typedef struct {
    const char *name;
    /* the fields are known only after all rows are read, so the rows are kept for the training */
    bool cached;
    InputKind input;
    const char *endings; /* the endings of the names of such files: ".csv .tsv"; "": none */
} DataReader;

/* The reader of `source = NAME(...)`; NULL: there is none of that name. */
const DataReader *reader_named(const char *name);
/* The reader of a file with such a name, by its ending, in upper or lower case; NULL: none. */
const DataReader *reader_of_file(const char *file);
/* ".csv, .csv.gz, .tsv, .npy, .npz" */
const char *reader_endings(Arena *arena);
const char *const *reader_names(uint32_t *count);

#endif
