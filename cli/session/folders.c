/* Finds the pictures in folders that are operands. */
#include "cli/session/folders.h"
#include "engine/files/files.h"
#include "ir/base/display.h"
#include "ir/base/files.h"
#include "runtime/formats/bitmap.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 32 };

typedef struct {
    Arena *arena;
    Diagnostics *diag;
    PictureFile *items;
    uint32_t count, capacity;
    uint32_t others;   /* files that are not pictures */
    const char *other; /* one of them */
} FolderSearch;

static void add_file(FolderSearch *found, const char *path, const char *folder) {
    ARENA_ROOM(found->arena, found->items, found->count, found->capacity);
    found->items[found->count++] = (PictureFile){path, folder};
}

static bool cannot_read(const FolderSearch *found, const char *path, const char *kind) {
    diag_error(found->diag, STATUS_DATA, (Span){0}, "cannot read %s'%s': %s", kind, path,
               strerror(errno));
    return false;
}

static bool search(FolderSearch *found, const char *path, const char *name, int depth);

/* Links to files are followed. Links to folders are not: they could form a cycle. */
static bool add_entry(FolderSearch *found, const char *folder, const char *folder_name,
                      const char *entry, int depth) {
    struct stat status, linked;
    bool readable;
    const char *path = arena_format(found->arena, "%s/%s", folder, entry);
    if (*entry == '.') return true;
    if (lstat(path, &linked) != 0 || stat(path, &status) != 0) return cannot_read(found, path, "");
    if (S_ISDIR(linked.st_mode))
        return depth == DEPTH_MAX ||
               search(found, path, arena_copy_string(found->arena, entry, strlen(entry)),
                      depth + 1);
    if (S_ISREG(status.st_mode) && (bitmap_has_ending(path) || bitmap_kind(path, &readable))) {
        add_file(found, path, folder_name);
        return true;
    }
    if (!found->others++) found->other = path;
    return true;
}

static bool search(FolderSearch *found, const char *path, const char *name, int depth) {
    DIR *open = opendir(path);
    bool good = open || cannot_read(found, path, "the folder ");
    for (const char *entry; good;) {
        if (!(entry = folder_next(open))) {
            good = !errno || cannot_read(found, path, "the folder ");
            break;
        }
        good = add_entry(found, path, name, entry, depth);
    }
    if (open) closedir(open);
    return good;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const PictureFile *)a)->path, ((const PictureFile *)b)->path);
}

static bool add_folder(FolderSearch *found, const char *operand) {
    uint32_t before = found->count;
    size_t length = strlen(operand);
    while (length > 1 && operand[length - 1] == '/') length--;
    found->others = 0;
    if (!search(found, arena_copy_string(found->arena, operand, length), NULL, 0)) return false;
    if (found->count == before) {
        diag_error(found->diag, STATUS_DATA, (Span){0}, "no pictures are in the folder '%s'",
                   operand);
        return false;
    }
    qsort(found->items + before, found->count - before, sizeof *found->items, by_path);
    if (found->others) {
        display_text(operand, stderr);
        fprintf(stderr, ": %u file%s not %spicture%s and left out, such as ", found->others,
                found->others == 1 ? " is" : "s are", found->others == 1 ? "a " : "",
                found->others == 1 ? "" : "s");
        display_text(found->other, stderr);
        fputc('\n', stderr);
    }
    return true;
}

PictureFile *folders_search(char *const *operands, int count, Arena *arena, uint32_t *picture_count,
                            Diagnostics *diag) {
    FolderSearch found = {.arena = arena, .diag = diag};
    for (int i = 0; i < count; i++) {
        if (path_is_folder(operands[i])) {
            if (!add_folder(&found, operands[i])) return NULL;
        } else {
            add_file(&found, operands[i], NULL);
        }
    }
    *picture_count = found.count;
    return found.items;
}
