/* Reads folders of pictures: images(folder, valid, test, height, width, channels). The folder has a
 * folder for each class, and these hold the pictures. Rows are sorted by the names of the classes,
 * then by the names of the files. Hidden files and files of operating systems are skipped. Any
 * other file that is not a picture is an error. */
#include "runtime/formats/map.h"
#include "runtime/formats/bitmap.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"
#include "runtime/data/reader.h"
#include "ir/base/utf8.h"

#include <errno.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { SIDE_MAX = 4096, CLASSES_MAX = 65536, CHANNELS_MAX = 3, NAMES_SHOWN = 3 };

typedef struct {
    const char *path;
    int32_t label;
} ImageFile;

typedef struct {
    const DataSource *source;
    Arena *arena;
    Diagnostics *diag;
    const char **classes; /* sorted */
    uint32_t class_count;
    ImageFile *files; /* training files, then validation files, then test files */
    uint32_t file_count, file_capacity, train_count, valid_count;
    int height, width, channels; /* 0: not known yet */
} Images;

/* -- folders -- */

typedef struct {
    const char **items; /* sorted by by_text */
    uint32_t count, capacity;
} NameList;

static void add_name(const Images *images, NameList *names, const char *name) {
    ARENA_ROOM(images->arena, names->items, names->count, names->capacity);
    names->items[names->count++] = name;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(NameList *names) {
    if (names->count) qsort(names->items, names->count, sizeof *names->items, by_text);
}

/* Files that file managers and archivers create. */
static bool is_systems(const char *name) {
    static const char *const known[] = {"Thumbs.db",   "ehthumbs.db", "ehthumbs_vista.db",
                                        "desktop.ini", "Icon\r",      "__MACOSX"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(name, known[i])) return true;
    return *name == '.';
}

typedef struct {
    /* others: files that are not pictures, or of a kind that mlc cannot decode */
    NameList folders, pictures, others;
} Listing;

static bool cannot_list(const Images *images, const char *folder, Span span) {
    diag_error(images->diag, STATUS_DATA, span, "'%s' cannot be read as a folder: %s", folder,
               strerror(errno));
    diag_help(images->diag, "it must have a folder for each class, with the pictures in it");
    return false;
}

/* A broken link cannot be read, and a pipe or a device may wait forever. exists: it is no broken
 * link. */
static bool report_no_file(const Images *images, const char *path, bool exists, Span span) {
    diag_error(images->diag, STATUS_DATA, span,
               exists ? "'%s' is not a file but a pipe, a socket or a device"
                      : "'%s' cannot be read: %s",
               path, strerror(errno));
    diag_help(images->diag, "remove it from the folder");
    return false;
}

/* Adds an entry of a folder to its list. Most pictures are recognized by their ending, so that they
 * are opened only once; the decoder looks at their contents. */
static bool sort_entry(const Images *images, const char *folder, const char *name, Listing *listing,
                       Span span) {
    struct stat status;
    bool readable;
    const char *path = arena_format(images->arena, "%s/%s", folder, name);
    if (stat(path, &status)) return report_no_file(images, path, false, span);
    if (S_ISDIR(status.st_mode)) return add_name(images, &listing->folders, name), true;
    if (!S_ISREG(status.st_mode)) return report_no_file(images, path, true, span);
    const char *kind =
        bitmap_has_ending(name) ? (readable = true, "") : bitmap_kind(path, &readable);
    if (kind && readable)
        add_name(images, &listing->pictures, name);
    else
        add_name(images, &listing->others,
                 kind ? arena_format(images->arena, "%s (%s)", name, kind) : name);
    return true;
}

static bool list_folder(const Images *images, const char *folder, Listing *listing, Span span) {
    DIR *open = opendir(folder);
    bool good = open != NULL || cannot_list(images, folder, span);
    *listing = (Listing){0};
    for (const char *name; good;) {
        if (!(name = folder_next(open))) {
            good = !errno || cannot_list(images, folder, span);
            break;
        }
        if (!is_systems(name))
            good = sort_entry(images, folder, arena_copy_string(images->arena, name, strlen(name)),
                              listing, span);
    }
    if (open) closedir(open);
    sort(&listing->folders);
    sort(&listing->pictures);
    sort(&listing->others);
    return good;
}

/* "a.txt, b.gif (GIF) and 7 more" */
static const char *some_names(const Images *images, const NameList *names) {
    const char *text = names->items[0];
    uint32_t shown = names->count < NAMES_SHOWN ? names->count : NAMES_SHOWN;
    for (uint32_t i = 1; i < shown; i++)
        text = arena_format(images->arena, "%s, %s", text, names->items[i]);
    return names->count > shown
               ? arena_format(images->arena, "%s and %u more", text, names->count - shown)
               : text;
}

static bool not_pictures(const Images *images, const char *folder, const NameList *others,
                         Span span) {
    bool one = others->count == 1;
    diag_error(images->diag, STATUS_DATA, span, "%u file%s in '%s' %s: %s", others->count,
               one ? "" : "s", folder,
               one ? "is not a picture that mlc reads" : "are not pictures that mlc reads",
               some_names(images, others));
    diag_help(
        images->diag,
        "pictures are PNG, JPEG, WebP and BMP files; remove the others (hidden files may stay), or convert them, for instance by `mogrify -format png *.gif`");
    return false;
}

static bool nested(const Images *images, const char *folder, const char *path,
                   const NameList *folders, Span span) {
    diag_error(images->diag, STATUS_DATA, span,
               "'%s' is the folder of a class, but holds folders: %s", path,
               some_names(images, folders));
    for (uint32_t i = 0; i < images->class_count; i++)
        if (!strcmp(images->classes[i], "train") || !strcmp(images->classes[i], "test")) {
            diag_help(images->diag,
                      "images(\"%s/train\", test = \"%s/test\") reads training and test pictures",
                      folder, folder);
            return false;
        }
    diag_help(images->diag, "put all pictures of a class into its folder itself");
    return false;
}

/* -- classes -- */

/* Files that are not pictures are added to `others`, so that one error lists all of them. */
static bool add_class(Images *images, const char *folder, const char *name, int32_t label,
                      NameList *others, Span span) {
    Listing listing;
    if (!utf8_is_valid(name, strlen(name))) {
        diag_error(images->diag, STATUS_DATA, span, "the name of class %d in '%s' is not UTF-8",
                   label, folder);
        return false;
    }
    const char *path = arena_format(images->arena, "%s/%s", folder, name);
    if (!list_folder(images, path, &listing, span)) return false;
    if (listing.folders.count) return nested(images, folder, path, &listing.folders, span);
    for (uint32_t i = 0; i < listing.others.count; i++)
        add_name(images, others,
                 arena_format(images->arena, "%s/%s", name, listing.others.items[i]));
    for (uint32_t i = 0; i < listing.pictures.count; i++) {
        ARENA_ROOM(images->arena, images->files, images->file_count, images->file_capacity);
        images->files[images->file_count++] = (ImageFile){
            arena_format(images->arena, "%s/%s", path, listing.pictures.items[i]), label};
    }
    if (listing.pictures.count || listing.others.count) return true;
    diag_error(images->diag, STATUS_DATA, span, "'%s', the folder of a class, holds no picture",
               path);
    diag_help(images->diag, "put pictures into it, or remove the folder");
    return false;
}

/* The index of a class of the training pictures, or -1. */
static int32_t class_number(const Images *images, const char *name) {
    for (uint32_t i = 0; i < images->class_count; i++)
        if (!strcmp(images->classes[i], name)) return (int32_t)i;
    return -1;
}

static bool check_classes(const Images *images, const char *folder, const Listing *listing,
                          Span span) {
    const NameList *folders = &listing->folders;
    if (!folders->count) {
        diag_error(images->diag, STATUS_DATA, span, "'%s' holds no folders%s", folder,
                   listing->pictures.count || listing->others.count ? ", only files" : "");
        diag_help(images->diag, "it must have a folder for each class, with the pictures in it");
        return false;
    }
    if (folders->count > CLASSES_MAX) {
        diag_error(images->diag, STATUS_DATA, span,
                   "'%s' holds %u folders; %d classes are the maximum", folder, folders->count,
                   CLASSES_MAX);
        return false;
    }
    if (!listing->pictures.count) return true;
    bool one = listing->pictures.count == 1;
    diag_error(images->diag, STATUS_DATA, span,
               "%u picture%s in '%s' %s in none of its class folders: %s", listing->pictures.count,
               one ? "" : "s", folder, one ? "is" : "are", some_names(images, &listing->pictures));
    diag_help(images->diag, "move every picture into the folder of its class");
    return false;
}

static bool list_files(Images *images, const char *argument) {
    const SourceArg *arg = reader_arg(images->source, argument);
    Listing listing;
    if (!arg) return true;
    const char *folder = reader_path(images->source, arg, images->arena, images->diag);
    if (!folder || !list_folder(images, folder, &listing, arg->span) ||
        !check_classes(images, folder, &listing, arg->span))
        return false;
    if (!images->classes)
        images->classes = listing.folders.items, images->class_count = listing.folders.count;
    for (uint32_t i = 0; i < listing.folders.count; i++) {
        const char *name = listing.folders.items[i];
        int32_t label = class_number(images, name);
        if (label < 0) {
            diag_error(images->diag, STATUS_DATA, arg->span,
                       "'%s' is a class of '%s', but not of the training pictures", name, folder);
            return false;
        }
        if (!add_class(images, folder, name, label, &listing.others, arg->span)) return false;
    }
    return !listing.others.count || not_pictures(images, folder, &listing.others, arg->span);
}

/* -- size and channels -- */

static bool take_size(const Images *images, const char *name, int most, int *size) {
    const SourceArg *arg = reader_arg(images->source, name);
    if (arg) *size = arg->number >= 1 && arg->number <= most ? (int)arg->number : 0;
    if (!arg || (*size && (most != CHANNELS_MAX || *size != 2))) return true;
    if (most == CHANNELS_MAX)
        diag_error(images->diag, STATUS_MODEL, arg->span,
                   "'channels' must be 1 (grey) or 3 (red, green, blue)");
    else
        diag_error(images->diag, STATUS_MODEL, arg->span, "'%s' must be from 1 to %d", name, most);
    return false;
}

static bool take_arguments(Images *images) {
    const SourceArg *height = reader_arg(images->source, "height"),
                    *width = reader_arg(images->source, "width");
    if (!take_size(images, "height", SIDE_MAX, &images->height) ||
        !take_size(images, "width", SIDE_MAX, &images->width) ||
        !take_size(images, "channels", CHANNELS_MAX, &images->channels))
        return false;
    if (!height == !width) return true;
    diag_error(images->diag, STATUS_MODEL, images->source->span,
               "images() needs both 'height' and 'width', or neither");
    return false;
}

static bool report(const Images *images, const ImageFile *file, const Problem *problem) {
    diag_error(images->diag, STATUS_DATA, images->source->span, "'%s': %s", file->path,
               problem->finding);
    if (*problem->help) diag_help(images->diag, "%s", problem->help);
    return false;
}

static bool check_size(const Images *images, const ImageFile *file, const Bitmap *bitmap) {
    if (bitmap->height == images->height && bitmap->width == images->width) return true;
    diag_error(images->diag, STATUS_DATA, images->source->span,
               "'%s' has %d x %d pixels (height x width), but '%s' has %d x %d", file->path,
               bitmap->height, bitmap->width, images->files[0].path, images->height, images->width);
    diag_help(images->diag, "height = %d, width = %d scales all pictures to one size",
              images->height, images->width);
    return false;
}

static bool look(const Images *images, const ImageFile *file, Bitmap *bitmap) {
    Problem problem = {0};
    Map map;
    if (!map_open(file->path, &map, &problem)) return report(images, file, &problem);
    bool good = bitmap_look(map.bytes, map.length, bitmap, &problem);
    map_close(&map);
    return good || report(images, file, &problem);
}

/* Takes from the files what the arguments leave open: their common size, and three channels if any
 * file has colours. */
static bool look_at_files(Images *images) {
    bool given = images->height != 0, coloured = false;
    for (uint32_t i = 0; i < images->file_count && !(given && images->channels); i++) {
        Bitmap bitmap;
        if (!look(images, &images->files[i], &bitmap)) return false;
        coloured |= bitmap.channels == 3;
        if (!images->height) images->height = bitmap.height, images->width = bitmap.width;
        if (!given && !check_size(images, &images->files[i], &bitmap)) return false;
    }
    if (!images->channels) images->channels = coloured ? 3 : 1;
    if (images->height <= SIDE_MAX && images->width <= SIDE_MAX) return true;
    diag_error(images->diag, STATUS_DATA, images->source->span,
               "the pictures are larger than %d x %d pixels", SIDE_MAX, SIDE_MAX);
    diag_help(images->diag, "height = ..., width = ... scales them down");
    return false;
}

/* -- pixels -- */

static bool read_file(const Images *images, const ImageFile *file, uint8_t *to) {
    Problem problem = {0};
    Bitmap bitmap = {0};
    Map map;
    if (!map_open(file->path, &map, &problem)) return report(images, file, &problem);
    bool good = bitmap_decode(map.bytes, map.length, images->channels, &bitmap, &problem);
    map_close(&map);
    if (good) bitmap_resize(&bitmap, images->height, images->width, to);
    bitmap_free(&bitmap);
    return good || report(images, file, &problem);
}

static bool read_files(const Images *images, SourceData *data) {
    size_t row = (size_t)images->channels * (size_t)images->height * (size_t)images->width;
    uint8_t *pixels = memory_try(row * images->file_count);
    int32_t *labels = memory_try_grow(NULL, images->file_count * sizeof *labels);
    data->data[0] = pixels;
    data->data[1] = labels;
    if (!pixels || !labels) {
        diag_error(images->diag, STATUS_DATA, images->source->span,
                   "no memory for %u pictures of %zu bytes", images->file_count, row);
        return false;
    }
    for (uint32_t i = 0; i < images->file_count; i++) {
        labels[i] = images->files[i].label;
        if (!read_file(images, &images->files[i], pixels + i * row)) return false;
    }
    return true;
}

/* -- the source -- */

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    int64_t rows = source_all_rows(&data->schema);
    llvm_blake3_hasher_update(hasher, data->data[0],
                              (size_t)(rows * shape_elements(data->fields[0].row)));
    llvm_blake3_hasher_update(hasher, data->data[1], (size_t)rows * sizeof(int32_t));
}

static void release(SourceData *data) {
    for (uint32_t i = 0; i < data->schema.field_count; i++) free(data->data[i]);
}

static void make_fields(const Images *images, SourceData *data) {
    reader_fields(data, 2);
    reader_origins(data, images->file_count);
    for (uint32_t i = 0; i < images->file_count; i++)
        data->origins[i] =
            (RowOrigin){.begin = (int32_t)i, .file = images->files[i].path, .is_row = true};
    data->schema.train_rows = images->train_count;
    data->schema.valid_rows = images->valid_count;
    data->schema.test_rows = images->file_count - images->train_count - images->valid_count;
    data->fields[0] = (SourceField){.name = "image",
                                    .dtype = DTYPE_U8,
                                    .row = {3, {images->channels, images->height, images->width}}};
    data->fields[1] = (SourceField){.name = "label",
                                    .dtype = DTYPE_I32,
                                    .classes = (int32_t)images->class_count,
                                    .categories = images->classes,
                                    .category_count = images->class_count};
}

bool read_images(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    Images images = {.source = source, .arena = data->arena, .diag = diag};
    data->digest = digest;
    data->release = release;
    data->span = source->span;
    if (!take_arguments(&images) || !list_files(&images, "folder")) return false;
    images.train_count = images.file_count;
    if (!list_files(&images, "valid")) return false;
    images.valid_count = images.file_count - images.train_count;
    if (!list_files(&images, "test") || !look_at_files(&images)) return false;
    make_fields(&images, data);
    return !whole || read_files(&images, data);
}
