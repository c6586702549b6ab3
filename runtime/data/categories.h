/* The codes of a column of text: numbers of its categories, -1 where there is none. Private to
 * runtime/. */
#ifndef MLC_RUNTIME_DATA_CATEGORIES_H
#define MLC_RUNTIME_DATA_CATEGORIES_H

#include "ir/base/names.h"
#include "ir/data/source.h"

/* The categories sorted by their bytes, in the arena; `codes` held their numbers in `names` and
 * hold their new ones afterwards. */
const char **categories_sort(const Names *names, int32_t *codes, int64_t count, Arena *arena);

/* Keeps the categories that occur in the rows `kept`, and renumbers the codes of all `count` rows:
 * -1 where a category is not kept. Returns how many categories are left; `names` is changed in
 * place. *lost: how many rows have a category that is not kept; *lost_name: that of the first of
 * them. */
uint32_t categories_keep(const char **names, uint32_t name_count, int32_t *codes, int64_t count,
                         const int32_t *kept, int64_t kept_count, int64_t *lost,
                         const char **lost_name);

/* Whole numbers as categories: rows of `each` numbers, WHOLE_MISSING where one is missing. */
typedef struct {
    const int64_t *numbers;
    int64_t rows, each;
} NumberRows;
/* Gives a field the categories that the rows `kept` have: their different numbers, ascending, in
 * the arena. */
void categories_find(const NumberRows *rows, const int32_t *kept, int64_t kept_count, Arena *arena,
                     SourceField *field);
/* The codes of all rows by the field's categories, malloc'ed; tells the field how many are of
 * none. */
int32_t *categories_number(const NumberRows *rows, SourceField *field, Arena *arena);

#endif
