/* Getting a named data set from a list of places. Private to runtime/; data_get is what others call. */
#ifndef MLC_RUNTIME_FETCH_H
#define MLC_RUNTIME_FETCH_H

#include "ir/diag.h"

/* Folders or URL prefixes, tried in turn for each file until one has it with the right contents. */
typedef struct {
    const char *const *places;
    int count;
    bool packed_only; /* they have NAME.gz, and no plain files */
} FetchPlaces;
bool fetch_from_places(const char *name, const FetchPlaces *places, bool quiet, Diagnostics *diag);

#endif
