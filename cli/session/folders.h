/* Folders as operands: the pictures in them. */
#ifndef MLC_CLI_SESSION_FOLDERS_H
#define MLC_CLI_SESSION_FOLDERS_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct {
    const char *path;
    /* the name of the folder that it is in, where that is inside of the operand; or NULL */
    const char *folder;
} PictureFile;

/* The operands, folders replaced by the pictures in them and in all their folders, in the order of
 * their paths; what is no picture there is said on stderr, but for hidden files. NULL after
 * reporting errors: a folder that cannot be read or holds none. */
PictureFile *folders_search(char *const *operands, int count, Arena *arena, uint32_t *picture_count,
                            Diagnostics *diag);

#endif
