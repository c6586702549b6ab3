/* Finds the files of `source = mnist()` or `source = idx(...)`: named sets, their folders, and the
 * arguments of idx. */
#include "runtime/data/sources.h"
#include "ir/base/files.h"
#include "runtime/data/reader.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SET(name, folder of the system's package, channels, height, width, names of the classes...) */
#define NAMED_SETS                                                                                 \
    SET(mnist, NULL, 1, 28, 28, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")                  \
    SET(fashion_mnist, "/usr/share/datasets/fashion-mnist", 1, 28, 28, "T-shirt/top", "Trouser",   \
        "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

#define SET(name, folder, channels, height, width, ...)                                            \
    {#name,                                                                                        \
     folder,                                                                                       \
     channels,                                                                                     \
     height,                                                                                       \
     width,                                                                                        \
     LENGTH(__VA_ARGS__),                                                                          \
     (const char *const[]){__VA_ARGS__}},
#define LENGTH(...) sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)
static const NamedSet named_sets[] = {NAMED_SETS};
#undef SET
/* Named tables: files NAME.csv, which a model names like other files. */
#define NAMED_TABLES TABLE(california_housing)

#define SET(name, folder, ...) #name,
#define TABLE(name) #name,
static const char *const data_set_names[] = {NAMED_SETS NAMED_TABLES};
#undef SET
#undef TABLE
enum {
    SET_COUNT = sizeof named_sets / sizeof *named_sets,
    NAME_COUNT = sizeof data_set_names / sizeof *data_set_names,
    PATH_BYTES = 4096
};

const NamedSet *named_set(const char *name) {
    for (size_t i = 0; i < SET_COUNT; i++)
        if (!strcmp(named_sets[i].name, name)) return &named_sets[i];
    return NULL;
}

const char *named_file(FileRole role) {
    static const char *const names[FILE_COUNT] = {[FILE_TRAIN_IMAGES] = "train-images-idx3-ubyte",
                                                  [FILE_TRAIN_LABELS] = "train-labels-idx1-ubyte",
                                                  [FILE_TEST_IMAGES] = "t10k-images-idx3-ubyte",
                                                  [FILE_TEST_LABELS] = "t10k-labels-idx1-ubyte"};
    return names[role];
}

/* The named table for a name, or for its file; NULL: none. */
static const char *named_table(const char *file) {
    for (size_t i = SET_COUNT; i < NAME_COUNT; i++) {
        size_t length = strlen(data_set_names[i]);
        if (!strncmp(data_set_names[i], file, length) &&
            (!file[length] || !strcmp(file + length, TABLE_ENDING)))
            return data_set_names[i];
    }
    return NULL;
}

const char *const *data_names(uint32_t *count) {
    *count = NAME_COUNT;
    return data_set_names;
}

/* The value of an environment variable; NULL if unset or empty. */
static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The folder of the named sets' folders and the named tables' files. */
static const char *data_root(char *buffer, size_t size) {
    const char *data = setting("MLC_DATA"), *cache = setting("XDG_CACHE_HOME"),
               *home = setting("HOME");
    if (data)
        snprintf(buffer, size, "%s", data);
    else if (cache)
        snprintf(buffer, size, "%s/mlc", cache);
    else
        snprintf(buffer, size, "%s/.cache/mlc", home ? home : ".");
    return buffer;
}

const char *data_folder(const char *name, char *buffer, size_t size) {
    data_root(buffer, size);
    size_t length = strlen(buffer);
    if (!named_table(name) && length < size) snprintf(buffer + length, size - length, "/%s", name);
    return buffer;
}

/* The path of `name` in the folder, or `name` itself if it is absolute. NULL: no such file. */
static const char *find_named(Arena *arena, const char *folder, const char *name) {
    bool as_it_is = *name == '/' || !*folder || !strcmp(folder, ".");
    const char *slash = *folder && folder[strlen(folder) - 1] == '/' ? "" : "/";
    const char *path = as_it_is ? arena_copy_string(arena, name, strlen(name))
                                : arena_format(arena, "%s%s%s", folder, slash, name);
    return file_is_there(path) ? path : NULL;
}

/* The name of the other form: "t.csv" for "t.csv.gz", and "t.csv.gz" for "t.csv". */
static const char *other_form(Arena *arena, const char *name) {
    size_t length = strlen(name);
    bool packed = length > 3 && !strcmp(name + length - 3, ".gz");
    return packed ? arena_copy_string(arena, name, length - 3) : arena_format(arena, "%s.gz", name);
}

/* The file of that name, or its other form. NULL: neither exists. */
static const char *find_file(Arena *arena, const char *folder, const char *name) {
    const char *path = find_named(arena, folder, name);
    return path ? path : find_named(arena, folder, other_form(arena, name));
}

/* The exact name is searched in all folders before the other form. */
const char *source_find_file(Arena *arena, const char *folder, const char *name) {
    char root[PATH_BYTES];
    const char *other = other_form(arena, name), *path = find_named(arena, folder, name);
    data_root(root, sizeof root);
    if (!path) path = find_named(arena, root, name);
    if (!path) path = find_named(arena, folder, other);
    return path ? path : find_named(arena, root, other);
}

/* The number of a named set's files in a folder; *whole: all are there. */
static int find_set(Arena *arena, const char *folder, SourceFiles *files, bool *whole) {
    int found = 0;
    *whole = true;
    for (int role = 0; role < FILE_COUNT; role++) {
        const char *name = named_file((FileRole)role);
        files->paths[role] = name ? find_file(arena, folder, name) : NULL;
        found += files->paths[role] != NULL;
        *whole &= !name || files->paths[role];
    }
    return found;
}

bool source_files_named(const NamedSet *named, Span span, Arena *arena, SourceFiles *files) {
    char folder[PATH_BYTES];
    *files = (SourceFiles){.named = named, .classes = named->class_count};
    for (int role = 0; role < FILE_COUNT; role++) files->spans[role] = span;
    bool whole;
    int found = find_set(arena, data_folder(named->name, folder, sizeof folder), files, &whole);
    if (!found && named->system_folder) find_set(arena, named->system_folder, files, &whole);
    return whole;
}

/* The file with the most similar name in the folder where it should be. */
static void suggest_file(const char *folder, const char *name, Diagnostics *diag) {
    enum { MOST = 1000 };
    const char *names[MOST], *slash = strrchr(name, '/');
    size_t count = 0;
    Arena *arena = arena_new();
    const char *within = slash ? arena_copy_string(arena, name, (size_t)(slash + 1 - name)) : "";
    const char *base = *within == '/' || !*folder ? "" : arena_format(arena, "%s/", folder);
    const char *path = arena_format(arena, "%s%s", base, within);
    DIR *entries = opendir(*path ? path : ".");
    const struct dirent *entry;
    while (entries && count < MOST && (entry = readdir(entries)))
        names[count++] = arena_copy_string(arena, entry->d_name, strlen(entry->d_name));
    if (entries) closedir(entries);
    const char *near = diag_nearest(slash ? slash + 1 : name, names, count);
    if (near) diag_help(diag, "did you mean '%s%s'?", within, near);
    arena_free(arena);
}

void source_report_missing(const DataSource *source, const SourceArg *arg, Diagnostics *diag) {
    char root[PATH_BYTES];
    const char *table = named_table(arg->text), *text = arg->text;
    if (!*text) {
        diag_error(diag, STATUS_DATA, arg->span, "the name of the file is empty");
        return;
    }
    diag_error(diag, STATUS_DATA, arg->span,
               "no data: neither '%s' nor a packed or unpacked form of it is there", arg->text);
    if (table) diag_help(diag, "`mlc data get %s` downloads it", table);
    if (*text == '~') diag_help(diag, "only a shell replaces '~': write the whole path");
    if (strstr(text, "://")) diag_help(diag, "mlc reads files: download it first");
    suggest_file(source->folder, text, diag);
    diag_help(diag,
              "relative names are searched in the folder of the model, '%s', then in '%s', %s",
              *source->folder ? source->folder : ".", data_root(root, sizeof root),
              setting("MLC_DATA") ? "which is $MLC_DATA" : "as $MLC_DATA is not set");
}

bool data_find(const char *name, char *buffer, size_t size) {
    Arena *arena = arena_new();
    SourceFiles files;
    char root[PATH_BYTES];
    const NamedSet *set = named_set(name);
    const char *path = NULL;
    if (!set)
        path = find_file(arena, data_root(root, sizeof root),
                         arena_format(arena, "%s" TABLE_ENDING, name));
    else if (source_files_named(set, (Span){0}, arena, &files))
        path = files.paths[0];
    if (path) {
        /* The folder that holds a path. */
        snprintf(buffer, size, "%.*s", (int)(strrchr(path, '/') - path), path);
    }
    arena_free(arena);
    return path != NULL;
}

static void report_missing_set(const SourceFiles *files, Span span, Diagnostics *diag) {
    const NamedSet *named = files->named;
    char folder[PATH_BYTES];
    int missing = -1;
    bool any = false;
    for (int role = FILE_COUNT - 1; role >= 0; role--) {
        if (files->paths[role])
            any = true;
        else if (named_file((FileRole)role))
            missing = role;
    }
    diag_error(diag, STATUS_DATA, span, "no data: '%s' is not in '%s'%s%s%s",
               any ? named_file((FileRole)missing) : named->name,
               data_folder(named->name, folder, sizeof folder), named->system_folder ? " or '" : "",
               named->system_folder ? named->system_folder : "", named->system_folder ? "'" : "");
    diag_help(
        diag,
        "`mlc data get %s` downloads it; if you have the four IDX files (%s or %s.gz, ...), set MLC_DATA to the folder "
        "that holds the folder '%s'",
        named->name, named_file(FILE_TRAIN_IMAGES), named_file(FILE_TRAIN_IMAGES), named->name);
}

/* -- idx(images, labels, valid_images =, valid_labels =, test_images =, test_labels =, classes =)
 * -- */

static const char *const idx_arguments[] = {
    "images", "labels", "valid_images", "valid_labels", "test_images", "test_labels", "classes"};
enum {
    IDX_ARGUMENTS = sizeof idx_arguments / sizeof *idx_arguments,
    IDX_POSITIONAL = 2,
    IDX_CLASSES = FILE_COUNT
};

static int argument_index(const SourceArg *arg, uint32_t position) {
    if (!*arg->name) return position < IDX_POSITIONAL ? (int)position : -1;
    for (int i = 0; i < IDX_ARGUMENTS; i++)
        if (!strcmp(arg->name, idx_arguments[i])) return i;
    return -1;
}

static bool unknown_argument(const SourceArg *arg, Diagnostics *diag) {
    const char *near = diag_nearest(arg->name, idx_arguments, IDX_ARGUMENTS);
    if (*arg->name)
        diag_error(diag, STATUS_MODEL, arg->span, "idx() has no argument '%s'", arg->name);
    else
        diag_error(diag, STATUS_MODEL, arg->span, "too many arguments without a name for idx()");
    if (near)
        diag_help(diag, "did you mean '%s'?", near);
    else
        diag_help(
            diag,
            "write idx(images, labels, valid_images = ..., valid_labels = ..., test_images = ..., test_labels = "
            "..., classes = ...)");
    return false;
}

static bool take_classes(const SourceArg *arg, SourceFiles *files, Diagnostics *diag) {
    bool whole = arg->kind == SOURCE_ARG_NUMBER && arg->number >= 1 && arg->number <= 256;
    if (whole) files->classes = (int32_t)arg->number;
    if (whole && files->classes == arg->number) return true;
    diag_error(diag, STATUS_MODEL, arg->span, "classes must be a whole number from 1 to 256");
    return false;
}

static bool take_path(const DataSource *source, const SourceArg *arg, int role, Arena *arena,
                      SourceFiles *files, Diagnostics *diag) {
    if (arg->kind != SOURCE_ARG_STRING) {
        diag_error(diag, STATUS_MODEL, arg->span,
                   "'%s' of idx() must be the name of a file, as a string", idx_arguments[role]);
        return false;
    }
    files->spans[role] = arg->span;
    return (files->paths[role] = reader_path(source, arg, arena, diag)) != NULL;
}

static bool take_argument(const DataSource *source, uint32_t i, bool *seen, Arena *arena,
                          SourceFiles *files, Diagnostics *diag) {
    const SourceArg *arg = &source->args[i];
    int index = argument_index(arg, i);
    if (index < 0) return unknown_argument(arg, diag);
    if (seen[index]) {
        diag_error(diag, STATUS_MODEL, arg->span, "'%s' of idx() is given twice",
                   idx_arguments[index]);
        return false;
    }
    seen[index] = true;
    return index == IDX_CLASSES ? take_classes(arg, files, diag)
                                : take_path(source, arg, index, arena, files, diag);
}

static bool files_of_idx(const DataSource *source, Arena *arena, SourceFiles *files,
                         Diagnostics *diag) {
    bool seen[IDX_ARGUMENTS] = {false}, good = true;
    *files = (SourceFiles){0};
    for (uint32_t i = 0; i < source->arg_count; i++)
        good &= take_argument(source, i, seen, arena, files, diag);
    if (!seen[FILE_TRAIN_IMAGES]) {
        diag_error(diag, STATUS_MODEL, source->span, "idx() needs the name of a file with images");
        diag_help(diag, "write idx(\"images-idx3-ubyte\", \"labels-idx1-ubyte\")");
        return false;
    }
    for (int role = FILE_VALID_IMAGES; role < FILE_COUNT; role += 2) {
        if (seen[role + 1] == (seen[role] && seen[FILE_TRAIN_LABELS])) continue;
        diag_error(
            diag, STATUS_MODEL, source->span,
            "idx() needs labels for the training images and for the %s images, or for neither",
            role == FILE_VALID_IMAGES ? "validation" : "test");
        return false;
    }
    return good;
}

bool source_files(const DataSource *source, Arena *arena, SourceFiles *files, Diagnostics *diag) {
    const NamedSet *named = named_set(source->reader);
    if (!named) return files_of_idx(source, arena, files, diag);
    if (source->arg_count) {
        diag_error(diag, STATUS_MODEL, source->args[0].span, "%s() takes no arguments",
                   named->name);
        diag_help(diag, "write `source = %s()`; idx(images, labels) reads files of your own",
                  named->name);
        return false;
    }
    if (source_files_named(named, source->span, arena, files)) return true;
    report_missing_set(files, source->span, diag);
    return false;
}
