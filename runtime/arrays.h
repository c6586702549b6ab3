/* Arrays of NumPy as the fields of a source: checked against each other, and brought together where training and test rows are
 * arrays of their own. Private to runtime/. */
#ifndef MLC_RUNTIME_ARRAYS_H
#define MLC_RUNTIME_ARRAYS_H

#include "runtime/npy.h"
#include "runtime/reader.h"

typedef struct {
    const char *name; /* for messages: the file, or "x_train in 'mnist.npz'"; NULL: there is none */
    const char *file;
    Span span;
    NpyArray array;
} ArrayPart;

typedef struct {
    const char *name;
    ArrayPart train, test;
    const void *placed; /* where the elements of both lie already, those of the test rows from data->test_begin on; or NULL */
    void *owned;        /* malloc'ed elements; NULL: they are used where they lie */
} ArrayField;

enum { ARRAYS_MAX = 256 };
bool arrays_check(const ArrayField *fields, uint32_t count, Diagnostics *diag);
/* Makes the fields of data from arrays that are checked; with `whole`, their elements too. */
bool arrays_take(ArrayField *fields, uint32_t count, bool whole, SourceData *data, Diagnostics *diag);
void arrays_free(ArrayField *fields, uint32_t count);
bool arrays_report(const ArrayPart *part, const Problem *problem, Diagnostics *diag); /* returns false */

#endif
