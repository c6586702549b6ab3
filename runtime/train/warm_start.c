/* Warm start: finds each tensor of the network in a file by name and shape. If the file has none of
 * the names, because another program wrote it, layers are paired by their order. */
#include "runtime/train/warm_start.h"
#include "ir/data/step_parts.h"
#include "ir/base/memory.h"
#include "runtime/formats/weights_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    const WeightsFile *file;
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

/* The name of a tensor in the file, after --map. */
static const char *name_there(const WarmStart *start, const char *name) {
    for (uint32_t i = 0; i < start->map_count; i++) {
        const char *rest = after_part(name, start->maps[i].here);
        if (rest) return arena_format(start->arena, "%s%s", start->maps[i].there, rest);
    }
    return name;
}

static const char *tensor_text(const WarmStart *start, const SafeTensor *tensor) {
    char buffer[SAFETENSOR_TEXT];
    const char *text = safetensors_tensor_text(tensor, buffer);
    char *copy = arena_copy_string(start->arena, text, strlen(text));
    for (char *at = copy; *at; at++) *at = (char)tolower((unsigned char)*at);
    return copy;
}

static void append(Arena *arena, TextList *list, const char *text) {
    ARENA_ROOM(arena, list->items, list->count, list->capacity);
    list->items[list->count++] = text;
}

/* Copies a tensor of the network from the file, or notes why it keeps its initial values. */
static void take(WarmStart *start, const Symbol *symbol) {
    char here[SHAPE_TEXT];
    const char *name = name_there(start, symbol->name);
    const SafeTensor *tensor = weights_file_find(start->file, name);
    bool fits = tensor && weights_file_fits(tensor, symbol);
    start->used[start->used_count++] = name;
    shape_text(symbol->dtype, symbol->shape, here);
    if (fits) {
        void *numbers = memory_new(
            (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype), "first weights");
        weights_file_convert(tensor, symbol, numbers);
        states_write(start->states, symbol->name, numbers);
        free(numbers);
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

/* An optimizer's moment is named after a weight in the same file: "adam.m.dense1.weight". */
static bool is_moment(const WarmStart *start, const char *name) {
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
        if (weights_file_find(start->file, dot + 1)) return true;
    return !strncmp(name, ACCUMULATE_PREFIX, strlen(ACCUMULATE_PREFIX));
}

static void list_unused(WarmStart *start, const Graph *network) {
    for (uint32_t i = 0; i < weights_file_count(start->file); i++) {
        const SafeTensor *tensor = weights_file_tensor(start->file, i);
        const Symbol *symbol = graph_symbol(network, tensor->name);
        bool fitted =
            (symbol && !symbol_is_network(symbol)) || !strcmp(tensor->dtype, SAFETENSORS_F64);
        bool used = false;
        for (uint32_t k = 0; k < start->used_count; k++)
            used |= !strcmp(start->used[k], tensor->name);
        if (used || is_moment(start, tensor->name) || fitted) continue;
        append(start->arena, &start->taken->unused,
               arena_format(start->arena, "%.100s %s", tensor->name, tensor_text(start, tensor)));
    }
}

/* -- layers of another program: the first Linear of the file is the network's first dense -- */

/* What a layer is, by the tensors it has. A dense has a weight of rank 2, a convolution of rank 4,
 * a batch_norm a running_mean, a layer_norm a weight of rank 1. A part that is none of these, such
 * as a bias alone, is paired by its name only. */
typedef enum { LAYER_NONE, LAYER_MATRIX, LAYER_FILTERS, LAYER_BATCH_NORM, LAYER_NORM } LayerKind;
typedef struct {
    const char *name; /* "features.0" */
    LayerKind kind;
    Shape shape; /* of the tensor that tells the kind */
    bool paired;
} NamedLayer;
typedef struct {
    NamedLayer *items;
    uint32_t count, capacity;
} LayerList;

static LayerKind kind_by(const char *name, int rank) {
    const char *dot = strrchr(name, '.'), *role = dot ? dot + 1 : name;
    if (!strcmp(role, "running_mean")) return LAYER_BATCH_NORM;
    if (strcmp(role, "weight")) return LAYER_NONE;
    return rank == 1   ? LAYER_NORM
           : rank == 2 ? LAYER_MATRIX
           : rank == 4 ? LAYER_FILTERS
                       : LAYER_NONE;
}

/* Adds the layer of a tensor, or what the tensor tells about it. A running_mean makes a batch_norm
 * of it, although the weight of rank 1 could be that of a layer_norm. */
static void add_to_layer(Arena *arena, LayerList *list, const char *tensor, Shape shape) {
    /* the layer of "features.0.weight" is "features.0" */
    const char *dot = strrchr(tensor, '.');
    const char *name = arena_copy_string(arena, tensor, dot ? (size_t)(dot - tensor) : 0);
    LayerKind kind = kind_by(tensor, shape.rank);
    for (uint32_t i = 0; i < list->count; i++) {
        NamedLayer *layer = &list->items[i];
        if (strcmp(layer->name, name)) continue;
        if (kind && layer->kind != LAYER_BATCH_NORM)
            *layer = (NamedLayer){name, kind, shape, false};
        return;
    }
    ARENA_ROOM(arena, list->items, list->count, list->capacity);
    list->items[list->count++] = (NamedLayer){name, kind, shape, false};
}

/* Text by text, but numbers in it by their size: "layer.2" is before "layer.10". */
static int compare_names(const void *a, const void *b) {
    const char *x = ((const NamedLayer *)a)->name, *y = ((const NamedLayer *)b)->name;
    while (*x && *y) {
        size_t in_x = strspn(x, "0123456789"), in_y = strspn(y, "0123456789");
        if (in_x && in_y && in_x != in_y) return in_x < in_y ? -1 : 1;
        size_t length = in_x && in_y ? in_x : 1;
        int order = memcmp(x, y, length);
        if (order) return order;
        x += length;
        y += length;
    }
    return (int)(unsigned char)*x - (int)(unsigned char)*y;
}

/* The layers of the file, in the order of its writer, or else by their names. */
static LayerList layers_there(const WarmStart *start) {
    LayerList list = {0};
    for (uint32_t i = 0; i < weights_file_count(start->file); i++) {
        const SafeTensor *tensor = weights_file_tensor(start->file, i);
        add_to_layer(start->arena, &list, tensor->name, tensor->shape);
    }
    if (list.count && !weights_file_keeps_order(start->file))
        qsort(list.items, list.count, sizeof *list.items, compare_names);
    return list;
}

static LayerList layers_here(const WarmStart *start, const Graph *network) {
    LayerList list = {0};
    for (uint32_t i = 0; i < network->symbol_count; i++)
        if (symbol_is_network(&network->symbols[i]))
            add_to_layer(start->arena, &list, network->symbols[i].name, network->symbols[i].shape);
    return list;
}

static bool any_name_fits(const WarmStart *start, const Graph *network) {
    for (uint32_t i = 0; i < network->symbol_count; i++)
        if (symbol_is_network(&network->symbols[i]) &&
            weights_file_find(start->file, network->symbols[i].name))
            return true;
    return false;
}

/* Whether --map names a layer, or a part of it. */
static bool is_mapped(const WarmStart *start, const NamedLayer *layer, bool there) {
    bool mapped = !*layer->name;
    for (uint32_t i = 0; i < start->map_count; i++) {
        const char *name = there ? start->maps[i].there : start->maps[i].here;
        mapped |= after_part(layer->name, name) || after_part(name, layer->name);
    }
    return mapped;
}

static bool alike(const NamedLayer *a, const NamedLayer *b, bool any_shape) {
    return a->kind == b->kind && (any_shape || shape_equal(a->shape, b->shape));
}

/* The first layer of the list that has no pair yet and is of this kind, and of this shape unless
 * any_shape. NULL: there is none. */
static NamedLayer *first_alike(const LayerList *list, const NamedLayer *layer, bool any_shape) {
    for (uint32_t i = 0; i < list->count; i++)
        if (!list->items[i].paired && alike(&list->items[i], layer, any_shape))
            return &list->items[i];
    return NULL;
}

/* Whether names differ in their numbers only, as "fc1" and "fc2" do: then they tell the order. */
static bool are_numbered(const char *a, const char *b) {
    static const char digits[] = "0123456789";
    for (;; a++, b++) {
        a += strspn(a, digits);
        b += strspn(b, digits);
        if (*a != *b) return false;
        if (!*a) return true;
    }
}

/* Warns where names alone decide: layers of the file have one kind and shape, and their names are no
 * numbers. */
static bool warn_of_names(const WarmStart *start, const LayerList *theirs,
                          const NamedLayer *layer) {
    for (uint32_t i = 0; i < theirs->count; i++) {
        const NamedLayer *other = &theirs->items[i];
        if (other == layer || !alike(other, layer, false) || are_numbered(other->name, layer->name))
            continue;
        diag_warning(
            start->diag, (Span){0},
            "%s: '%.100s' and '%.100s' have one shape, and the file does not tell their order",
            start->path, layer->name, other->name);
        diag_help(
            start->diag,
            "they were taken in the order of their names; --map %.100s=LAYER says which is which",
            layer->name);
        return true;
    }
    return false;
}

static void pair_up(WarmStart *start, WeightMap *maps, NamedLayer *mine, NamedLayer *other) {
    mine->paired = other->paired = true;
    maps[start->map_count++] = (WeightMap){other->name, mine->name};
    append(start->arena, &start->taken->paired,
           arena_format(start->arena, "%.100s = %s", other->name, mine->name));
}

/* Pairs layers if the file has no name of the network. If the file keeps the order of its writer,
 * the first layer of each kind in it belongs to the first of this kind in the network, and so on.
 * Else the names give the order, but first layers of one shape are paired. Each pair becomes a
 * map. */
static void pair_layers(WarmStart *start, const Graph *network) {
    if (any_name_fits(start, network)) return;
    LayerList theirs = layers_there(start), ours = layers_here(start, network);
    WeightMap *maps = ARENA_ARRAY(start->arena, WeightMap, start->map_count + ours.count);
    bool ordered = weights_file_keeps_order(start->file), warned = false;
    if (start->map_count) memcpy(maps, start->maps, start->map_count * sizeof *maps);
    for (uint32_t i = 0; i < theirs.count; i++)
        theirs.items[i].paired = is_mapped(start, &theirs.items[i], true);
    for (uint32_t i = 0; i < ours.count; i++)
        ours.items[i].paired = is_mapped(start, &ours.items[i], false);
    for (int any_shape = ordered; any_shape < 2; any_shape++)
        for (uint32_t i = 0; i < ours.count; i++) {
            NamedLayer *mine = &ours.items[i];
            if (mine->paired || !mine->kind) continue;
            NamedLayer *other = first_alike(&theirs, mine, any_shape);
            if (!other) continue;
            if (!ordered && !any_shape && !warned) warned = warn_of_names(start, &theirs, other);
            pair_up(start, maps, mine, other);
        }
    start->maps = maps;
}

/* -- names that --map gives -- */

static bool has_part(const WarmStart *start, const Graph *network, const char *part, bool there) {
    uint32_t count = there ? weights_file_count(start->file) : network->symbol_count;
    for (uint32_t i = 0; i < count; i++) {
        bool is_tensor = there || symbol_is_network(&network->symbols[i]);
        const char *name =
            there ? weights_file_tensor(start->file, i)->name : network->symbols[i].name;
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
    WeightsFile *file = weights_file_read(path, diag);
    if (!file) return false;
    *taken = (WeightsTaken){0};
    WarmStart start = {path, file, states, maps, map_count, arena, taken, NULL, 0, diag};
    start.used = ARENA_ARRAY(arena, const char *, network->symbol_count);
    bool good = check_maps(&start, network);
    if (good) pair_layers(&start, network);
    for (uint32_t i = 0; i < network->symbol_count && good; i++)
        if (symbol_is_network(&network->symbols[i])) take(&start, &network->symbols[i]);
    if (good) list_unused(&start, network);
    good = good && check_taken(&start);
    weights_file_free(file);
    return good;
}
