/* Finds digits that are lost when numbers of the data become f32: large whole numbers, and numbers
 * so close to each other that several become equal. */
#include "ir/base/memory.h"
#include "runtime/data/derive.h"
#include "runtime/data/moments.h"

#include <math.h>
#include <stdlib.h>

/* Numbers within a range of fewer f32 numbers than this are close to each other. */
enum { CLOSE_STEPS = 4096 };

typedef struct {
    const SourceData *source;
    const Derived *derived;
    int64_t element;
    Rounded *found;
    bool close_only;
    bool inexact; /* a number changes as f32 */
    int64_t count;
    ExactNumber *numbers; /* [count], collected only if close numbers are possible; else NULL */
} RoundingSearch;

static bool is_exact(int64_t whole) {
    float rounded = (float)whole;
    return fabsf(rounded) < 0x1p63f && (int64_t)rounded == whole;
}

static void see(RoundingSearch *search, int32_t row) {
    ExactNumber exact;
    int64_t whole = 0;
    Rounded *found = search->found;
    bool is_whole = derive_number(search->source, search->derived, row, search->element, &exact);
    double number = exact.number;
    if (!isfinite(number)) return;
    if (search->numbers) search->numbers[search->count] = exact;
    if (!search->count++) found->min = found->max = exact;
    if (exact_compare(exact, found->min) < 0) found->min = exact;
    if (exact_compare(exact, found->max) > 0) found->max = exact;
    if (!is_whole || search->close_only)
        search->inexact |= exact.rest != 0 || (double)(float)number != number;
    if (!is_whole || search->close_only || !exact_whole(exact, &whole) || is_exact(whole) ||
        found->rows++)
        return;
    found->whole = whole;
    found->row = row;
}

static void see_rows(RoundingSearch *search) {
    const SourceSchema *schema = &search->source->schema;
    int64_t first = schema->train_rows + schema->valid_rows,
            all = source_numbered_rows(search->source);
    search->count = 0;
    for (int64_t row = 0; row < first; row++) see(search, (int32_t)row);
    for (int64_t row = search->source->test_begin; row < all; row++) see(search, (int32_t)row);
}

/* Whether two different numbers become equal as f32. */
static bool any_become_one(RoundingSearch *search) {
    bool one = false;
    search->numbers =
        memory_new((size_t)search->count * sizeof *search->numbers, "the digits of a column");
    see_rows(search);
    exact_sort(search->numbers, search->count);
    for (int64_t i = 1; i < search->count && !one; i++)
        one = exact_compare(search->numbers[i], search->numbers[i - 1]) &&
              (float)search->numbers[i].number == (float)search->numbers[i - 1].number;
    free(search->numbers);
    search->numbers = NULL;
    return one;
}

/* Whether a field can have numbers that lose digits as f32. Its elements cannot if they are f32,
 * bytes, or whole numbers up to 2^24. */
static bool may_lose(const SourceData *source, uint32_t field) {
    if (source->exact[field].elements) return true;
    const int32_t *whole = source->data[field];
    int64_t all = source_numbered_rows(source) * shape_elements(source->fields[field].row),
            large = 0;
    for (int64_t i = 0; i < all && source->fields[field].dtype == DTYPE_I32; i++)
        large |= whole[i] > 1 << 24 || whole[i] < -(1 << 24);
    return large;
}

static bool loses_digits(const SourceData *source, const Derived *derived, int64_t element,
                         bool close_only, Rounded *found) {
    RoundingSearch search = {.source = source,
                             .derived = derived,
                             .element = element,
                             .found = found,
                             .close_only = close_only};
    *found = (Rounded){.row = -1};
    see_rows(&search);
    if (found->rows) return true;
    double largest = fmax(fabs(found->min.number), fabs(found->max.number)),
           range = exact_minus(found->max, found->min);
    double steps = largest > 0 ? range / ldexp(1, ilogb(largest) - 23) : 0;
    found->numbers = ceil(steps) + 1;
    return search.inexact && steps > 0 && steps < (double)CLOSE_STEPS && any_become_one(&search);
}

bool derive_rounded(const SourceData *source, const Derived *derived, bool close_only,
                    Rounded *found) {
    /* stored fields: no computation before the conversion to f32 */
    bool stored = derived->kind == DERIVED_COLUMNS, may = true;
    int64_t each = shape_elements(derived_row(&source->schema, derived));
    for (int64_t element = 0; element < each; element++) {
        uint32_t field = stored ? derived->fields[derived->is_list ? element : 0] : 0;
        if (stored && (derived->is_list || element == 0)) may = may_lose(source, field);
        if (!may || !loses_digits(source, derived, element, close_only, found)) continue;
        if (stored) found->field = &source->fields[field];
        found->element = element;
        return true;
    }
    return false;
}
