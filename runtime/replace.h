/* Replacing a file so that after any crash there is the old one or the new one. Private to runtime/. */
#ifndef MLC_RUNTIME_REPLACE_H
#define MLC_RUNTIME_REPLACE_H

#include "ir/diag.h"

typedef struct {
    const void *data;
    size_t bytes;
} FilePart;

/* Writes the parts to "PATH.tmp", syncs it, renames it to PATH and syncs the folder. On a failure (STATUS_FILE) PATH is as it was
 * and the temporary file is removed. */
bool file_replace(const char *path, const FilePart *parts, uint32_t count, Diagnostics *diag);

#endif
