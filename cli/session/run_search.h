/* Finds the runs in folders. */
#ifndef MLC_CLI_SESSION_RUN_SEARCH_H
#define MLC_CLI_SESSION_RUN_SEARCH_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"

/* The folders below `folder`, and itself, that hold a run, in the order of their names with numbers
 * by value: runs/2 before runs/10. NULL after reporting an error, such as a folder without runs. */
const char **runs_search(const char *folder, Arena *arena, uint32_t *count, Diagnostics *diag);

#endif
