/* A column that is computed from columns of the source when the data are read, in whole numbers of 64 bits or in f64, and rounded
 * once: "int(y)", "(ts - 1600000000) % 86400". Its name is what it computes, so that a graph's input needs nothing but its name.
 * "classes(lane)" numbers the different values that the training rows have: it is a column of text whose categories are these numbers,
 * or their names: "classes(side, [left, right])". Nothing is computed of it. "ahead(ts, 1) - ts" also reads the row that follows in a
 * series; where there is none, its number is missing. */
#ifndef MLC_IR_DATA_DERIVED_H
#define MLC_IR_DATA_DERIVED_H

#include "ir/data/date.h"
#include "ir/data/source.h"

typedef enum {
    DERIVED_COLUMNS, /* columns side by side, or one field */
    DERIVED_DATE,    /* likewise, of each what its dates tell; these columns may be text */
    DERIVED_WHOLE,
    DERIVED_REAL,
    DERIVED_LEARNT, /* what a transform has learnt of the training rows: the second argument of IMPUTE and STANDARDIZE */
#define DERIVED(op, arity, text) DERIVED_##op,
#include "ir/data/derived.def"
    DERIVED_KINDS
} DerivedKind;

typedef struct Derived Derived;
struct Derived {
    DerivedKind kind;
    const uint32_t *fields; /* COLUMNS, DATE */
    uint32_t count;
    bool is_list;          /* COLUMNS, DATE: [N, count]; else one field as it is */
    const char *format;    /* DATE */
    const DatePart *parts; /* DATE: [count] */
    int64_t whole;         /* WHOLE; AHEAD: by so many rows, negative: before the row */
    double real;           /* REAL: finite */
    const char *fit;       /* LEARNT: the name of the Fit */
    const Derived *args[2];
    const char *const *names; /* CLASSES: of the classes, by ascending numbers; NULL: the numbers are their names */
    uint32_t name_count;
};

/* A number that no operation has: 0 arguments. */
int derived_arity(DerivedKind kind);
/* The elements of an i32 or bool column; all others are f32. */
DType derived_dtype(const Derived *derived);
/* The shape of a row. */
Shape derived_row(const SourceSchema *schema, const Derived *derived);
/* The fields it reads, each once; returns their number. `fields` has room for all of the schema. */
uint32_t derived_reads(const SourceSchema *schema, const Derived *derived, uint32_t *fields);

/* Visits the columns of the source that it is made of (COLUMNS and DATE), each with the row that it is read in: `row` for the row itself,
 * and so many more or less where it is ahead. */
typedef void DerivedVisitor(void *context, const Derived *columns, int64_t row);
void derived_visit(const Derived *derived, int64_t row, DerivedVisitor *visit, void *context);
/* The rows around a row that it reads. */
SourceRows derived_looks(const Derived *derived);
static inline bool derived_looks_around(const Derived *derived) {
    SourceRows looks = derived_looks(derived);
    return looks.from || looks.to;
}

/* The format by which a column is read as dates, which is no text then; NULL: it is not. */
const char *derived_reads_dates(const Derived *derived, uint32_t field);

/* The fields that an input is, or is computed of; none if it is none of the source. In the arena. */
const uint32_t *source_reads(const SourceSchema *schema, const char *name, Arena *arena, uint32_t *count);

/* Makes `all` hold the rows that an input reads too; strides do not count. */
void source_rows_add(SourceRows *all, Arena *arena, const SourceSchema *schema, const char *name);
/* All rows that the inputs of a graph read, together. False after reporting strides that differ. */
bool source_rows_of_graph(const Graph *graph, Arena *arena, const SourceSchema *schema, SourceRows *rows, Diagnostics *diag);

/* The name of a column, in the arena; never that of a field. */
const char *derived_name(Arena *arena, const SourceSchema *schema, const Derived *derived);
/* What a name stands for, that of a field or of columns side by side too; NULL: nothing. */
const Derived *derived_find(Arena *arena, const SourceSchema *schema, const char *name);

#endif
