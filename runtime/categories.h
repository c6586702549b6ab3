/* The codes of a column of text: numbers of its categories, -1 where there is none. Private to runtime/. */
#ifndef MLC_RUNTIME_CATEGORIES_H
#define MLC_RUNTIME_CATEGORIES_H

#include "ir/names.h"

/* The categories sorted by their bytes, in the arena; `codes` held their numbers in `names` and hold their new ones afterwards. */
const char **categories_sort(const Names *names, int32_t *codes, int64_t count, Arena *arena);

/* Keeps the categories that occur in the rows `kept`, and renumbers the codes of all `count` rows: -1 where a category is not
 * kept. Returns how many categories are left; `names` is changed in place. *lost: how many rows have a category that is not kept;
 * *lost_name: that of the first of them. */
uint32_t categories_keep(const char **names, uint32_t name_count, int32_t *codes, int64_t count, const int32_t *kept,
                         int64_t kept_count, int64_t *lost, const char **lost_name);

#endif
