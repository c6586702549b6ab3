/* Folders as operands: the pictures in them. */
#include "cli/session/folders.h"
#include "cli/session/files.h"
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
    uint32_t others;   /* files that are no pictures */
    const char *other; /* one of them */
} Searching;

/* By its name or its content. */
static bool is_picture(const char *path) {
    bool readable;
    return bitmap_has_ending(path) || bitmap_kind(path, &readable);
}

static void add_file(Searching *searching, const char *path, const char *folder) {
    ARENA_ROOM(searching->arena, searching->items, searching->count, searching->capacity);
    searching->items[searching->count++] = (PictureFile){path, folder};
}

static bool cannot_read(const Searching *searching, const char *path, const char *kind) {
    diag_error(searching->diag, STATUS_DATA, (Span){0}, "cannot read %s'%s': %s", kind, path, strerror(errno));
    return false;
}

static bool search(Searching *searching, const char *path, const char *name, int depth);

/* Links are followed to files, not to folders: these could lead back. */
static bool take_entry(Searching *searching, const char *folder, const char *folder_name, const char *entry, int depth) {
    struct stat status, linked;
    const char *path = arena_format(searching->arena, "%s/%s", folder, entry);
    if (*entry == '.') return true;
    if (lstat(path, &linked) != 0 || stat(path, &status) != 0) return cannot_read(searching, path, "");
    if (S_ISDIR(linked.st_mode))
        return depth == DEPTH_MAX ||
               search(searching, path, arena_copy_string(searching->arena, entry, strlen(entry)), depth + 1);
    if (S_ISREG(status.st_mode) && is_picture(path)) {
        add_file(searching, path, folder_name);
        return true;
    }
    if (!searching->others++) searching->other = path;
    return true;
}

static bool search(Searching *searching, const char *path, const char *name, int depth) {
    DIR *open = opendir(path);
    bool good = open || cannot_read(searching, path, "the folder ");
    for (const char *entry; good;) {
        if (!(entry = folder_next(open))) {
            good = !errno || cannot_read(searching, path, "the folder ");
            break;
        }
        good = take_entry(searching, path, name, entry, depth);
    }
    if (open) closedir(open);
    return good;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const PictureFile *)a)->path, ((const PictureFile *)b)->path);
}

static void tell_others(const Searching *searching, const char *folder) {
    shown_text(folder, stderr);
    fprintf(stderr, ": %u file%s no picture%s and left out, such as ", searching->others,
            searching->others == 1 ? " is" : "s are", searching->others == 1 ? "" : "s");
    shown_text(searching->other, stderr);
    fputc('\n', stderr);
}

static bool take_folder(Searching *searching, const char *operand) {
    uint32_t before = searching->count;
    size_t length = strlen(operand);
    while (length > 1 && operand[length - 1] == '/') length--;
    searching->others = 0;
    if (!search(searching, arena_copy_string(searching->arena, operand, length), NULL, 0)) return false;
    if (searching->count == before) {
        diag_error(searching->diag, STATUS_DATA, (Span){0}, "no pictures are in the folder '%s'", operand);
        return false;
    }
    qsort(searching->items + before, searching->count - before, sizeof *searching->items, by_path);
    if (searching->others) tell_others(searching, operand);
    return true;
}

PictureFile *folders_search(char *const *operands, int count, Arena *arena, uint32_t *found, Diagnostics *diag) {
    Searching searching = {.arena = arena, .diag = diag};
    for (int i = 0; i < count; i++) {
        if (path_is_folder(operands[i])) {
            if (!take_folder(&searching, operands[i])) return NULL;
        } else {
            add_file(&searching, operands[i], NULL);
        }
    }
    *found = searching.count;
    return searching.items;
}
