/* The categories of a column of text, while it is read and afterwards. Private to runtime/. */
#ifndef MLC_RUNTIME_CATEGORIES_H
#define MLC_RUNTIME_CATEGORIES_H

#include "ir/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Categories Categories;

Categories *categories_new(Arena *arena);
/* The number of a category, in order of arrival; a new one gets the next number. `text` is kept. */
int32_t categories_add(Categories *categories, const char *text);
int32_t categories_find(const Categories *categories, const char *text); /* -1: it is not there */
uint32_t categories_count(const Categories *categories);
/* Sorts them by their bytes and renumbers the codes that were given so far. */
const char **categories_sort(Categories *categories, int32_t *codes, int64_t count);

/* Keeps the categories that occur in the rows `kept`, and renumbers the codes of all `count` rows: -1 where a category is not
 * kept. Returns how many categories are left; `names` is changed in place. *lost: how many rows have a category that is not kept;
 * *lost_name: that of the first of them. */
uint32_t categories_keep(const char **names, uint32_t name_count, int32_t *codes, int64_t count, const int32_t *kept,
                         int64_t kept_count, int64_t *lost, const char **lost_name);

#endif
