/* Downloads a named data set from a list of places. */
#ifndef MLC_RUNTIME_DATA_FETCH_H
#define MLC_RUNTIME_DATA_FETCH_H

#include "ir/base/diag.h"

/* try NAME.gz and NAME; only NAME.gz; only NAME */
typedef enum { FETCH_ANY, FETCH_PACKED, FETCH_PLAIN } FetchForm;

/* Folders or URL prefixes. For each file they are tried in turn until one has the right
 * contents. */
typedef struct {
    const char *const *places;
    int count;
    FetchForm form;
    bool mirrors; /* the places use the file names of the table of mirrors */
} FetchPlaces;
bool fetch_from_places(const char *name, const FetchPlaces *places, bool quiet, Diagnostics *diag);

/* mlc data get: downloads a named set into its folder, checking SHA-256. from: a folder or URL
 * prefix, or NULL for the mirrors. */
bool data_get(const char *name, const char *from, bool quiet, Diagnostics *diag);

#endif
