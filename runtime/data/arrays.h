/* Arrays of NumPy as the fields of a source: checked against each other, and brought together where
 * training rows and held-out rows are arrays of their own. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_ARRAYS_H
#define MLC_RUNTIME_DATA_ARRAYS_H

#include "runtime/data/dataset.h"
#include "runtime/formats/npy.h"
#include "runtime/data/reader.h"

typedef struct {
    const char *name; /* for messages: the file, or "x_train in 'mnist.npz'"; NULL: there is none */
    const char *file;
    Span span;
    NpyArray array;
    const SourceUnreadable *unreadable; /* why it cannot be read; or NULL */
} ArrayPart;

typedef struct {
    const char *name;
    ArrayPart parts[SPLIT_COUNT];
    /* where training and test rows lie already, the latter from data->test_begin on; or NULL */
    const void *placed;
    void *owned;  /* malloc'ed elements; NULL: they are used where they lie */
    bool is_wide; /* f32 and i32 have no room for all digits of the elements */
    void *exact;  /* malloc'ed: all digits of the elements; or NULL */
} ArrayField;

enum { ARRAYS_MAX = 256 };
/* A list of fields by name, each of which is made when it is first asked for. */
typedef struct {
    ArrayField items[ARRAYS_MAX];
    uint32_t count;
} ArrayFields;
/* The part of a field that an array of this name is: `x_train` and `train_x` are the training rows
 * of `x`, and so with valid (val, validation) and test. NULL after reporting that there are too
 * many, or that there is one already (`where`: the file, for the message). */
ArrayPart *arrays_part(ArrayFields *fields, Arena *arena, const char *name, const char *where,
                       Span span, Diagnostics *diag);
/* "x_train" of "data/x_train.npy" */
const char *arrays_file_name(Arena *arena, const char *path);
/* Takes away the fields that no model can read: their elements are no numbers, or their rows are not
 * those of the field with the most rows. schema.unreadable says why. False after reporting an error
 * if no field is left. */
bool arrays_leave_unreadable(ArrayFields *fields, SourceData *data, Diagnostics *diag);
/* Checks that all fields have rows for the same splits, and as many, and finds the wide ones. */
bool arrays_check(ArrayField *fields, uint32_t count, Diagnostics *diag);
/* Makes the fields of data from arrays that are checked; with `whole`, their elements too. */
bool arrays_take(ArrayField *fields, uint32_t count, bool whole, SourceData *data,
                 Diagnostics *diag);
void arrays_free(ArrayField *fields, uint32_t count);
/* Why an array cannot be read, in the arena; the error is reported where a model reads it. */
const SourceUnreadable *arrays_unreadable(Arena *arena, const ArrayPart *part,
                                          const Problem *problem);
/* returns false */
bool arrays_report(const ArrayPart *part, const Problem *problem, Diagnostics *diag);

#endif
