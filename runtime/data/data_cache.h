/* The data sets of a command, each read once. */
#ifndef MLC_RUNTIME_DATA_DATA_CACHE_H
#define MLC_RUNTIME_DATA_DATA_CACHE_H

#include "runtime/data/dataset.h"

/* A cache for dataset_schema and dataset_open. The columns of a table are only known once it is
 * read, so the schema request reads it and the later open reuses it. */
typedef struct DataCache DataCache;
DataCache *data_cache_new(void);
/* A cache for many trainings: it keeps data of all kinds, up to DATA_CACHE_BYTES and
 * DATA_CACHE_SETS. One set of data may have more bytes. */
DataCache *data_cache_shared_new(void);
#define DATA_CACHE_BYTES ((size_t)512 << 20)
enum { DATA_CACHE_SETS = 64 };
DataCache *data_cache_share(DataCache *cache);     /* adds an owner; each calls data_cache_free */
void data_cache_free(DataCache *cache);            /* NULL is allowed */
uint32_t data_cache_count(const DataCache *cache); /* how many data sets a shared cache keeps */
/* Forgets all that was computed from the data: they are as they were read. */
void data_cache_forget(DataCache *cache);
SchemaFunction data_cache_schema; /* context: a DataCache, here and in the next one */
ClassesFunction data_cache_classes;
Dataset *data_cache_open(DataCache *cache, const DataSource *source, const SplitRequest *request,
                         Diagnostics *diag);

#endif
