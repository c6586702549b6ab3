/* Folders of pictures: images(folder, valid, test, height, width, channels), a folder in it for every class, PNG files in these. Rows are
 * in the order of the classes' names and, within a class, of the files' names. */
#include "runtime/map.h"
#include "runtime/bitmap.h"
#include "runtime/memory.h"
#include "runtime/reader.h"
#include "ir/utf8.h"

#include <errno.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { SIDE_MAX = 4096, CLASSES_MAX = 65536, CHANNELS_MAX = 3 };

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
    ImageFile *files; /* of training, then of validation, then of test */
    uint32_t file_count, file_capacity, train_count, valid_count;
    int height, width, channels; /* 0: not known yet */
} Images;

/* -- folders -- */

static bool is_folder(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISDIR(status.st_mode);
}

static bool is_png(const char *name) {
    size_t length = strlen(name);
    return length > 4 && !strcasecmp(name + length - 4, ".png");
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The folders, or the PNG files, in a folder, sorted; `others` counts what is neither. NULL if it cannot be listed. */
static const char **list_folder(const Images *images, const char *folder, bool folders, uint32_t *count, uint32_t *others) {
    const char **names = ARENA_ARRAY(images->arena, const char *, 16);
    uint32_t capacity = 16;
    DIR *open = opendir(folder);
    *count = *others = 0;
    for (struct dirent *entry; open && (entry = readdir(open));) {
        if (*entry->d_name == '.') continue;
        bool wanted = folders ? is_folder(arena_format(images->arena, "%s/%s", folder, entry->d_name)) : is_png(entry->d_name);
        *others += !wanted;
        if (!wanted) continue;
        if (*count == capacity) {
            const char **more = ARENA_ARRAY(images->arena, const char *, capacity *= 2);
            memcpy(more, names, *count * sizeof *names);
            names = more;
        }
        names[(*count)++] = arena_copy_string(images->arena, entry->d_name, strlen(entry->d_name));
    }
    if (open) closedir(open);
    qsort(names, *count, sizeof *names, by_text);
    return open ? names : NULL;
}

static void add_file(Images *images, const char *path, int32_t label) {
    ARENA_ROOM(images->arena, images->files, images->file_count, images->file_capacity);
    images->files[images->file_count++] = (ImageFile){path, label};
}

static bool add_class(Images *images, const char *folder, const char *name, int32_t label, Span span) {
    uint32_t count, others;
    if (!utf8_is_valid(name, strlen(name))) {
        diag_error(images->diag, STATUS_DATA, span, "the name of class %d in '%s' is not UTF-8", label, folder);
        return false;
    }
    const char *path = arena_format(images->arena, "%s/%s", folder, name);
    const char **names = list_folder(images, path, false, &count, &others);
    for (uint32_t i = 0; i < count; i++) add_file(images, arena_format(images->arena, "%s/%s", path, names[i]), label);
    if (count) return true;
    diag_error(images->diag, STATUS_DATA, span, "no PNG file is in the folder of a class, '%s'", path);
    if (others) diag_help(images->diag, "`mogrify -format png *` makes PNG files of other pictures");
    return false;
}

/* The number of a class of the training pictures; -1. */
static int32_t class_number(const Images *images, const char *name) {
    for (uint32_t i = 0; i < images->class_count; i++)
        if (!strcmp(images->classes[i], name)) return (int32_t)i;
    return -1;
}

static bool no_class(const Images *images, const char *folder, uint32_t others, Span span) {
    diag_error(images->diag, STATUS_DATA, span, "'%s' holds no folders%s", folder, others ? ", only files" : "");
    diag_help(images->diag, "every class has a folder of its own in it, with its PNG files");
    return false;
}

static bool list_files(Images *images, const char *argument) {
    const SourceArg *arg = reader_arg(images->source, argument);
    uint32_t count, others;
    if (!arg) return true;
    const char *folder = reader_path(images->source, arg, images->arena, images->diag);
    const char **names = folder ? list_folder(images, folder, true, &count, &others) : NULL;
    if (!folder) return false;
    if (!names) {
        diag_error(images->diag, STATUS_DATA, arg->span, "'%s' cannot be read as a folder: %s", folder, strerror(errno));
        diag_help(images->diag, "every class has a folder of its own in it, with its PNG files");
        return false;
    }
    if (!count) return no_class(images, folder, others, arg->span);
    if (count > CLASSES_MAX) {
        diag_error(images->diag, STATUS_DATA, arg->span, "'%s' holds %u folders, but %d classes are the most", folder, count,
                   CLASSES_MAX);
        return false;
    }
    if (!images->classes) images->classes = names, images->class_count = count;
    for (uint32_t i = 0; i < count; i++) {
        int32_t label = class_number(images, names[i]);
        if (label < 0) {
            diag_error(images->diag, STATUS_DATA, arg->span, "'%s' is a class of '%s', but not of the training pictures",
                       names[i], folder);
            return false;
        }
        if (!add_class(images, folder, names[i], label, arg->span)) return false;
    }
    return true;
}

/* -- size and channels -- */

static bool take_size(const Images *images, const char *name, int most, int *size) {
    const SourceArg *arg = reader_arg(images->source, name);
    if (arg) *size = arg->number >= 1 && arg->number <= most ? (int)arg->number : 0;
    if (!arg || (*size && (most != CHANNELS_MAX || *size != 2))) return true;
    if (most == CHANNELS_MAX)
        diag_error(images->diag, STATUS_MODEL, arg->span, "'channels' must be 1 (grey) or 3 (red, green, blue)");
    else
        diag_error(images->diag, STATUS_MODEL, arg->span, "'%s' must be from 1 to %d", name, most);
    return false;
}

static bool take_arguments(Images *images) {
    const SourceArg *height = reader_arg(images->source, "height"), *width = reader_arg(images->source, "width");
    if (!take_size(images, "height", SIDE_MAX, &images->height) || !take_size(images, "width", SIDE_MAX, &images->width) ||
        !take_size(images, "channels", CHANNELS_MAX, &images->channels))
        return false;
    if (!height == !width) return true;
    diag_error(images->diag, STATUS_MODEL, images->source->span, "images() needs both 'height' and 'width', or neither");
    return false;
}

static bool report(const Images *images, const ImageFile *file, const Problem *problem) {
    diag_error(images->diag, STATUS_DATA, images->source->span, "'%s': %s", file->path, problem->finding);
    return false;
}

static bool check_size(const Images *images, const ImageFile *file, const Bitmap *bitmap) {
    if (bitmap->height == images->height && bitmap->width == images->width) return true;
    diag_error(images->diag, STATUS_DATA, images->source->span,
               "'%s' has %d x %d pixels (height x width), but '%s' has %d x %d", file->path, bitmap->height, bitmap->width,
               images->files[0].path, images->height, images->width);
    diag_help(images->diag, "height = %d, width = %d brings all of them to one size", images->height, images->width);
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

/* What the arguments leave open, the files say: their one size, and whether any has colours. */
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
    diag_error(images->diag, STATUS_DATA, images->source->span, "the pictures are larger than %d x %d pixels", SIDE_MAX,
               SIDE_MAX);
    diag_help(images->diag, "height = ..., width = ... brings them to another size");
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
    int32_t *labels = malloc(images->file_count * sizeof *labels);
    data->data[0] = pixels;
    data->data[1] = labels;
    if (!pixels || !labels) {
        diag_error(images->diag, STATUS_DATA, images->source->span, "no memory for %u pictures of %zu bytes",
                   images->file_count, row);
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
    llvm_blake3_hasher_update(hasher, data->data[0], (size_t)(rows * shape_elements(data->fields[0].row)));
    llvm_blake3_hasher_update(hasher, data->data[1], (size_t)rows * sizeof(int32_t));
}

static void release(SourceData *data) {
    for (uint32_t i = 0; i < data->schema.field_count; i++) free(data->data[i]);
}

static void make_fields(const Images *images, SourceData *data) {
    reader_fields(data, 2);
    reader_origins(data, images->file_count);
    for (uint32_t i = 0; i < images->file_count; i++)
        data->origins[i] = (RowOrigin){.begin = (int32_t)i, .file = images->files[i].path, .is_row = true};
    data->schema.train_rows = images->train_count;
    data->schema.valid_rows = images->valid_count;
    data->schema.test_rows = images->file_count - images->train_count - images->valid_count;
    data->fields[0] =
        (SourceField){.name = "image", .dtype = DTYPE_U8, .row = {3, {images->channels, images->height, images->width}}};
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
