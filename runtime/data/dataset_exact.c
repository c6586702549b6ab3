/* The elements of a data set with all digits of the files. */
#include "ir/base/memory.h"
#include "runtime/data/dataset_struct.h"

#include <math.h>

bool dataset_rounded(const Dataset *dataset, const char *name, bool close_only, Rounded *found) {
    SourceRows rows;
    const SourceData *source = &dataset->source;
    const Derived *derived =
        derived_find(source->arena, &source->schema, source_rows_of(name, &rows));
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, source->schema.field_count);
    bool there = derived &&
                 dataset_has_fields(dataset, reads, derived_reads(&source->schema, derived, reads));
    return there && derived->kind != DERIVED_CLASSES &&
           derive_rounded(source, derived, close_only, found);
}

ExactNumber dataset_number(const Dataset *dataset, uint32_t field, int32_t row, int64_t element) {
    const SourceData *source = &dataset->source;
    return derive_value(source, field, row * shape_elements(source->fields[field].row) + element);
}

size_t dataset_row_bytes(const Dataset *dataset, uint32_t field, int32_t row, const void **bytes) {
    const SourceData *source = &dataset->source;
    int64_t elements = shape_elements(source->fields[field].row);
    const Exact *exact = &source->exact[field];
    bool wide = exact->elements && exact->kind != EXACT_TEXT,
         text = exact->elements && exact->kind == EXACT_TEXT;
    size_t size = wide ? sizeof(double) : dtype_bytes(source->fields[field].dtype),
           length = size * (size_t)elements;
    *bytes =
        (const char *)(wide || text ? exact->elements : source->data[field]) + length * (size_t)row;
    return length;
}

const char *dataset_text(const Dataset *dataset, uint32_t field, int32_t row) {
    const SourceData *source = &dataset->source;
    const Exact *exact = &source->exact[field];
    if (exact->kind == EXACT_TEXT && exact->elements) {
        int32_t cell = ((const int32_t *)exact->elements)[row];
        return cell < 0 ? NULL : exact->texts[cell];
    }
    int32_t code = ((const int32_t *)source->data[field])[row];
    return code < 0 ? NULL : source->fields[field].categories[code];
}

ExactNumber *dataset_numbers(const Dataset *dataset, const char *name, const int32_t *rows,
                             int64_t count) {
    const SourceData *source = &dataset->source;
    SourceRows around;
    name = source_rows_of(name, &around);
    const Derived *derived = derived_find(source->arena, &source->schema, name);
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, source->schema.field_count);
    bool there = derived &&
                 dataset_has_fields(dataset, reads, derived_reads(&source->schema, derived, reads));
    if (!there || derived->kind == DERIVED_CLASSES) return NULL;
    int64_t each = shape_elements(derived_row(&source->schema, derived)),
            length = around.to - around.from + 1;
    ExactNumber *numbers = memory_new((size_t)(count * length * each) * sizeof *numbers,
                                      "numbers of the data"),
                *to = numbers;
    for (int64_t i = 0; i < count * length; i++, to += each) {
        int32_t row = rows[i / length];
        if (window_has_others(&around))
            row = runs_row(&dataset->runs, row, around.from + i % length);
        for (int64_t k = 0; k < each && row < 0; k++) to[k] = exact_of_real((double)NAN);
        if (row >= 0) derive_row(source, derived, row, to);
    }
    return numbers;
}

/* The exact numbers of a file, kept only for fields whose elements are rounded. */
void dataset_copy_exact(Dataset *to, uint32_t field, const Dataset *from, const char *name,
                        int64_t begin, int64_t step) {
    SourceData *source = &to->source;
    const SourceField *found = source_field(&from->source.schema, name);
    if (!found) return;
    uint32_t other = (uint32_t)(found - from->source.schema.fields);
    const Exact *exact = &from->source.exact[other];
    if (!exact->elements && found->dtype == DTYPE_F32) return;
    int64_t count = source->schema.train_rows * shape_elements(source->fields[field].row);
    int64_t *elements = ARENA_ARRAY(source->arena, int64_t, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = begin + i * step;
        if (exact->elements) /* int64_t and double both have 8 bytes */
            elements[i] = ((const int64_t *)exact->elements)[at];
        else
            elements[i] = (int64_t)derive_stored(&from->source, other, at).number;
    }
    source->exact[field] =
        (Exact){.kind = exact->elements ? exact->kind : EXACT_WHOLE, .elements = elements};
}
