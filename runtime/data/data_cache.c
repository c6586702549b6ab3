/* Keeps data that were read for the schema of a model, so that the training does not read them
 * again: tables, and data whose number of classes the model uses. */
#include "runtime/data/data_cache.h"
#include "ir/base/memory.h"
#include "ir/data/readers.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Arena *arena;     /* memory of the fields below */
    Dataset *dataset; /* NULL: nothing is cached */
    DataSource source;
    SplitRequest request;
} CachedData;

struct DataCache {
    CachedData last;                  /* what was read last and is not in `kept` */
    CachedData kept[DATA_CACHE_SETS]; /* what a shared cache keeps */
    uint32_t count, owners;           /* owners: their number besides the first */
    bool keeps_all;
    size_t bytes; /* of `kept` */
};

DataCache *data_cache_new(void) { return MEMORY_NEW(DataCache, "the data"); }

DataCache *data_cache_shared_new(void) {
    DataCache *cache = data_cache_new();
    cache->keeps_all = true;
    return cache;
}

DataCache *data_cache_share(DataCache *cache) {
    cache->owners++;
    return cache;
}

uint32_t data_cache_count(const DataCache *cache) { return cache->count; }

static void drop(CachedData *data) {
    dataset_free(data->dataset);
    arena_free(data->arena);
    *data = (CachedData){0};
}

void data_cache_forget(DataCache *cache) {
    if (cache->last.dataset) dataset_forget(cache->last.dataset);
    for (uint32_t i = 0; i < cache->count; i++) dataset_forget(cache->kept[i].dataset);
}

void data_cache_free(DataCache *cache) {
    if (!cache || cache->owners--) return;
    drop(&cache->last);
    for (uint32_t i = 0; i < cache->count; i++) drop(&cache->kept[i]);
    free(cache);
}

/* -- comparing requests -- */

static bool same_text(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

static bool same_args(const SourceArg *a, uint32_t a_count, const SourceArg *b, uint32_t b_count);

static bool same_arg(const SourceArg *a, const SourceArg *b) {
    if (!same_text(a->name, b->name) || a->kind != b->kind) return false;
    if (a->kind == SOURCE_ARG_LIST)
        return same_args(a->items, a->item_count, b->items, b->item_count);
    return a->kind == SOURCE_ARG_STRING ? same_text(a->text, b->text)
                                        : !(a->number < b->number) && !(a->number > b->number);
}

static bool same_args(const SourceArg *a, uint32_t a_count, const SourceArg *b, uint32_t b_count) {
    if (a_count != b_count) return false;
    for (uint32_t i = 0; i < a_count; i++)
        if (!same_arg(&a[i], &b[i])) return false;
    return true;
}

static bool same_hold(const HoldOut *a, const HoldOut *b) {
    return a->kind == b->kind && a->is_count == b->is_count && !(a->amount < b->amount) &&
           !(a->amount > b->amount) && same_text(a->field, b->field);
}

/* Whether chance decides which rows are held out. */
static bool is_drawn(const HoldOut *hold) {
    return hold->kind != HOLD_COLUMN && hold->kind != HOLD_LAST && hold->amount > 0;
}

static bool holds_data(const CachedData *data, const DataSource *source,
                       const SplitRequest *request) {
    const DataSource *read = &data->source;
    const SplitRequest *split = &data->request;
    bool drawn = is_drawn(&split->valid) || is_drawn(&split->test) || split->folds;
    bool same_data = data->dataset && same_text(read->reader, source->reader) &&
                     same_text(read->folder, source->folder) && read->like == source->like &&
                     same_args(read->args, read->arg_count, source->args, source->arg_count);
    return same_data && split->folds == request->folds && split->fold == request->fold &&
           (!drawn || split->seed == request->seed) && same_hold(&split->valid, &request->valid) &&
           same_hold(&split->test, &request->test) && same_text(split->series, request->series);
}

/* -- caching -- */

static const char *copied(Arena *arena, const char *text) {
    return text ? arena_copy_string(arena, text, strlen(text)) : NULL;
}

static const SourceArg *copied_args(Arena *arena, const SourceArg *from, uint32_t count) {
    SourceArg *args = ARENA_ARRAY(arena, SourceArg, count);
    for (uint32_t i = 0; i < count; i++) {
        args[i] = from[i];
        args[i].name = copied(arena, args[i].name);
        if (args[i].kind == SOURCE_ARG_STRING) args[i].text = copied(arena, args[i].text);
        if (args[i].kind == SOURCE_ARG_LIST)
            args[i].items = copied_args(arena, args[i].items, args[i].item_count);
    }
    return args;
}

static Dataset *find(const DataCache *cache, const DataSource *source,
                     const SplitRequest *request) {
    if (holds_data(&cache->last, source, request)) return cache->last.dataset;
    for (uint32_t i = 0; i < cache->count; i++)
        if (holds_data(&cache->kept[i], source, request)) return cache->kept[i].dataset;
    return NULL;
}

/* Moves the data read last to those that are kept, if there is room. */
static void keep_last(DataCache *cache) {
    size_t bytes = dataset_bytes(cache->last.dataset);
    bool room = !cache->count ||
                (cache->count < DATA_CACHE_SETS && cache->bytes + bytes <= DATA_CACHE_BYTES);
    if (!cache->keeps_all || !room) return;
    cache->kept[cache->count++] = cache->last;
    cache->bytes += bytes;
    cache->last = (CachedData){0};
}

static Dataset *keep(DataCache *cache, const DataSource *source, const SplitRequest *request,
                     Diagnostics *diag) {
    Dataset *dataset = find(cache, source, request);
    if (dataset) return dataset;
    drop(&cache->last);
    dataset = dataset_open(source, request, diag);
    if (!dataset) return NULL;
    /* The cache outlives the model, so it has copies of the names. */
    Arena *arena = arena_new();
    CachedData data = {arena, dataset, *source, *request};
    data.source.reader = copied(arena, source->reader);
    data.source.folder = copied(arena, source->folder);
    data.source.args = copied_args(arena, source->args, source->arg_count);
    data.request.valid.field = copied(arena, request->valid.field);
    data.request.test.field = copied(arena, request->test.field);
    data.request.series = copied(arena, request->series);
    cache->last = data;
    keep_last(cache);
    return dataset;
}

bool data_cache_schema(void *context, const DataSource *source, const SplitRequest *request,
                       Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    const DataReader *reader = reader_named(source->reader);
    if (source->like || !reader || !reader->cached)
        return dataset_schema(NULL, source, request, arena, schema, diag);
    const Dataset *dataset = keep(context, source, request, diag);
    if (dataset) *schema = source_schema_copy(dataset_fields(dataset), arena);
    return dataset != NULL;
}

bool data_cache_classes(void *context, const DataSource *source, const SplitRequest *request,
                        const char *name, Span span, Arena *arena, SourceField *field,
                        Diagnostics *diag) {
    const Dataset *dataset = keep(context, source, request, diag);
    const void *data;
    if (!dataset || !dataset_derive(dataset, name, span, diag)) return false;
    const SourceField *found = dataset_find(dataset, name, &data);
    if (found) *field = source_field_copy(found, arena);
    return found != NULL;
}

Dataset *data_cache_open(DataCache *cache, const DataSource *source, const SplitRequest *request,
                         Diagnostics *diag) {
    const DataReader *reader = reader_named(source->reader);
    bool cached = cache->keeps_all || (reader && reader->cached);
    if (!cached && !find(cache, source, request)) return dataset_open(source, request, diag);
    Dataset *dataset = keep(cache, source, request, diag);
    return dataset ? dataset_share(dataset) : NULL;
}
