/* A column that is computed from columns of the source when the data are read, in whole numbers of 64 bits or in f64, and rounded
 * once: "int(y)", "(ts - 1600000000) % 86400". Its name is what it computes, so that a graph's input needs nothing but its name.
 * "classes(lane)" numbers the different values that the training rows have: it is a column of text whose categories are these numbers,
 * or their names: "classes(side, [left, right])". Nothing is computed of it. */
#ifndef MLC_IR_DERIVED_H
#define MLC_IR_DERIVED_H

#include "ir/date.h"
#include "ir/source.h"

typedef enum {
    DERIVED_COLUMNS, /* columns side by side, or one field */
    DERIVED_DATE,    /* likewise, of each what its dates tell; these columns may be text */
    DERIVED_WHOLE,
    DERIVED_REAL,
    DERIVED_LEARNT, /* what a transform has learnt of the training rows: the second argument of IMPUTE and STANDARDIZE */
#define DERIVED(op, arity, text) DERIVED_##op,
#include "ir/derived.def"
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
    int64_t whole;         /* WHOLE */
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

/* The format by which a column is read as dates, which is no text then; NULL: it is not. */
const char *derived_reads_dates(const Derived *derived, uint32_t field);

/* The fields that an input is, or is computed of; none if it is none of the source. In the arena. */
const uint32_t *source_reads(const SourceSchema *schema, const char *name, Arena *arena, uint32_t *count);

/* The name of a column, in the arena; never that of a field. */
const char *derived_name(Arena *arena, const SourceSchema *schema, const Derived *derived);
/* What a name stands for, that of a field or of columns side by side too; NULL: nothing. */
const Derived *derived_find(Arena *arena, const SourceSchema *schema, const char *name);

#endif
