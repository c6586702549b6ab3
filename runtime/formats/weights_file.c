/* Tensors by name, from either of two formats. */
#include "runtime/formats/weights_file.h"
#include "ir/base/memory.h"
#include "runtime/formats/map.h"
#include "runtime/formats/npy.h"

#include <stdlib.h>
#include <string.h>

struct WeightsFile {
    SafeFile *safe; /* or an archive, whose arrays are unpacked into the arena */
    Arena *arena;
    SafeTensor *tensors;
    uint32_t count;
};

/* -- archives -- */

static bool fail(const char *path, const ZipEntry *entry, const Problem *problem,
                 Diagnostics *diag) {
    if (entry)
        diag_error(diag, STATUS_FILE, (Span){0}, "'%.100s' in '%s': %s", entry->name, path,
                   problem->finding);
    else
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s': %s", path, problem->finding);
    if (*problem->help) diag_help(diag, "%s", problem->help);
    return false;
}

/* torch.save writes a ZIP archive too. It holds a pickle, which is a program; mlc does not run
 * it. */
static bool is_pickle(const ZipEntry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (strstr(entries[i].name, "data.pkl")) return true;
    return false;
}

/* PyTorch's batch_norm counts its batches in a tensor without axes. mlc has no such state, so the
 * tensor is left out. */
static bool is_counter(const char *name) {
    const char *dot = strrchr(name, '.');
    return !strcmp(dot ? dot + 1 : name, "num_batches_tracked");
}

static bool take_array(WeightsFile *file, const Map *map, const ZipEntry *entry, Problem *problem) {
    NpyArray array;
    void *bytes = memory_try(entry->bytes);
    if (!bytes) return problem_set(problem, "no memory for its %zu bytes", entry->bytes), false;
    bool good = zip_unpack(map->bytes, map->length, entry, bytes, entry->bytes, problem) &&
                npy_read(bytes, entry->bytes, true, &array, problem);
    if (good) {
        size_t size = (size_t)shape_elements(array.shape) * dtype_bytes(array.dtype);
        void *elements = arena_alloc(file->arena, size);
        npy_convert(&array, elements);
        file->tensors[file->count++] =
            (SafeTensor){entry->name, safetensors_dtype(array.dtype), array.shape, elements};
    }
    free(bytes);
    return good;
}

static bool take_arrays(WeightsFile *file, const char *path, const Map *map, Diagnostics *diag) {
    ZipEntry *entries = ARENA_ARRAY(file->arena, ZipEntry, ZIP_MAX_ENTRIES);
    Problem problem = {0};
    uint32_t count;
    bool good = zip_list(map->bytes, map->length, file->arena, entries, &count, &problem);
    if (is_pickle(entries, count)) {
        diag_error(diag, STATUS_FILE, (Span){0},
                   "'%s' was written by torch.save: it holds a program, not tensors", path);
        diag_help(
            diag,
            "in Python: safetensors.torch.save_file(torch.load(\"%.100s\"), \"weights.safetensors\")",
            path);
        return false;
    }
    if (!good) return fail(path, NULL, &problem, diag);
    file->tensors = ARENA_ARRAY(file->arena, SafeTensor, count);
    for (uint32_t i = 0; i < count; i++)
        if (!is_counter(entries[i].name) && !take_array(file, map, &entries[i], &problem))
            return fail(path, &entries[i], &problem, diag);
    return true;
}

/* -- both -- */

WeightsFile *weights_file_read(const char *path, Diagnostics *diag) {
    Arena *arena = arena_new();
    WeightsFile *file = ARENA_NEW(arena, WeightsFile);
    Map map;
    Problem problem = {0};
    file->arena = arena;
    bool mapped = map_open(path, &map, &problem);
    bool archive = mapped && map.length >= 4 && !memcmp(map.bytes, "PK\3\4", 4);
    bool good = archive ? take_arrays(file, path, &map, diag)
                        : (file->safe = safetensors_read(path, diag)) != NULL;
    if (file->safe) {
        file->tensors = ARENA_ARRAY(file->arena, SafeTensor, safetensors_count(file->safe));
        for (uint32_t i = 0; i < safetensors_count(file->safe); i++)
            if (!is_counter(safetensors_tensor(file->safe, i)->name))
                file->tensors[file->count++] = *safetensors_tensor(file->safe, i);
    }
    if (mapped) map_close(&map);
    if (good) return file;
    weights_file_free(file);
    return NULL;
}

void weights_file_free(WeightsFile *file) {
    if (!file) return;
    safetensors_free(file->safe);
    arena_free(file->arena);
}

uint32_t weights_file_count(const WeightsFile *file) { return file->count; }
const SafeTensor *weights_file_tensor(const WeightsFile *file, uint32_t index) {
    return &file->tensors[index];
}

bool weights_file_keeps_order(const WeightsFile *file) { return !file->safe; }

const SafeTensor *weights_file_find(const WeightsFile *file, const char *name) {
    return safetensors_among(file->tensors, file->count, name);
}

/* -- numbers -- */

static float f64_value(const void *data, int64_t i) {
    double value;
    memcpy(&value, (const char *)data + (size_t)i * sizeof value, sizeof value);
    return (float)value;
}

static uint16_t two_bytes(const void *data, int64_t i) {
    const uint8_t *at = (const uint8_t *)data + 2 * i;
    return (uint16_t)(at[0] | at[1] << 8);
}

static float f16_number(const void *data, int64_t i) { return npy_half(two_bytes(data, i)); }
static float bf16_number(const void *data, int64_t i) {
    uint32_t wide = (uint32_t)two_bytes(data, i) << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* The real dtypes other than F32, each with the function that reads an element. */
static const struct {
    const char *dtype;
    float (*number)(const void *data, int64_t i);
} reals[] = {{SAFETENSORS_F64, f64_value}, {"F16", f16_number}, {"BF16", bf16_number}};
enum { REALS = sizeof reals / sizeof *reals };

bool weights_file_fits(const SafeTensor *tensor, const Symbol *symbol) {
    if (safetensors_fits(tensor, symbol)) return true;
    for (int i = 0; i < REALS; i++)
        if (!strcmp(tensor->dtype, reals[i].dtype))
            return symbol->dtype == DTYPE_F32 && shape_equal(tensor->shape, symbol->shape);
    return false;
}

void weights_file_convert(const SafeTensor *tensor, const Symbol *symbol, void *to) {
    size_t count = (size_t)shape_elements(symbol->shape);
    int kind = 0;
    while (kind < REALS && strcmp(tensor->dtype, reals[kind].dtype)) kind++;
    if (kind == REALS) memcpy(to, tensor->data, count * dtype_bytes(symbol->dtype));
    for (size_t i = 0; i < count && kind < REALS; i++)
        ((float *)to)[i] = reals[kind].number(tensor->data, (int64_t)i);
}
