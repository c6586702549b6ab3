/* Opening files to read, and replacing files so that after any crash either the old or the new file
 * is there. Nothing here waits for another process, although a name in a model may be that of a
 * pipe. All functions set errno on failure. */
#ifndef MLC_IR_BASE_FILES_H
#define MLC_IR_BASE_FILES_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens a regular file to read and finds its length. Returns its descriptor; -1 if it cannot be
 * opened or is no regular file. */
int file_open(const char *path, uint64_t *length);
/* Whether a file or folder has this name. Also true if the system does not tell: reading it will
 * then report the reason. So an existing run or data file is never taken for a missing one. */
bool file_is_there(const char *path);
/* The name of the folder's next entry. NULL with errno 0: there are no more; NULL with another
 * errno: the folder cannot be read on. */
const char *folder_next(DIR *folder);
/* The meaning of errno in words, after one of these functions has failed. */
const char *file_reason(int error);

/* -- temporary files: they are removed even if the process has to end early -- */
typedef struct {
    int folder; /* a descriptor, or AT_FDCWD */
    const char *name;
} Temporary;
/* Makes a new file and opens it to write; -1 on failure. `temporary` must live until the file is
 * renamed or removed. */
int temporary_make(const Temporary *temporary, mode_t mode);
void temporary_gone(const Temporary *temporary);
/* Removes the temporary files in a folder that killed processes have left. Their names are
 * NAME.PROCESS-NUMBER.tmp. */
void temporaries_sweep(int folder);
/* Removes all temporary files of this process. Threads that try to make another one wait for the
 * end of the process. */
void files_abandon(void);

/* A file that takes the place of another one when it is complete. */
typedef struct {
    const char *path; /* kept */
    char temporary[PATH_MAX + 32];
    Temporary made;
    int file;      /* to write to */
    bool in_place; /* `path` is a device or a pipe: it is written to, not replaced */
} Replacement;

/* Makes a temporary file of a new name beside `path`. */
bool replacement_begin(Replacement *replacement, const char *path);
/* Closes the file. If `good`, it is synced and renamed to `path`, and the folder is synced.
 * Otherwise, or on failure, `path` stays as it was. */
bool replacement_end(Replacement *replacement, bool good);

typedef struct {
    const void *data;
    size_t bytes;
} FilePart;
bool file_write_part(int file, FilePart part);
/* All of the above: replaces a file by the parts, one after the other. */
bool file_replace(const char *path, const FilePart *parts, uint32_t count);

#endif
