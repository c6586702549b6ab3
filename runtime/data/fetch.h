/* Getting a named data set from a list of places. */
#ifndef MLC_RUNTIME_DATA_FETCH_H
#define MLC_RUNTIME_DATA_FETCH_H

#include "ir/base/diag.h"

/* NAME.gz or NAME, only the one, only the other */
typedef enum { FETCH_ANY, FETCH_PACKED, FETCH_PLAIN } FetchForm;

/* Folders or URL prefixes, tried in turn for each file until one has it with the right contents. */
typedef struct {
    const char *const *places;
    int count;
    FetchForm form;
    bool mirrors; /* files are called there as in the table of mirrors, not by their usual names */
} FetchPlaces;
bool fetch_from_places(const char *name, const FetchPlaces *places, bool quiet, Diagnostics *diag);

/* mlc data get: downloads a named set into its folder, checking SHA-256. from: a folder or URL
 * prefix, or NULL for the mirrors. */
bool data_get(const char *name, const char *from, bool quiet, Diagnostics *diag);

#endif
