/* Files of new rows: the declarations that inputs.c and the readers of each kind share. */
#ifndef MLC_CLI_SESSION_INPUT_FILES_H
#define MLC_CLI_SESSION_INPUT_FILES_H

#include "cli/session/folders.h"
#include "cli/session/inputs.h"
#include "ir/data/readers.h"
#include "runtime/data/dataset.h"

typedef struct {
    Session *session;
    const char **files;
    const PictureFile *pictures; /* the same files */
    int count;
    /* [read_count]: first what the network reads, then what only loss and metrics read */
    const Symbol *reads;
    uint32_t read_count, network_count;
    Inputs *inputs;
} InputFiles;

/* Each makes the session's data set from files of its kind. false after reporting errors. */
bool input_open_images(InputFiles *input);  /* input_images.c */
bool input_open_table(InputFiles *input);   /* input_table.c */
bool input_open_array(InputFiles *input);   /* input_arrays.c */
bool input_open_archive(InputFiles *input); /* input_arrays.c */

/* -- helpers in inputs.c -- */

Diagnostics *input_diag(const InputFiles *input);
/* The kind of files that the training data were. */
InputKind input_model_kind(const InputFiles *input);
/* Adds to the reads what only the loss and the metrics read. */
bool input_add_labels(InputFiles *input);
/* The shape of one row of an input, without the batch axis. */
Shape input_row(const Symbol *symbol);
/* The only input of the network. NULL after reporting that it has several: images and arrays have
 * no names. `kind` is "an image" or "an array". */
const Symbol *input_only(const InputFiles *input, const char *kind);
/* Writes element `at`. false: the type cannot hold the value. */
bool input_put_element(void *to, DType dtype, int64_t at, double value);
/* Reads all rows of a source; `like`: the schema of the training data, or NULL. NULL after
 * reporting errors. */
Dataset *input_open_with(const InputFiles *input, const char *reader, const SourceArg *args,
                         uint32_t count, const SourceSchema *like, Diagnostics *diag);
/* The field that separates series. NULL: the network reads no windows of rows, or all rows are one
 * series. */
const char *input_series(const InputFiles *input);
/* Drops the rows whose window of surrounding rows is incomplete. */
bool input_drop_incomplete(const InputFiles *input);
/* false after reporting that several files of rows are given. */
bool input_one_file(const InputFiles *input);

#endif
