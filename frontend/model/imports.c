/* use "FILE": adds the items of that file after the `use`. A file is imported once, even if several
 * files name it. */
#include "frontend/model/loading.h"
#include "frontend/syntax/syntax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { USE_MAX_DEPTH = 64, USE_MAX_FILES = 1000, MARK_BYTES = 32 };

/* -- paths -- */

const char *path_folder_of(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    return arena_copy_string(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

static const char *path_from(Arena *arena, const char *folder, const char *name) {
    if (*name == '/' || !strcmp(folder, ".")) return name;
    return arena_format(arena, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                        name);
}

/* A path without ".", ".." and doubled slashes, so that different spellings of a path are equal. */
static const char *identity_of(Arena *arena, const char *path) {
    char *result = ARENA_ARRAY(arena, char, strlen(path) + 2);
    size_t length = 0;
    for (const char *part = path, *next; *part; part = next) {
        size_t size = strcspn(part, "/");
        next = part + size + (part[size] == '/');
        const char *last = length ? strrchr(result, '/') : NULL;
        bool up = size == 2 && !memcmp(part, "..", 2);
        if (!size || (size == 1 && *part == '.')) continue;
        if (up && last && strcmp(last, "/..")) {
            length = (size_t)(last - result);
        } else {
            result[length++] = '/';
            memcpy(result + length, part, size);
            length += size;
        }
        result[length] = '\0';
    }
    return *path == '/' ? result : result + (length > 0);
}

/* -- errors -- */

static void note_users(const Model *model, const SourceText *text) {
    for (; text->user; text = text->user)
        diag_note(model->diag, text->place, "'%s' is used here", text->path);
}

static bool use_failed(const Model *model, const SourceText *user, Span place,
                       const char *message) {
    diag_error(model->diag, STATUS_MODEL, place, "%s", message);
    note_users(model, user);
    return false;
}

__attribute__((format(printf, 4, 0))) static bool
too_many(const Model *model, const SourceText *user, Span place, const char *format, int most) {
    return use_failed(model, user, place, arena_format(model->arena, format, most));
}

/* -- reading -- */

static bool read_items(Model *model, SourceText *text);

static bool in_progress(const SourceText *user, const SourceText *text) {
    while (user && user != text) user = user->user;
    return user != NULL;
}

/* A copy of a text, in which carriage returns become newlines if it has no newline. Old Macs ended
 * their lines so. */
static const char *with_newlines(Arena *arena, const char *text, size_t length) {
    char *copy = arena_copy_string(arena, text, length);
    if (memchr(text, '\n', length)) return copy;
    for (size_t i = 0; i < length; i++)
        if (copy[i] == '\r') copy[i] = '\n';
    return copy;
}

/* Reads a file as a text of the model; NULL after reporting an error. */
static SourceText *open_text(Model *model, const SourceText *user, const Name *name,
                             const char *path) {
    size_t length = 0;
    char *read =
        model->options->read ? model->options->read(path, &length) : (errno = ENOENT, NULL);
    if (!read) {
        use_failed(model, user, name->span,
                   arena_format(model->arena, "cannot read '%s': %s", path, strerror(errno)));
        diag_help(model->diag, "paths are relative to the folder of the file that uses it, '%s'",
                  user->folder);
        return NULL;
    }
    SourceText *text = ARENA_NEW(model->arena, SourceText);
    bool fits = model->text_bytes + length <= SYNTAX_MAX_BYTES;
    if (fits)
        *text = (SourceText){.user = user,
                             .place = name->span,
                             .path = path,
                             .folder = path_folder_of(model->arena, path),
                             .text = with_newlines(model->arena, read, length),
                             .length = (uint32_t)length,
                             .depth = user->depth + 1};
    free(read);
    if (!fits)
        too_many(model, user, name->span,
                 "the files of this model have more than %d bytes together", SYNTAX_MAX_BYTES);
    return fits ? text : NULL;
}

/* Reads a file, unless it has been imported before. MARK_BYTES and the names stand for the comments
 * that resolve.c puts around its text. So the limit on bytes also holds for the resolved text,
 * which must be readable again. */
static bool use_file(Model *model, const SourceText *user, Item *item) {
    const char *path = path_from(model->arena, user->folder, item->import.name.text);
    const char *identity = identity_of(model->arena, path);
    SourceText *known = names_find(model->texts, identity);
    model->text_bytes += MARK_BYTES + 2 * strlen(item->import.name.text);
    if (known && in_progress(user, known))
        return use_failed(model, user, item->import.name.span,
                          arena_format(model->arena, "'%s' uses itself", known->path));
    if (known) return true;
    if (user->depth == USE_MAX_DEPTH)
        return too_many(model, user, item->import.name.span,
                        "files use each other more than %d levels deep", USE_MAX_DEPTH);
    if (names_count(model->texts) > USE_MAX_FILES)
        return too_many(model, user, item->import.name.span, "this model uses more than %d files",
                        USE_MAX_FILES);
    item->import.text = open_text(model, user, &item->import.name, path);
    if (!item->import.text) return false;
    names_put(model->texts, identity, item->import.text);
    return read_items(model, item->import.text);
}

/* Adds the items of a text to those of the model, in the order of the text. */
static bool read_items(Model *model, SourceText *text) {
    model->text_bytes += text->length;
    text->file = diag_add_text(model->diag, text->path, text->text, text->length);
    ItemList *items = syntax_read_model(&(SyntaxInput){
        model->arena, model->diag, text->file, 0, text->text, text->length, &text->header_end});
    if (!items) note_users(model, text);
    bool good = items != NULL;
    for (Item *item = items ? items->first : NULL, *next; item; item = next) {
        next = item->next;
        item->next = NULL;
        AST_APPEND(model->items, item);
        if (item->kind == ITEM_USE) good &= use_file(model, text, item);
    }
    return good;
}

bool texts_read(Model *model) {
    const ModelOptions *options = model->options;
    SourceText *text = ARENA_NEW(model->arena, SourceText);
    model->own_text = text;
    *text = (SourceText){.path = options->path,
                         .folder = model->info.source.folder,
                         .text = with_newlines(model->arena, options->text, options->length),
                         .length = (uint32_t)options->length};
    names_put(model->texts, identity_of(model->arena, options->path), text);
    return read_items(model, text);
}
