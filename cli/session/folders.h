/* Finds the pictures in folders that are operands. */
#ifndef MLC_CLI_SESSION_FOLDERS_H
#define MLC_CLI_SESSION_FOLDERS_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct {
    const char *path;
    /* the name of its folder, if that is below the operand; else NULL */
    const char *folder;
} PictureFile;

/* The operands, with each folder replaced by the pictures in it and below it, sorted by path. A
 * note on stderr counts other files, except hidden ones. NULL after reporting errors, such as an
 * unreadable folder or one without pictures. */
PictureFile *folders_search(char *const *operands, int count, Arena *arena, uint32_t *picture_count,
                            Diagnostics *diag);

#endif
