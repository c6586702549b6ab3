/* The data sets of a command, each read once. */
#ifndef MLC_RUNTIME_DATA_DATA_CACHE_H
#define MLC_RUNTIME_DATA_DATA_CACHE_H

#include "runtime/data/dataset.h"

/* Answers dataset_schema and dataset_open, and reads a table once for both: what its columns are is known only when it is read. */
typedef struct DataKeeper DataKeeper;
DataKeeper *keeper_new(void);
void keeper_free(DataKeeper *keeper); /* NULL is allowed */
SchemaFunction keeper_schema;         /* context: a DataKeeper, also of the next one */
ClassesFunction keeper_classes;
Dataset *keeper_open(DataKeeper *keeper, const DataSource *source, const SplitRequest *request, Diagnostics *diag);

#endif
