/* Error messages for cells without a value. */
#include "runtime/data/faults.h"

static const char *missing_word(const SourceField *field) {
    return field->is_column ? "missing" : "no number (NaN)";
}

static void advise_missing(const SourceField *field, Diagnostics *diag) {
    if (field->is_column)
        diag_help(
            diag,
            "impute(...) fills missing cells; csv(..., drop_missing = \"%s\") leaves their rows out",
            field->name);
    else
        diag_help(diag, "impute(...) puts a number in place of NaN");
}

void report_fault(const SourceData *source, const char *name, const DeriveFault *fault, Span span,
                  Diagnostics *diag) {
    char place[PLACE_TEXT];
    const SourceField *field = fault->field ? source_field(&source->schema, fault->field) : NULL;
    source_place_text(source, fault->field, fault->row, place);
    if (*fault->finding) {
        diag_error(diag, STATUS_DATA, span, "'%s' in %s %s", field ? field->name : name, place,
                   fault->finding);
        return;
    }
    diag_error(diag, STATUS_DATA, span, "'%s' is %s in %s, so '%s' has no value there", field->name,
               missing_word(field), place, name);
    advise_missing(field, diag);
}

void report_missing(const SourceData *source, const SourceField *field, int32_t row, Span span,
                    Diagnostics *diag) {
    char place[PLACE_TEXT];
    diag_error(diag, STATUS_DATA, span,
               "'%s' is %s in %s, where it decides a class, an index or a whole number",
               field->name, missing_word(field),
               source_place_text(source, field->name, row, place));
    advise_missing(field, diag);
}

void report_unassigned(const SourceData *source, const char *field, int32_t row, const char *what,
                       Span span, Diagnostics *diag) {
    char place[PLACE_TEXT];
    const SourceField *found = source_field(&source->schema, field);
    diag_error(diag, STATUS_DATA, span, "'%.100s' is missing in %s, so this row belongs to no %s",
               field, source_place_text(source, field, row, place), what);
    if (found && found->is_column && span.file) /* new rows are all predicted */
        diag_help(diag, "csv(..., drop_missing = \"%.100s\") leaves such rows out", field);
}
