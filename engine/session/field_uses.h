/* Which fields of the source a graph reads, and as what type a caller passes them. */
#ifndef MLC_ENGINE_SESSION_FIELD_USES_H
#define MLC_ENGINE_SESSION_FIELD_USES_H

#include "ir/data/source.h"

/* What the inputs of graphs do with a field. */
typedef struct {
    bool read;
    bool by_network; /* not only by the loss or the step of a training */
    bool exact;      /* a formula computes with all of its digits */
    bool gaps;       /* a formula fills in missing cells */
} FieldUse;

/* Whether a symbol is an input with a row for each row of the batch, which the graph reads. */
bool symbol_is_input(const Symbol *symbol);
/* Marks what a graph reads. uses: [fields of the schema] */
void field_uses_add(FieldUse *uses, const SourceSchema *schema, const Graph *graph, bool network,
                    Arena *arena);

/* The type in which a field is passed: whole numbers without gaps as i32; others as f64 if a
 * formula computes with all of their digits, else as f32. */
typedef enum { PASS_U8, PASS_I32, PASS_F32, PASS_F64 } PassedType;
PassedType field_passed(const SourceField *field, const FieldUse *use);

#endif
