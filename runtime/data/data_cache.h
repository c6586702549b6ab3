/* The data sets of a command, each read once. */
#ifndef MLC_RUNTIME_DATA_DATA_CACHE_H
#define MLC_RUNTIME_DATA_DATA_CACHE_H

#include "runtime/data/dataset.h"

/* A cache for dataset_schema and dataset_open. The columns of a table are only known once it is
 * read, so the schema request reads it and the later open reuses it. */
typedef struct DataCache DataCache;
DataCache *data_cache_new(void);
void data_cache_free(DataCache *cache); /* NULL is allowed */
SchemaFunction data_cache_schema;       /* context: a DataCache, here and in the next one */
ClassesFunction data_cache_classes;
Dataset *data_cache_open(DataCache *cache, const DataSource *source, const SplitRequest *request,
                         Diagnostics *diag);

#endif
