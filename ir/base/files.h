/* Opening files to read, and replacing files so that after any crash there is the old one or the new one. Nothing here waits for another
 * process: a name in a model may be that of a pipe or a device. All set errno on a failure. */
#ifndef MLC_IR_BASE_FILES_H
#define MLC_IR_BASE_FILES_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor of a regular file, for reading, and its length; -1: it cannot be opened, or is another kind of thing. */
int file_open(const char *path, uint64_t *length);
/* Whether something has this name. True also where the system does not tell: then reading it reports why, and nobody takes a run, or a
 * file of the data, for one that is not there. */
bool file_is_there(const char *path);
/* The name of the folder's next entry. NULL: there are no more, with errno 0, or the folder cannot be read further. */
const char *folder_next(DIR *folder);
/* The words for errno after one of these functions failed. */
const char *file_reason(int error);

/* -- temporary files, which must not be left where the process has to end in the midst of its work -- */
typedef struct {
    int folder; /* a descriptor, or AT_FDCWD */
    const char *name;
} Temporary;
/* Makes a new file and opens it for writing; -1, errno: it is not made. `temporary` is kept until it is gone: renamed or removed. */
int temporary_make(const Temporary *temporary, mode_t mode);
void temporary_gone(const Temporary *temporary);
/* A temporary file's name is NAME.PROCESS-NUMBER.tmp: removes those in a folder whose process is no more. A killed one leaves them. */
void temporaries_sweep(int folder);
/* Removes all that were made and are not gone. Other threads make no more: who tries waits for the end of the process. */
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
/* Syncs it, renames it to its path, and syncs the folder. `good` false, or a failure: `path` is as it was. Closes it in any case. */
bool replacement_end(Replacement *replacement, bool good);

typedef struct {
    const void *data;
    size_t bytes;
} FilePart;
bool file_write_part(int file, FilePart part);
/* All of the above: the parts, one after the other, become the file. */
bool file_replace(const char *path, const FilePart *parts, uint32_t count);

#endif
