/* Warm start: each tensor of the network is looked up in a safetensors file by its name and
 * shape. */
#include "runtime/formats/safetensors.h"
#include "runtime/train/warm_start.h"

#include <ctype.h>
#include <string.h>

typedef struct {
    const char *path;
    const SafeFile *file;
    States *states;
    const WeightMap *maps;
    uint32_t map_count;
    Arena *arena;
    WeightsTaken *taken;
    const char **used; /* the names that tensors of the network were looked up by */
    uint32_t used_count;
    Diagnostics *diag;
} WarmStart;

/* The rest of a name that begins with the layer or tensor `part`: after_part("conv1.weight",
 * "conv1") is ".weight". NULL: it does not. */
static const char *after_part(const char *name, const char *part) {
    size_t length = strlen(part);
    bool begins = !strncmp(name, part, length) && (!name[length] || name[length] == '.');
    return begins ? name + length : NULL;
}

static const char *lower_case(Arena *arena, const char *text) {
    char *copy = arena_copy_string(arena, text, strlen(text));
    for (char *at = copy; *at; at++) *at = (char)tolower((unsigned char)*at);
    return copy;
}

/* The name of a tensor in the file, after --map. */
static const char *name_there(const WarmStart *start, const char *name) {
    for (uint32_t i = 0; i < start->map_count; i++) {
        const char *rest = after_part(name, start->maps[i].here);
        if (rest) return arena_format(start->arena, "%s%s", start->maps[i].there, rest);
    }
    return name;
}

static const char *tensor_text(const WarmStart *start, const SafeTensor *tensor) {
    char text[SAFETENSOR_TEXT];
    return lower_case(start->arena, safetensors_tensor_text(tensor, text));
}

static void append(Arena *arena, TextList *list, const char *text) {
    ARENA_ROOM(arena, list->items, list->count, list->capacity);
    list->items[list->count++] = text;
}

static void take(WarmStart *start, const Symbol *symbol) {
    char here[SHAPE_TEXT];
    const char *name = name_there(start, symbol->name);
    const SafeTensor *tensor = safetensors_find(start->file, name);
    bool fits = tensor && safetensors_fits(tensor, symbol);
    start->used[start->used_count++] = name;
    shape_text(symbol->dtype, symbol->shape, here);
    if (fits) {
        states_write(start->states, symbol->name, tensor->data);
        start->taken->count++;
    } else if (tensor) {
        append(start->arena, &start->taken->anew,
               arena_format(start->arena, "%s is %s here and %s there", symbol->name, here,
                            tensor_text(start, tensor)));
    } else {
        append(start->arena, &start->taken->anew,
               arena_format(start->arena, "%s %s is not there", symbol->name, here));
    }
}

/* -- tensors of the file that the model does not have -- */

static bool is_used(const WarmStart *start, const char *name) {
    for (uint32_t i = 0; i < start->used_count; i++)
        if (!strcmp(start->used[i], name)) return true;
    return false;
}

/* An optimizer's moment is named after a weight in the same file: "adam.m.dense1.weight". */
static bool is_moment(const WarmStart *start, const char *name) {
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
        if (safetensors_find(start->file, dot + 1)) return true;
    return !strncmp(name, "accumulate.", strlen("accumulate."));
}

static void list_unused(WarmStart *start, const Graph *network) {
    for (uint32_t i = 0; i < safetensors_count(start->file); i++) {
        const SafeTensor *tensor = safetensors_tensor(start->file, i);
        const Symbol *symbol = graph_symbol(network, tensor->name);
        bool fitted =
            (symbol && !symbol_is_network(symbol)) || !strcmp(tensor->dtype, SAFETENSORS_F64);
        if (is_used(start, tensor->name) || is_moment(start, tensor->name) || fitted) continue;
        append(start->arena, &start->taken->unused,
               arena_format(start->arena, "%.100s %s", tensor->name, tensor_text(start, tensor)));
    }
}

/* -- names that --map gives -- */

static bool has_part(const WarmStart *start, const Graph *network, const char *part, bool there) {
    uint32_t count = there ? safetensors_count(start->file) : network->symbol_count;
    for (uint32_t i = 0; i < count; i++) {
        bool is_tensor = there || symbol_is_network(&network->symbols[i]);
        const char *name =
            there ? safetensors_tensor(start->file, i)->name : network->symbols[i].name;
        if (is_tensor && after_part(name, part)) return true;
    }
    return false;
}

static bool check_maps(const WarmStart *start, const Graph *network) {
    bool good = true;
    for (uint32_t i = 0; i < start->map_count; i++) {
        const WeightMap *map = &start->maps[i];
        bool there = has_part(start, network, map->there, true),
             here = has_part(start, network, map->here, false);
        if (there && here) continue;
        good = false;
        diag_error(start->diag, STATUS_USAGE, (Span){0},
                   "--map %.100s=%.100s: %s has no tensor or layer '%.100s'", map->there, map->here,
                   there ? "the model" : start->path, there ? map->here : map->there);
        diag_help(
            start->diag,
            "--map OLD=NEW: OLD is the name in the file, NEW the name in the model, as 'mlc summary' shows it");
    }
    return good;
}

static bool check_taken(const WarmStart *start) {
    if (start->taken->count) return true;
    diag_error(start->diag, STATUS_FILE, (Span){0},
               "nothing in '%s' fits the model by name and shape", start->path);
    for (uint32_t i = 0; i < start->taken->anew.count && i < 4; i++)
        diag_help(start->diag, "%s", start->taken->anew.items[i]);
    diag_help(start->diag, "--map OLD=NEW gives the name that a tensor or layer has in the file");
    return false;
}

bool weights_take(const char *path, States *states, const Graph *network, const WeightMap *maps,
                  uint32_t map_count, Arena *arena, WeightsTaken *taken, Diagnostics *diag) {
    SafeFile *file = safetensors_read(path, diag);
    if (!file) return false;
    *taken = (WeightsTaken){0};
    WarmStart start = {path, file, states, maps, map_count, arena, taken, NULL, 0, diag};
    start.used = ARENA_ARRAY(arena, const char *, network->symbol_count);
    bool good = check_maps(&start, network);
    for (uint32_t i = 0; i < network->symbol_count && good; i++)
        if (symbol_is_network(&network->symbols[i])) take(&start, &network->symbols[i]);
    if (good) list_unused(&start, network);
    good = good && check_taken(&start);
    safetensors_free(file);
    return good;
}
