/* The columns of classes(...), and the errors for numbers and text that are not a class. */
#include "runtime/data/class_columns.h"
#include "runtime/data/categories.h"
#include "runtime/data/dataset.h"
#include "runtime/data/faults.h"
#include "runtime/data/moments.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *listed(Arena *arena, const SourceField *field) {
    enum { SHOWN = 12 };
    const char *text = "";
    for (uint32_t i = 0; i < field->category_count && i < SHOWN; i++)
        text = arena_format(arena, "%s%s%" PRId64, text, i ? ", " : "", field->numbers[i]);
    return arena_format(arena, "%s%s", text, field->category_count > SHOWN ? "..." : "");
}

static bool wrong_names(const SourceData *source, const Derived *derived, const SourceField *field,
                        Span span, Diagnostics *diag) {
    if (!derived->name_count || derived->name_count == field->category_count) return false;
    if (!diag) return true;
    diag_error(diag, STATUS_MODEL, span, "%u name%s, but the training rows have %u class%s: %s",
               derived->name_count, derived->name_count == 1 ? "" : "s", field->category_count,
               field->category_count == 1 ? "" : "es", listed(source->arena, field));
    diag_help(diag, "give a name for each of them, in this order");
    return true;
}

static const char *name_of(const SourceData *source, const Derived *derived) {
    bool single = derived->kind == DERIVED_COLUMNS && !derived->is_list;
    return single ? source->fields[derived->fields[0]].name
                  : derived_name(source->arena, &source->schema, derived);
}

int32_t *class_column_make(const SourceData *source, const Splits *splits, const SourceField *like,
                           const Derived *derived, SourceField *field, Span span,
                           Diagnostics *diag) {
    DeriveFault fault;
    *field = like ? *like : (SourceField){.is_column = true};
    field->dtype = DTYPE_I32;
    field->row = derived_row(&source->schema, derived);
    field->is_text = true;
    int64_t *numbers = derive_elements(source, derived, &fault);
    if (!numbers && diag)
        report_fault(source, name_of(source, derived->args[0]), &fault, span, diag);
    if (!numbers) return NULL;
    NumberRows rows = {numbers, source_numbered_rows(source), shape_elements(field->row)};
    if (!like)
        categories_find(&rows, splits->rows[SPLIT_TRAIN], splits->count[SPLIT_TRAIN], source->arena,
                        field);
    int32_t *codes = categories_number(&rows, field, source->arena);
    free(numbers);
    bool wrong = wrong_names(source, derived, field, span, diag);
    if (derived->names && !wrong) field->categories = derived->names;
    if (!wrong) return codes;
    free(codes);
    return NULL;
}

/* -- errors for cells that are not a class -- */

/* The element for a message: ", element [1,0]". "": a row is one number. */
static const char *element_text(const SourceField *field, int64_t element, char text[SHAPE_TEXT]) {
    int64_t inner = shape_elements(field->row);
    int length = inner > 1 ? snprintf(text, SHAPE_TEXT, ", element [") : 0;
    text[length] = 0;
    for (int axis = 0; length && axis < field->row.rank; axis++) {
        inner /= field->row.dim[axis];
        length += snprintf(text + length, SHAPE_TEXT - (size_t)length, "%lld%s",
                           (long long)(element / inner), axis + 1 < field->row.rank ? "," : "]");
        element %= inner;
    }
    return text;
}

/* The text of a cell that is not a category of the training rows; NULL: missing. */
static const char *unseen_text(const SourceData *source, const SourceField *field, int64_t at) {
    const Derived *derived =
        field->numbers ? derived_find(source->arena, &source->schema, field->name) : NULL;
    const SourceField *text = source_field(&source->schema, field->name);
    DeriveFault fault;
    if (text) {
        const Exact *exact = &source->exact[text - source->schema.fields];
        int32_t cell = exact->kind == EXACT_TEXT && exact->elements
                           ? ((const int32_t *)exact->elements)[at]
                           : -1;
        return cell < 0 ? NULL : exact->texts[cell];
    }
    int64_t *numbers = derived ? derive_elements(source, derived, &fault) : NULL;
    const char *number = numbers && numbers[at] != WHOLE_MISSING
                             ? arena_format(source->arena, "%" PRId64, numbers[at])
                             : NULL;
    free(numbers);
    return number;
}

static void help_unseen(const SourceData *source, const Splits *splits, const SourceField *field,
                        const char *unseen, int32_t row, Diagnostics *diag) {
    enum { SHOWN = 12 };
    const char *near = diag_nearest(unseen, field->categories, field->category_count);
    bool drawn =
        row < source->schema.train_rows && splits->count[SPLIT_TRAIN] < source->schema.train_rows;
    if (near) diag_help(diag, "did you mean '%.100s'?", near);
    /* "yes." for "yes" */
    const char *end = near && !strncmp(unseen, near, strlen(near)) ? unseen + strlen(near) : "";
    if (ispunct((unsigned char)*end) && !end[1])
        diag_help(diag, "csv(..., trim = \"%c\") takes '%c' off the ends of text", *end, *end);
    if (!near)
        diag_help(diag, "the training rows have %s",
                  names_quoted(source->arena, (const char **)field->categories,
                               field->category_count, SHOWN));
    if (drawn) diag_help(diag, "another seed of the data holds out other rows");
}

static void no_category(const SourceData *source, const Splits *splits, const SourceField *field,
                        int64_t at, Span span, Diagnostics *diag) {
    char place[PLACE_TEXT];
    const Derived *derived =
        field->numbers ? derived_find(source->arena, &source->schema, field->name) : NULL;
    int32_t row = (int32_t)(at / shape_elements(field->row));
    const char *unseen = unseen_text(source, field, at);
    if (!unseen) {
        report_missing(source, field, row, span, diag);
        return;
    }
    diag_error(diag, STATUS_DATA, span, "'%s' is '%.100s' in %s, which no training row has",
               derived ? name_of(source, derived->args[0]) : field->name, unseen,
               source_place_text(source, field->name, row, place));
    help_unseen(source, splits, field, unseen, row, diag);
}

/* -- errors for numbers that are not a class -- */

/* The field as a model writes it: source.lane, source["no. of lanes"]. */
static const char *written(Arena *arena, const char *field) {
    bool word = !isdigit((unsigned char)*field);
    for (const char *c = field; *c && word; c++) word = isalnum((unsigned char)*c) || *c == '_';
    return arena_format(arena, word ? "source.%.100s" : "source[\"%.100s\"]", field);
}

/* Lists the classes of the training rows if they are not 0, 1, 2, ... false: they are. */
static bool help_numbering(const SourceData *source, const Splits *splits, const SourceField *field,
                           Diagnostics *diag) {
    Derived classes = {.kind = DERIVED_CLASSES};
    DeriveFault fault;
    SourceField found = {0};
    classes.args[0] = derived_find(source->arena, &source->schema, field->name);
    int64_t *numbers = classes.args[0] ? derive_elements(source, &classes, &fault) : NULL;
    if (!numbers) return false;
    NumberRows rows = {numbers, source_numbered_rows(source), shape_elements(field->row)};
    categories_find(&rows, splits->rows[SPLIT_TRAIN], splits->count[SPLIT_TRAIN], source->arena,
                    &found);
    free(numbers);
    uint32_t count = found.category_count;
    bool from_zero =
        !count || (found.numbers[0] == 0 && found.numbers[count - 1] == (int64_t)count - 1);
    bool plain = source_field(&source->schema, field->name) != NULL;
    if (!from_zero)
        diag_help(
            diag, "the training rows have %u class%s, %s: %s numbers them from 0", count,
            count == 1 ? "" : "es", listed(source->arena, &found),
            plain ? arena_format(source->arena, "classes(%s)", written(source->arena, field->name))
                  : "classes(...)");
    return !from_zero;
}

void report_no_class(const SourceData *source, const Splits *splits, const SourceField *field,
                     const void *data, int64_t at, int64_t classes, Span span, Diagnostics *diag) {
    char element[SHAPE_TEXT], place[PLACE_TEXT];
    int64_t each = shape_elements(field->row),
            label = (int64_t)element_value(field->dtype, false, data, at);
    if (field->is_text && label < 0) {
        no_category(source, splits, field, at, span, diag);
        return;
    }
    source_place_text(source, field->name, (int32_t)(at / each), place);
    diag_error(diag, STATUS_DATA, span,
               "'%s' has class %lld in %s%s, but there are columns for 0 to %lld only", field->name,
               (long long)label, place, element_text(field, at % each, element),
               (long long)classes - 1);
    if (each > 1 || !help_numbering(source, splits, field, diag))
        diag_help(diag, "the output needs a column for every class; classes are numbered from 0");
}
