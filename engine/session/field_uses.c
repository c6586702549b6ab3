/* Which fields of the source a graph reads. */
#include "engine/session/field_uses.h"
#include "ir/data/derived.h"

bool symbol_is_input(const Symbol *symbol) { return symbol->kind == SYMBOL_BATCH && symbol->node; }

static void mark_formula(FieldUse *uses, const Derived *derived, bool exact, bool gaps) {
    gaps |= derived->kind == DERIVED_IMPUTE;
    for (uint32_t i = 0; i < derived->count; i++) {
        FieldUse *use = &uses[derived->fields[i]];
        use->exact |= exact;
        use->gaps |= gaps;
    }
    for (int i = 0; i < derived_arity(derived->kind); i++)
        mark_formula(uses, derived->args[i], true, gaps);
}

void field_uses_add(FieldUse *uses, const SourceSchema *schema, const Graph *graph, bool network,
                    Arena *arena) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        SourceRows rows;
        uint32_t count = 0;
        if (!symbol_is_input(&graph->symbols[i])) continue;
        const char *name = source_rows_of(graph->symbols[i].name, &rows);
        const uint32_t *fields = source_reads(schema, name, arena, &count);
        const Derived *derived = derived_find(arena, schema, name);
        for (uint32_t k = 0; k < count; k++) {
            uses[fields[k]].read = true;
            uses[fields[k]].by_network |= network;
        }
        if (derived) mark_formula(uses, derived, false, false);
    }
}

PassedType field_passed(const SourceField *field, const FieldUse *use) {
    if (field->dtype == DTYPE_U8 || field->dtype == DTYPE_BOOL) return PASS_U8;
    bool gaps = use->gaps && !field->is_text, wide = field->is_wide && use->exact;
    if (field->dtype == DTYPE_I32 && !gaps && !wide) return PASS_I32;
    return use->exact && (field->is_column || field->is_wide) ? PASS_F64 : PASS_F32;
}
