/* Categories of text columns: sorts them, removes unused ones and renumbers the codes. Also whole
 * numbers that become categories. */
#include "runtime/data/categories.h"
#include "runtime/data/exact.h"
#include "ir/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    uint32_t number; /* before */
} RankedName;

static int by_name(const void *a, const void *b) {
    return strcmp(((const RankedName *)a)->name, ((const RankedName *)b)->name);
}

static void renumber(int32_t *codes, int64_t count, const int32_t *new_number) {
    for (int64_t i = 0; i < count; i++)
        if (codes[i] >= 0) codes[i] = new_number[codes[i]];
}

const char **categories_sort(const Names *names, int32_t *codes, int64_t count, Arena *arena) {
    uint32_t name_count = names_count(names);
    RankedName *ranked = ARENA_ARRAY(arena, RankedName, name_count);
    int32_t *new_number = ARENA_ARRAY(arena, int32_t, name_count);
    const char **sorted = ARENA_ARRAY(arena, const char *, name_count);
    for (uint32_t i = 0; i < name_count; i++) ranked[i] = (RankedName){names_all(names)[i], i};
    qsort(ranked, name_count, sizeof *ranked, by_name);
    for (uint32_t i = 0; i < name_count; i++) {
        new_number[ranked[i].number] = (int32_t)i;
        sorted[i] = ranked[i].name;
    }
    renumber(codes, count, new_number);
    return sorted;
}

uint32_t categories_keep(const char **names, uint32_t name_count, int32_t *codes, int64_t count,
                         const int32_t *kept, int64_t kept_count, int64_t *lost,
                         const char **lost_name) {
    uint32_t left = 0;
    int32_t *new_number = memory_array(name_count, sizeof *new_number, "the classes of a column");
    for (uint32_t i = 0; i < name_count; i++) new_number[i] = -1;
    for (int64_t i = 0; i < kept_count; i++)
        if (codes[kept[i]] >= 0) new_number[codes[kept[i]]] = 0;
    /* Counts the rows that lose their class because it is not kept. */
    *lost = 0;
    for (int64_t i = 0; i < count; i++)
        if (codes[i] >= 0 && new_number[codes[i]] < 0 && !(*lost)++) *lost_name = names[codes[i]];
    for (uint32_t i = 0; i < name_count; i++) {
        if (new_number[i] < 0) continue;
        new_number[i] = (int32_t)left;
        names[left++] = names[i];
    }
    renumber(codes, count, new_number);
    free(new_number);
    return left;
}

/* -- whole numbers -- */

static int by_number(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void categories_find(const NumberRows *rows, const int32_t *kept, int64_t kept_count, Arena *arena,
                     SourceField *field) {
    int64_t *sorted = memory_new((size_t)(kept_count * rows->each) * sizeof *sorted,
                                 "the classes of a column"),
            count = 0;
    for (int64_t i = 0; i < kept_count * rows->each; i++) {
        int64_t number = rows->numbers[kept[i / rows->each] * rows->each + i % rows->each];
        if (number != WHOLE_MISSING) sorted[count++] = number;
    }
    qsort(sorted, (size_t)count, sizeof *sorted, by_number);
    field->category_count = 0;
    for (int64_t i = 0; i < count; i++)
        if (!i || sorted[i] != sorted[i - 1]) sorted[field->category_count++] = sorted[i];
    int64_t *numbers = ARENA_ARRAY(arena, int64_t, field->category_count);
    memcpy(numbers, sorted, field->category_count * sizeof *numbers);
    free(sorted);
    const char **categories = ARENA_ARRAY(arena, const char *, field->category_count);
    for (uint32_t i = 0; i < field->category_count; i++)
        categories[i] = arena_format(arena, "%" PRId64, numbers[i]);
    field->categories = categories;
    field->numbers = numbers;
    field->classes = (int32_t)field->category_count;
}

int32_t *categories_number(const NumberRows *rows, SourceField *field, Arena *arena) {
    int64_t count = rows->rows * rows->each;
    int32_t *codes = memory_new((size_t)count * sizeof *codes, "the classes of a column");
    field->unseen = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t number = rows->numbers[i];
        const int64_t *found =
            bsearch(&number, field->numbers, field->category_count, sizeof number, by_number);
        codes[i] = found ? (int32_t)(found - field->numbers) : -1;
        if (!found && number != WHOLE_MISSING && !field->unseen++)
            field->unseen_text = arena_format(arena, "%" PRId64, number);
    }
    return codes;
}
