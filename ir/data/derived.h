/* A derived column: computed from columns of the source when the data are read, in 64-bit whole
 * numbers or in f64, and rounded once. Its name is its formula, such as "int(y)" or "(ts -
 * 1600000000) % 86400". So the name of an input is all that a graph needs. "classes(lane)" numbers
 * the different values of the training rows. It is a column of text whose categories are these
 * numbers, or the names in "classes(side, [left, right])". Nothing can be computed from it.
 * "ahead(ts, 1) - ts" also reads the next row of a series; where there is none, the number is
 * missing. */
#ifndef MLC_IR_DATA_DERIVED_H
#define MLC_IR_DATA_DERIVED_H

#include "ir/data/date.h"
#include "ir/data/source.h"

typedef enum {
    DERIVED_COLUMNS, /* columns side by side, or one field */
    DERIVED_DATE,    /* parts of the dates in columns; these columns may be text */
    DERIVED_WHOLE,
    DERIVED_REAL,
    /* what a transform has fitted to the training rows: the second argument of IMPUTE and
     * STANDARDIZE */
    DERIVED_FITTED,
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
    const char *fit;       /* FITTED: the name of the Fit */
    const Derived *args[2];
    /* CLASSES: the names of the classes, by ascending numbers; NULL: the numbers are their names */
    const char *const *names;
    uint32_t name_count;
};

/* The number of arguments; 0 for columns and numbers. */
int derived_arity(DerivedKind kind);
/* The elements of an i32 or bool column; all others are f32. */
DType derived_dtype(const Derived *derived);
/* The shape of a row. */
Shape derived_row(const SourceSchema *schema, const Derived *derived);
/* Lists the fields that it reads, each once; returns their number. `fields` has room for all fields
 * of the schema. */
uint32_t derived_reads(const SourceSchema *schema, const Derived *derived, uint32_t *fields);

/* Visits the columns of the source that it is computed from (COLUMNS and DATE). Each comes with the
 * row in which it is read: `row`, or a row before or after it. */
typedef void DerivedVisitor(void *context, const Derived *columns, int64_t row);
void derived_visit(const Derived *derived, int64_t row, DerivedVisitor *visit, void *context);
/* The rows around a row that it reads. */
SourceRows derived_looks(const Derived *derived);
static inline bool derived_crosses_rows(const Derived *derived) {
    SourceRows looks = derived_looks(derived);
    return looks.from || looks.to;
}

/* The format by which it reads a column as dates; NULL if it does not read the column so. */
const char *derived_reads_dates(const Derived *derived, uint32_t field);

/* The fields that an input of a graph is, or is computed from; none if it does not come from the
 * source. In the arena. */
const uint32_t *source_reads(const SourceSchema *schema, const char *name, Arena *arena,
                             uint32_t *count);

/* Extends `all` by the rows that an input reads; strides are ignored. */
void source_rows_add(SourceRows *all, Arena *arena, const SourceSchema *schema, const char *name);
/* All rows that the inputs of a graph read, together. False after reporting strides that differ. */
bool source_rows_of_graph(const Graph *graph, Arena *arena, const SourceSchema *schema,
                          SourceRows *rows, Diagnostics *diag);

/* The name of a derived column, in the arena. No field has the same name. */
const char *derived_name(Arena *arena, const SourceSchema *schema, const Derived *derived);
/* The column of this name, which may also be a field or columns side by side; NULL if there is
 * none. */
const Derived *derived_find(Arena *arena, const SourceSchema *schema, const char *name);

#endif
