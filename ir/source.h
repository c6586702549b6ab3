/* What a model says about its data, and what the data answer: the only types that the front end and the runtime share. */
#ifndef MLC_IR_SOURCE_H
#define MLC_IR_SOURCE_H

#include "ir/graph.h"

/* An argument of the reader call in `source = ...`, evaluated. */
typedef enum { SOURCE_ARG_STRING, SOURCE_ARG_NUMBER, SOURCE_ARG_BOOL } SourceArgKind;
typedef struct {
    const char *name; /* "" for a positional argument */
    SourceArgKind kind;
    const char *text; /* STRING */
    double number;    /* NUMBER, BOOL (0 or 1) */
    Span span;
} SourceArg;

/* source = reader(args): mnist(), fashion_mnist(), idx(images = "...", labels = "...", ...) */
typedef struct {
    const char *reader;
    const char *folder; /* of the .mdl file: relative paths start here */
    const SourceArg *args;
    uint32_t arg_count;
    Span span;
} DataSource;

/* A field of the source: `source.image` is u8[N, 1, 28, 28] and has row shape [1, 28, 28]. */
enum { SOURCE_MAX_FIELDS = 16 };
typedef struct {
    const char *name; /* lives as long as the dataset, or static */
    DType dtype;
    Shape row;
    int32_t classes; /* its whole numbers are classes from 0 to below this; 0: not known before the data are read */
} SourceField;
typedef struct {
    SourceField fields[SOURCE_MAX_FIELDS];
    uint32_t field_count;
    int64_t train_rows, test_rows; /* 0 if not known without reading the data */
} SourceSchema;

/* Answers what fields a source has. Named sets are known without their files; others are looked at. Reports errors
 * (STATUS_DATA) and returns false. The front end is given one by its caller. */
typedef bool SchemaFunction(void *context, const DataSource *source, SourceSchema *schema, Diagnostics *diag);

#endif
