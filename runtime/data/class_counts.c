/* The number of rows of each class in each split. */
#include "runtime/data/class_counts.h"
#include "runtime/data/moments.h"

#include <math.h>
#include <string.h>

enum { CLASSES_MAX = 1 << 16 }; /* this number and larger ones are not classes */

/* The number of classes if it is unknown: the largest number + 1, at most CLASSES_MAX. */
static int64_t largest_class(const Dataset *dataset, const SourceField *field) {
    const void *data = dataset_field(dataset, field->name);
    double largest = -1;
    for (Split split = 0; split < SPLIT_COUNT; split++)
        for (int64_t i = 0; i < dataset_rows(dataset, split); i++)
            largest = fmax(largest, element_value(field->dtype, field->is_text, data,
                                                  dataset_split(dataset, split)[i]));
    return largest < (double)CLASSES_MAX ? (int64_t)largest + 1 : CLASSES_MAX;
}

bool dataset_all_alike(const Dataset *dataset, const char *name, Split split) {
    const void *data;
    const SourceField *field = dataset_find(dataset, name, &data);
    int64_t rows = dataset_rows(dataset, split);
    if (!field || shape_elements(field->row) != 1 || rows < 2) return false;
    const int32_t *row = dataset_split(dataset, split);
    double first = element_value(field->dtype, field->is_text, data, row[0]);
    for (int64_t i = 1; i < rows; i++)
        if (element_value(field->dtype, field->is_text, data, row[i]) != first) return false;
    return true;
}

static void add_counts(const Dataset *dataset, const SourceField *field, const char *label,
                       Arena *arena, ClassCounts *counts) {
    *counts = (ClassCounts){.field = field, .is_label = label && !strcmp(field->name, label)};
    counts->classes = field->is_text   ? field->category_count
                      : field->classes ? field->classes
                                       : largest_class(dataset, field);
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        counts->counts[split] = ARENA_ARRAY(arena, int64_t, counts->classes);
        const void *data = dataset_field(dataset, field->name);
        for (int64_t i = 0; i < dataset_rows(dataset, split); i++) {
            double category =
                element_value(field->dtype, field->is_text, data, dataset_split(dataset, split)[i]);
            if (category >= 0 && category < (double)counts->classes)
                counts->counts[split][(int64_t)category]++;
        }
    }
}

ClassCounts *class_counts(const Dataset *dataset, const char *label, const char *const *dates,
                          Arena *arena, uint32_t *count) {
    const SourceSchema *schema = dataset_fields(dataset);
    uint32_t column_count;
    const SourceField **columns = dataset_class_columns(dataset, arena, &column_count);
    ClassCounts *all = ARENA_ARRAY(arena, ClassCounts, schema->field_count + column_count);
    *count = 0;
    for (uint32_t i = 0; i < schema->field_count + column_count; i++) {
        const SourceField *field =
            i < schema->field_count ? &schema->fields[i] : columns[i - schema->field_count];
        bool date = dates && i < schema->field_count && dates[i];
        bool is_label = label && !strcmp(field->name, label);
        bool whole = field->dtype != DTYPE_F32 && shape_elements(field->row) == 1;
        if (whole && (field->is_text || field->classes || is_label) && !date)
            add_counts(dataset, field, label, arena, &all[(*count)++]);
    }
    return all;
}
