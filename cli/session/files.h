/* Files and paths: read whole, written whole. Errors are reported with STATUS_FILE (or the status
 * given). */
#ifndef MLC_CLI_SESSION_FILES_H
#define MLC_CLI_SESSION_FILES_H

#include "ir/base/diag.h"

#include <limits.h>

typedef struct {
    char path[PATH_MAX];
} Path;

/* folder/name */
Path path_join(const char *folder, const char *name);
/* The folder part of a path: "." if it has none. */
Path path_folder(const char *path);
Path path_absolute(const char *path);
bool path_exists(const char *path); /* file_is_there */
bool path_is_folder(const char *path);
/* Whether a name ends so and has more before that. */
bool path_ends_in(const char *path, const char *ending);

/* "-" or "/dev/stdin" */
bool path_is_stdin(const char *path);
/* The whole text, with a NUL added; the caller frees. Of what path_is_stdin names, that of stdin.
 * NULL after reporting an error of `status`. */
char *file_read(const char *path, size_t *length, Status status, Diagnostics *diag);
/* The same without a word, for a plain file only: NULL with errno set. */
char *file_read_plain(const char *path, size_t *length);
/* Written beside the file and renamed, so that there is the old text or the new one (what is no
 * regular file is written to). */
bool file_write(const char *path, const char *text, size_t length, Diagnostics *diag);

#endif
