/* Keeps data that were read for the schema of a model, so that the training does not read them
 * again: tables, and data whose number of classes the model uses. */
#include "runtime/data/data_cache.h"
#include "ir/base/memory.h"
#include "ir/data/readers.h"

#include <stdlib.h>
#include <string.h>

struct DataCache {
    Arena *arena;     /* memory of the fields below */
    Dataset *dataset; /* NULL: nothing is cached */
    DataSource source;
    SplitRequest request;
};

DataCache *data_cache_new(void) { return MEMORY_NEW(DataCache, "the data"); }

static void drop(DataCache *cache) {
    dataset_free(cache->dataset);
    arena_free(cache->arena);
    *cache = (DataCache){0};
}

void data_cache_free(DataCache *cache) {
    if (!cache) return;
    drop(cache);
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

/* -- caching -- */

static const char *copied(const DataCache *cache, const char *text) {
    return text ? arena_copy_string(cache->arena, text, strlen(text)) : NULL;
}

static const SourceArg *copied_args(const DataCache *cache, const SourceArg *from, uint32_t count) {
    SourceArg *args = ARENA_ARRAY(cache->arena, SourceArg, count);
    for (uint32_t i = 0; i < count; i++) {
        args[i] = from[i];
        args[i].name = copied(cache, args[i].name);
        if (args[i].kind == SOURCE_ARG_STRING) args[i].text = copied(cache, args[i].text);
        if (args[i].kind == SOURCE_ARG_LIST)
            args[i].items = copied_args(cache, args[i].items, args[i].item_count);
    }
    return args;
}

static bool is_cached(const DataSource *source) {
    const DataReader *reader = reader_named(source->reader);
    return reader && reader->cached;
}

static bool keeps(const DataCache *cache, const DataSource *source, const SplitRequest *request) {
    const DataSource *read = &cache->source;
    const SplitRequest *split = &cache->request;
    return cache->dataset && same_text(read->reader, source->reader) &&
           same_text(read->folder, source->folder) && read->like == source->like &&
           same_args(read->args, read->arg_count, source->args, source->arg_count) &&
           split->seed == request->seed && same_hold(&split->valid, &request->valid) &&
           same_hold(&split->test, &request->test) && same_text(split->series, request->series);
}

static Dataset *keep(DataCache *cache, const DataSource *source, const SplitRequest *request,
                     Diagnostics *diag) {
    if (keeps(cache, source, request)) return cache->dataset;
    drop(cache);
    cache->dataset = dataset_open(source, request, diag);
    if (cache->dataset) {
        cache->arena = arena_new();
        cache->source = *source;
        cache->source.reader = copied(cache, source->reader);
        cache->source.folder = copied(cache, source->folder);
        cache->source.args = copied_args(cache, source->args, source->arg_count);
        cache->request = *request;
        cache->request.valid.field = copied(cache, request->valid.field);
        cache->request.test.field = copied(cache, request->test.field);
        cache->request.series = copied(cache, request->series);
    }
    return cache->dataset;
}

bool data_cache_schema(void *context, const DataSource *source, const SplitRequest *request,
                       Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    if (source->like || !is_cached(source))
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
    if (!is_cached(source) && !keeps(cache, source, request))
        return dataset_open(source, request, diag);
    Dataset *dataset = keep(cache, source, request, diag);
    return dataset ? dataset_share(dataset) : NULL;
}
