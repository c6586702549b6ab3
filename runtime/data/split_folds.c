/* Folds: parts of equal size of the rows that are not held out for testing. The rows of one fold
 * are the validation rows. In the order of the permutation, each row goes to the next fold in turn:
 *
 *     of all rows                                 the default
 *     of each class, one class after the other    valid = stratified(...)
 *     whole groups, each to the smallest fold     valid = group(...) */
#include "ir/base/memory.h"
#include "runtime/data/dealing.h"

#include <stdlib.h>

const HoldOut *fold_hold(const SplitRequest *request) {
    return holds(&request->valid) ? &request->valid : &request->test;
}

int64_t fold_rows(const SplitRequest *request, int64_t rows) {
    return rows / request->folds + (request->fold <= rows % request->folds);
}

/* turn[class]: the number of the next row of this class, counted over all classes. */
static void deal_in_turn(Dealing *dealing, const int32_t *class_of, int64_t *turn) {
    const SplitRequest *request = dealing->request;
    const int32_t *order = dealing_order(dealing);
    for (int64_t i = 0; i < dealing->rows; i++) {
        if (dealing->split_of[order[i]] != SPLIT_TRAIN) continue;
        int64_t number = turn[class_of ? class_of[order[i]] : 0]++;
        if (number % request->folds == request->fold - 1) dealing->split_of[order[i]] = SPLIT_VALID;
    }
}

static bool deal_by_class(Dealing *dealing) {
    RowGroups classes;
    if (!groups_find(dealing, fold_hold(dealing->request), &classes)) return false;
    int64_t *turn = memory_new((classes.count + 1) * sizeof *turn, "the folds");
    for (uint32_t c = 1; c < classes.count; c++) turn[c] = turn[c - 1] + classes.size[c - 1];
    deal_in_turn(dealing, classes.group_of, turn);
    free(turn);
    groups_free(&classes);
    return true;
}

static uint32_t smallest(const int64_t *sizes, uint32_t count) {
    uint32_t found = 0;
    for (uint32_t i = 1; i < count; i++)
        if (sizes[i] < sizes[found]) found = i;
    return found;
}

static bool deal_by_group(Dealing *dealing) {
    const SplitRequest *request = dealing->request;
    const int32_t *order = dealing_order(dealing);
    RowGroups groups;
    if (!groups_find(dealing, fold_hold(request), &groups)) return false;
    uint32_t *fold_of = memory_new(groups.count * sizeof *fold_of, "the folds"); /* 0: none yet */
    int64_t *sizes = memory_new(request->folds * sizeof *sizes, "the folds");
    for (int64_t i = 0; i < dealing->rows; i++) {
        int32_t group = groups.group_of[order[i]];
        if (dealing->split_of[order[i]] != SPLIT_TRAIN) continue;
        if (!fold_of[group]) {
            uint32_t fold = smallest(sizes, request->folds);
            fold_of[group] = fold + 1;
            sizes[fold] += groups.size[group];
        }
        if (fold_of[group] == request->fold) dealing->split_of[order[i]] = SPLIT_VALID;
    }
    free(fold_of);
    free(sizes);
    groups_free(&groups);
    return true;
}

bool deal_folds(Dealing *dealing) {
    int64_t turn = 0;
    for (int64_t row = 0; row < dealing->rows; row++)
        if (dealing->split_of[row] == SPLIT_VALID) dealing->split_of[row] = SPLIT_TRAIN;
    switch (fold_hold(dealing->request)->kind) {
    case HOLD_STRATIFIED: return deal_by_class(dealing);
    case HOLD_GROUP: return deal_by_group(dealing);
    default: deal_in_turn(dealing, NULL, &turn); return true;
    }
}

bool check_folds(const Dealing *dealing, Span span) {
    const SplitRequest *request = dealing->request;
    if (dealing_count(dealing, SPLIT_VALID) && dealing_count(dealing, SPLIT_TRAIN)) return true;
    diag_error(dealing->diag, STATUS_DATA, span, "fold %u of %u has %s", request->fold,
               request->folds, dealing_count(dealing, SPLIT_VALID) ? "all rows" : "no row");
    diag_help(dealing->diag, "there must be as many %s as folds",
              fold_hold(request)->kind == HOLD_GROUP ? "groups" : "rows");
    return false;
}
