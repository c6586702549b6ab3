/* The classes of a data set: the check that labels are classes, and the names of classes. */
#include "runtime/data/class_columns.h"
#include "runtime/data/dataset_struct.h"
#include "runtime/data/moments.h"

/* The first element of a row that is not a class; -1: none. */
static int64_t find_no_class(const SourceField *field, const void *data, int32_t row,
                             const int64_t *classes) {
    int64_t each = shape_elements(field->row);
    for (int64_t i = 0; i < each; i++) {
        double label = classes[i] ? element_value(field->dtype, false, data, row * each + i) : 0;
        if (classes[i] && !(label >= 0 && label < (double)classes[i])) return row * each + i;
    }
    return -1;
}

/* int() makes a class of a number. The number must be whole already: a fraction is an error. */
static bool check_fractions(const Dataset *dataset, const char *name, Span span,
                            Diagnostics *diag) {
    const SourceData *source = &dataset->source;
    const Derived *derived = derived_find(source->arena, &source->schema, name);
    char place[PLACE_TEXT];
    double value;
    for (Split split = 0; split < SPLIT_COUNT && derived; split++) {
        for (int64_t i = 0; i < dataset_rows(dataset, split); i++) {
            int32_t row = dataset_split(dataset, split)[i];
            if (!derive_fraction(source, derived, row, &value)) continue;
            diag_error(diag, STATUS_DATA, span,
                       "'%s' makes a class of %.9g in %s, which is not a whole number", name, value,
                       dataset_place_text(dataset, NULL, row, place));
            diag_help(diag, "write int(floor(...)) to round down");
            return false;
        }
    }
    return true;
}

/* Checks the rows in the order of the files. */
bool dataset_check_classes(const Dataset *dataset, const char *name, const int64_t *classes,
                           const Span *spans, Diagnostics *diag) {
    const void *data;
    Span place = spans ? spans[0] : (Span){0};
    if (!dataset_derive(dataset, name, place, diag)) return false;
    const SourceField *field = dataset_find(dataset, name, &data);
    if (field && !check_fractions(dataset, name, place, diag)) return false;
    int64_t first = -1;
    int32_t first_row = INT32_MAX;
    const Derived *derived = derived_find(dataset->source.arena, &dataset->source.schema, name);
    /* rows with incomplete windows have no value */
    bool around = derived && derived_crosses_rows(derived);
    const Splits *splits = around ? &dataset->complete : &dataset->splits;
    for (Split split = 0; split < SPLIT_COUNT && field; split++) {
        for (int64_t i = 0; i < splits->count[split]; i++) {
            int32_t row = splits->rows[split][i];
            int64_t at = row < first_row ? find_no_class(field, data, row, classes) : -1;
            if (at >= 0) first = at, first_row = row;
        }
    }
    if (first < 0) return true;
    int64_t element = first % shape_elements(field->row);
    report_no_class(&dataset->source, &dataset->splits, field, data, first, classes[element],
                    spans ? spans[element] : (Span){0}, diag);
    return false;
}

const char *dataset_class_name(const Dataset *dataset, const char *field_name, int32_t label) {
    SourceRows rows;
    const void *data;
    const SourceField *field =
        field_name ? dataset_find(dataset, source_rows_of(field_name, &rows), &data) : NULL;
    bool known = field && label >= 0 && (uint32_t)label < field->category_count;
    return known ? field->categories[label] : NULL;
}

static bool is_class_column(const ComputedColumn *column) {
    SourceRows rows;
    const char *name = column->field.name;
    return column->field.numbers && source_rows_of(name, &rows) == name;
}

const SourceField **dataset_class_columns(const Dataset *dataset, Arena *arena, uint32_t *count) {
    *count = 0;
    for (const ComputedColumn *column = dataset->computed; column; column = column->next)
        *count += is_class_column(column);
    const SourceField **columns = ARENA_ARRAY(arena, const SourceField *, *count);
    uint32_t at = *count;
    for (const ComputedColumn *column = dataset->computed; column; column = column->next)
        if (is_class_column(column)) columns[--at] = &column->field;
    return columns;
}
