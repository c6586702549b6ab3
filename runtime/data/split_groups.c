/* Splits that keep groups together, and splits with the same fraction of each class. */
#include "ir/base/memory.h"
#include "runtime/data/split_assignment.h"

#include <math.h>
#include <stdlib.h>

/* A row with the number that groups it. */
typedef struct {
    double value;
    int32_t row;
} ValuedRow;

/* By value, then by row. */
static int compare_rows(const void *a, const void *b) {
    const ValuedRow *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->row > y->row) - (x->row < y->row);
}

/* -- rows with the same value -- */

void groups_free(RowGroups *groups) {
    free(groups->group_of);
    free(groups->size);
}

bool groups_find(const SplitAssignment *assignment, const HoldOut *hold, RowGroups *groups) {
    SplitColumn column;
    if (!split_column_find(assignment, hold, &column)) return false;
    for (int64_t row = 0; row < assignment->rows; row++)
        if (isnan(split_column_value(&column, row)))
            return split_column_missing(assignment, hold,
                                        hold->kind == HOLD_GROUP ? "group" : "class", row);
    ValuedRow *sorted = memory_new((size_t)assignment->rows * sizeof *sorted, "the splits");
    for (int64_t row = 0; row < assignment->rows; row++)
        sorted[row] = (ValuedRow){split_column_value(&column, row), (int32_t)row};
    qsort(sorted, (size_t)assignment->rows, sizeof *sorted, compare_rows);
    *groups = (RowGroups){
        .group_of = memory_new((size_t)assignment->rows * sizeof *groups->group_of, "the splits"),
        .size = memory_new((size_t)assignment->rows * sizeof *groups->size, "the splits")};
    for (int64_t i = 0; i < assignment->rows; i++) {
        groups->count += i == 0 || sorted[i].value > sorted[i - 1].value;
        groups->group_of[sorted[i].row] = (int32_t)groups->count - 1;
        groups->size[groups->count - 1] += assignment->split_of[sorted[i].row] == SPLIT_TRAIN;
    }
    free(sorted);
    return true;
}

/* -- group(source.patient, 0.2) -- */

enum { GROUP_UNSEEN, GROUP_LEFT, GROUP_TAKEN };

/* Takes whole groups in the order of the permutation. A fraction takes at least one group, and
 * further groups as long as they bring the number of rows closer to the wanted one. */
static uint8_t *choose_groups(SplitAssignment *assignment, const HoldOut *hold,
                              const RowGroups *groups) {
    const int32_t *order = assignment_order(assignment);
    uint8_t *chosen = memory_new(groups->count, "the splits");
    int64_t rows = hold_rows(hold, assignment->rows), wanted = rows ? rows : 1, taken = 0;
    int32_t first = -1;
    for (int64_t i = 0; i < assignment->rows && taken < wanted; i++) {
        int32_t group = groups->group_of[order[i]];
        int64_t size = hold->is_count ? 1 : groups->size[group];
        if (chosen[group] != GROUP_UNSEEN || !groups->size[group]) continue;
        if (first < 0) first = group;
        bool take = 2 * taken + size <= 2 * wanted;
        chosen[group] = take ? GROUP_TAKEN : GROUP_LEFT;
        if (take) taken += size;
    }
    if (!taken && first >= 0) chosen[first] = GROUP_TAKEN;
    return chosen;
}

bool assign_groups(SplitAssignment *assignment, Split split) {
    const HoldOut *hold = hold_of(assignment->request, split);
    RowGroups groups;
    if (!groups_find(assignment, hold, &groups)) return false;
    uint8_t *chosen = choose_groups(assignment, hold, &groups);
    for (int64_t row = 0; row < assignment->rows; row++)
        if (chosen[groups.group_of[row]] == GROUP_TAKEN && assignment->split_of[row] == SPLIT_TRAIN)
            assignment->split_of[row] = (uint8_t)split;
    free(chosen);
    groups_free(&groups);
    return true;
}

/* -- stratified(source.y, 0.2) -- */

typedef struct {
    int32_t class;
    double rest; /* the fraction of a row that was lost by rounding down */
} ClassPart;

static int by_rest(const void *a, const void *b) {
    const ClassPart *x = a, *y = b;
    return x->rest != y->rest ? (x->rest < y->rest) - (x->rest > y->rest)
                              : (x->class > y->class) - (x->class < y->class);
}

/* The held-out rows of each class: its fraction, rounded so that the sum is the wanted number. No
 * class loses its last training row. */
static int64_t *class_quotas(const RowGroups *groups, int64_t wanted, int64_t rows) {
    int64_t *quotas = memory_new(groups->count * sizeof *quotas, "the splits"),
            left = wanted < rows ? wanted : rows;
    ClassPart *parts = memory_new(groups->count * sizeof *parts, "the splits");
    for (uint32_t i = 0; i < groups->count; i++) {
        double part =
            (double)groups->size[i] * (double)(wanted < rows ? wanted : rows) / (double)rows;
        quotas[i] = (int64_t)part;
        left -= quotas[i];
        parts[i] = (ClassPart){(int32_t)i, part - (double)quotas[i]};
    }
    qsort(parts, groups->count, sizeof *parts, by_rest);
    for (uint32_t i = 0; i < groups->count && left > 0; i++) {
        int64_t *quota = &quotas[parts[i].class];
        if (*quota + 1 >= groups->size[parts[i].class]) continue;
        ++*quota;
        left--;
    }
    free(parts);
    return quotas;
}

bool assign_stratified(SplitAssignment *assignment, Split split) {
    const HoldOut *hold = hold_of(assignment->request, split);
    const int32_t *order = assignment_order(assignment);
    RowGroups classes;
    if (!groups_find(assignment, hold, &classes)) return false;
    int64_t *quotas = class_quotas(&classes, hold_rows(hold, assignment->rows),
                                   assignment_count(assignment, SPLIT_TRAIN));
    for (int64_t i = 0; i < assignment->rows; i++) {
        int64_t *quota = &quotas[classes.group_of[order[i]]];
        if (assignment->split_of[order[i]] != SPLIT_TRAIN || !*quota) continue;
        assignment->split_of[order[i]] = (uint8_t)split;
        --*quota;
    }
    free(quotas);
    groups_free(&classes);
    return true;
}
