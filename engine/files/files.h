/* Paths, and files read or written at once. Errors have STATUS_FILE, or the status given. */
#ifndef MLC_ENGINE_FILES_FILES_H
#define MLC_ENGINE_FILES_FILES_H

#include "ir/base/diag.h"
#include "ir/base/memory.h"

#include <limits.h>
#include <stdio.h>

typedef struct {
    char path[PATH_MAX];
} Path;

/* folder/name */
Path path_join(const char *folder, const char *name);
/* The folder part of a path: "." if it has none. */
Path path_folder(const char *path);
Path path_absolute(const char *path);
bool path_is_folder(const char *path);
/* Whether a name ends in `ending` and has at least one character before it. */
bool path_ends_in(const char *path, const char *ending);

/* "-" or "/dev/stdin" */
bool path_is_stdin(const char *path);
/* The text of a file, or of stdin if path_is_stdin, followed by a NUL; the caller frees it. NULL
 * after reporting an error of `status`. */
char *file_read(const char *path, size_t *length, Status status, Diagnostics *diag);
/* The same for a regular file, without a report: NULL with errno set. */
char *file_read_plain(const char *path, size_t *length);
/* Writes a temporary file and renames it, so that the path holds either the old or the new text. A
 * device or pipe is written directly. false after reporting an error. */
bool file_write(const char *path, const char *text, size_t length, Diagnostics *diag);
/* The same for what has been printed into a stream, which ends. The path "-" means stdout. */
bool file_write_stream(const char *path, MemoryStream *stream, Diagnostics *diag);
/* Ends the writing of a file after an error: reports the reason in errno, and closes *file, which
 * becomes NULL. */
void file_give_up(FILE **file, const char *path, Diagnostics *diag);

#endif
