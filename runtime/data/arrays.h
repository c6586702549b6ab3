/* NumPy arrays as the fields of a source: checks that they match, and joins separate arrays of
 * training and held-out rows. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_ARRAYS_H
#define MLC_RUNTIME_DATA_ARRAYS_H

#include "runtime/data/dataset.h"
#include "runtime/formats/npy.h"
#include "runtime/data/reader.h"

typedef struct {
    const char *name; /* for messages: the file, or "x_train in 'mnist.npz'"; NULL: no such array */
    const char *file;
    Span span;
    NpyArray array;
    const SourceUnreadable *unreadable; /* why it cannot be read; or NULL */
    bool wide;                          /* f32 and i32 cannot hold its numbers */
} ArrayPart;

typedef struct {
    const char *name;
    ArrayPart parts[SPLIT_COUNT];
    /* training rows and, from data->test_begin on, test rows that are mapped together; or NULL */
    const void *placed;
    void *owned;  /* malloc'ed elements; NULL: the elements of the file are used */
    bool is_wide; /* f32 and i32 cannot hold all digits of the elements */
    void *exact;  /* malloc'ed: all digits of the elements; or NULL */
} ArrayField;

enum { ARRAYS_MAX = 256 };
/* Fields by name; arrays_part adds a new name. */
typedef struct {
    ArrayField items[ARRAYS_MAX];
    uint32_t count;
} ArrayFields;
/* The field and split of an array by its name: `x_train` and `train_x` are the training rows of
 * `x`; the words valid, val, validation and test work alike. NULL after reporting too many arrays
 * or a second array of the same part. where: the file, for the message. */
ArrayPart *arrays_part(ArrayFields *fields, Arena *arena, const char *name, const char *where,
                       Span span, Diagnostics *diag);
/* "x_train" for "data/x_train.npy" */
const char *arrays_file_name(Arena *arena, const char *path);
/* Removes fields that no model can read: elements that are not numbers, whole numbers beyond 64
 * bits or, with `other_rows`, another number of rows than the largest field. schema.unreadable
 * keeps the reasons. False after reporting an error if no field is left. */
bool arrays_leave_unreadable(ArrayFields *fields, bool other_rows, SourceData *data,
                             Diagnostics *diag);
/* Checks that all fields have the same splits with the same numbers of rows, and finds wide
 * fields. */
bool arrays_check(ArrayField *fields, uint32_t count, Diagnostics *diag);
/* Makes the fields of `data` from checked arrays; with `whole`, also their elements. */
bool arrays_take(ArrayField *fields, uint32_t count, bool whole, SourceData *data,
                 Diagnostics *diag);
void arrays_free(ArrayField *fields, uint32_t count);
/* Why an array cannot be read, in the arena; the error is reported where a model reads it. */
const SourceUnreadable *arrays_unreadable(Arena *arena, const ArrayPart *part,
                                          const Problem *problem);
/* returns false */
bool arrays_report(const ArrayPart *part, const Problem *problem, Diagnostics *diag);

#endif
