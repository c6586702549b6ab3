/* A source's schema as JSON: [{"name": "kind", "dtype": "i32", "row": [], "column": true, "text":
 * true, "categories": ["x"]}, ...]. The columns of classes(...) follow the fields. They also have
 * "numbers": [3], one for each category. */
#include "runtime/data/schema_text.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 1 << 16 };

static json_t *field_json(const SourceField *field) {
    json_t *row = json_array(), *categories = json_array();
    for (int i = 0; i < field->row.rank; i++)
        json_array_append_new(row, json_integer(field->row.dim[i]));
    for (uint32_t i = 0; i < field->category_count; i++)
        json_array_append_new(categories, json_string(field->categories[i]));
    json_t *json = json_pack("{s:s, s:s, s:o, s:b, s:b, s:o}", "name", field->name, "dtype",
                             dtype_name(field->dtype), "row", row, "column", field->is_column,
                             "text", field->is_text, "categories", categories);
    if (field->is_wide) json_object_set_new(json, "wide", json_true());
    if (!field->numbers) return json;
    json_t *numbers = json_array();
    for (uint32_t i = 0; i < field->category_count; i++)
        json_array_append_new(numbers, json_integer(field->numbers[i]));
    json_object_set_new(json, "numbers", numbers);
    return json;
}

char *schema_write(const SourceSchema *schema) {
    json_t *fields = json_array();
    for (uint32_t i = 0; i < schema->field_count; i++)
        json_array_append_new(fields, field_json(&schema->fields[i]));
    for (uint32_t i = 0; schema->derived && i < schema->derived->count; i++)
        if (schema->derived->items[i]->numbers)
            json_array_append_new(fields, field_json(schema->derived->items[i]));
    char *text = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    assert(text);
    return text;
}

/* -- reading: every value is checked -- */

static const char *copied(Arena *arena, const char *text) {
    return arena_copy_string(arena, text, strlen(text));
}

static bool read_row(const json_t *list, Shape *row) {
    size_t rank = json_array_size(list);
    if (!json_is_array(list) || rank > SHAPE_MAX_RANK - 1) return false;
    for (size_t i = 0; i < rank; i++) {
        json_int_t size = json_integer_value(json_array_get(list, i));
        if (size < 1 || size > SHAPE_MAX_ELEMENTS) return false;
        row->dim[row->rank++] = size;
    }
    return true;
}

static bool read_categories(const json_t *list, Arena *arena, SourceField *field) {
    size_t count = json_array_size(list);
    const char **categories = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        const char *category = json_string_value(json_array_get(list, i));
        if (!category) return false;
        categories[i] = copied(arena, category);
    }
    field->categories = categories;
    field->category_count = (uint32_t)count;
    field->classes = (int32_t)count;
    return json_is_array(list) && count < INT32_MAX;
}

/* Reads the numbers of classes(...): ascending, one per category. A field of the source has
 * none. */
static bool read_numbers(const json_t *list, Arena *arena, SourceField *field) {
    int64_t *numbers = ARENA_ARRAY(arena, int64_t, field->category_count);
    if (!list) return true;
    if (json_array_size(list) != field->category_count || !field->is_text) return false;
    for (uint32_t i = 0; i < field->category_count; i++) {
        const json_t *number = json_array_get(list, i);
        numbers[i] = json_integer_value(number);
        if (!json_is_integer(number) || (i && numbers[i] <= numbers[i - 1])) return false;
    }
    field->numbers = numbers;
    return json_is_array(list);
}

static bool read_field(const json_t *json, Arena *arena, SourceField *field) {
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *dtype = json_string_value(json_object_get(json, "dtype"));
    *field = (SourceField){.is_column = json_is_true(json_object_get(json, "column")),
                           .is_text = json_is_true(json_object_get(json, "text")),
                           .is_wide = json_is_true(json_object_get(json, "wide"))};
    if (!name || !dtype || !dtype_from_name(dtype, strlen(dtype), &field->dtype)) return false;
    field->name = copied(arena, name);
    return read_row(json_object_get(json, "row"), &field->row) &&
           read_categories(json_object_get(json, "categories"), arena, field) &&
           read_numbers(json_object_get(json, "numbers"), arena, field) &&
           (field->numbers || !field->is_column || field->row.rank == 0) &&
           (!field->is_text || (field->is_column && field->dtype == DTYPE_I32));
}

bool schema_read(const char *text, Arena *arena, SourceSchema *schema) {
    json_t *list = json_loads(text, 0, NULL);
    size_t count = json_array_size(list);
    SourceField *fields = ARENA_ARRAY(arena, SourceField, count);
    bool good = json_is_array(list) && count > 0 && count <= FIELDS_MAX;
    *schema = (SourceSchema){.fields = fields, .derived = ARENA_NEW(arena, DerivedFields)};
    schema->derived->arena = arena;
    for (size_t i = 0; i < count && good; i++) {
        SourceField *field = &fields[i];
        good = read_field(json_array_get(list, i), arena, field) &&
               (field->numbers || i == schema->field_count);
        if (field->numbers)
            source_add_derived(schema, field);
        else
            schema->field_count++;
    }
    good = good && schema->field_count > 0;
    json_decref(list);
    return good;
}
