/* Finds the runs in folders: those with a metrics.jsonl. A run has no runs inside. */
#include "cli/session/run_search.h"
#include "engine/session/runs.h"
#include "ir/base/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 8 };

typedef struct {
    Arena *arena;
    const char **items;
    uint32_t count, capacity;
} FoundRuns;

static void search(FoundRuns *found, const char *path, int depth) {
    if (file_is_there(path_join(path, RUN_METRICS).path)) {
        ARENA_ROOM(found->arena, found->items, found->count, found->capacity);
        found->items[found->count++] = arena_format(found->arena, "%s", path);
        return;
    }
    DIR *folder = depth < MAX_DEPTH ? opendir(path) : NULL;
    for (const char *name; folder && (name = folder_next(folder));) {
        struct stat status;
        Path inside = path_join(path, name);
        /* symbolic links are not followed, so the search ends */
        bool real = lstat(inside.path, &status) == 0 && S_ISDIR(status.st_mode);
        if (*name != '.' && real) search(found, inside.path, depth + 1);
    }
    if (folder) closedir(folder);
}

static int by_name(const void *a, const void *b) {
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

const char **runs_search(const char *folder, Arena *arena, uint32_t *count, Diagnostics *diag) {
    FoundRuns found = {.arena = arena};
    char plain[PATH_MAX];
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') length--;
    snprintf(plain, sizeof plain, "%.*s", (int)length, folder);
    search(&found, plain, 0);
    *count = found.count;
    if (found.count) {
        qsort(found.items, found.count, sizeof *found.items, by_name);
        return found.items;
    }
    if (!path_is_folder(plain))
        diag_error(diag, STATUS_FILE, (Span){0}, "there is no folder '%s'", plain);
    else
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' holds no runs", plain);
    diag_help(diag, "'mlc train FILE.mdl' makes one in the folder runs, or in that of --out");
    return NULL;
}
