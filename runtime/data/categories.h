/* The codes of a text column: indices of its categories, -1 without one. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_CATEGORIES_H
#define MLC_RUNTIME_DATA_CATEGORIES_H

#include "ir/base/names.h"
#include "ir/data/source.h"

/* The categories sorted by their bytes, in the arena. `codes` are changed from indices in `names`
 * to indices in the result. */
const char **categories_sort(const Names *names, int32_t *codes, int64_t count, Arena *arena);

/* Keeps the categories of the rows `kept`, in place, and returns their number. The codes of all
 * `count` rows are renumbered, -1 for a removed category. *lost: the rows with a removed category;
 * *lost_name: the category of the first of them. */
uint32_t categories_keep(const char **names, uint32_t name_count, int32_t *codes, int64_t count,
                         const int32_t *kept, int64_t kept_count, int64_t *lost,
                         const char **lost_name);

/* Whole numbers that become categories: rows of `each` numbers, WHOLE_MISSING where missing. */
typedef struct {
    const int64_t *numbers;
    int64_t rows, each;
} NumberRows;
/* Sets the categories of a field: the distinct numbers of the rows `kept`, ascending, in the
 * arena. */
void categories_find(const NumberRows *rows, const int32_t *kept, int64_t kept_count, Arena *arena,
                     SourceField *field);
/* The codes of all rows, malloc'ed. field->unseen counts numbers without a category. */
int32_t *categories_number(const NumberRows *rows, SourceField *field, Arena *arena);

#endif
