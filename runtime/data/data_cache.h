/* The data sets of a command, each read once. */
#ifndef MLC_RUNTIME_DATA_DATA_CACHE_H
#define MLC_RUNTIME_DATA_DATA_CACHE_H

#include "runtime/data/dataset.h"

/* Answers dataset_schema and dataset_open, and reads a table once for both: what its columns are is
 * known only when it is read. */
typedef struct DataCache DataCache;
DataCache *data_cache_new(void);
void data_cache_free(DataCache *cache); /* NULL is allowed */
SchemaFunction data_cache_schema;       /* context: a DataCache, also of the next one */
ClassesFunction data_cache_classes;
Dataset *data_cache_open(DataCache *cache, const DataSource *source, const SplitRequest *request,
                         Diagnostics *diag);

#endif
