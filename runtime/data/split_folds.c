/* Folds: parts of equal size of the rows that are not held out for testing. The rows of one fold
 * are the validation rows. In the order of the permutation, each row goes to the next fold in turn:
 *
 *     of all rows                                 the default
 *     of each class, one class after the other    valid = stratified(...)
 *     whole groups, each to the smallest fold     valid = group(...) */
#include "ir/base/memory.h"
#include "runtime/data/split_assignment.h"

#include <stdlib.h>

const HoldOut *fold_hold(const SplitRequest *request) {
    return holds(&request->valid) ? &request->valid : &request->test;
}

int64_t fold_rows(const SplitRequest *request, int64_t rows) {
    return rows / request->folds + (request->fold <= rows % request->folds);
}

/* turn[class]: the number of the next row of this class, counted over all classes. */
static void assign_in_turn(SplitAssignment *assignment, const int32_t *class_of, int64_t *turn) {
    const SplitRequest *request = assignment->request;
    const int32_t *order = assignment_order(assignment);
    for (int64_t i = 0; i < assignment->rows; i++) {
        if (assignment->split_of[order[i]] != SPLIT_TRAIN) continue;
        int64_t number = turn[class_of ? class_of[order[i]] : 0]++;
        if (number % request->folds == request->fold - 1)
            assignment->split_of[order[i]] = SPLIT_VALID;
    }
}

static bool assign_by_class(SplitAssignment *assignment) {
    RowGroups classes;
    if (!groups_find(assignment, fold_hold(assignment->request), &classes)) return false;
    int64_t *turn = memory_new((classes.count + 1) * sizeof *turn, "the folds");
    for (uint32_t c = 1; c < classes.count; c++) turn[c] = turn[c - 1] + classes.size[c - 1];
    assign_in_turn(assignment, classes.group_of, turn);
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

static bool assign_by_group(SplitAssignment *assignment) {
    const SplitRequest *request = assignment->request;
    const int32_t *order = assignment_order(assignment);
    RowGroups groups;
    if (!groups_find(assignment, fold_hold(request), &groups)) return false;
    uint32_t *fold_of = memory_new(groups.count * sizeof *fold_of, "the folds"); /* 0: none yet */
    int64_t *sizes = memory_new(request->folds * sizeof *sizes, "the folds");
    for (int64_t i = 0; i < assignment->rows; i++) {
        int32_t group = groups.group_of[order[i]];
        if (assignment->split_of[order[i]] != SPLIT_TRAIN) continue;
        if (!fold_of[group]) {
            uint32_t fold = smallest(sizes, request->folds);
            fold_of[group] = fold + 1;
            sizes[fold] += groups.size[group];
        }
        if (fold_of[group] == request->fold) assignment->split_of[order[i]] = SPLIT_VALID;
    }
    free(fold_of);
    free(sizes);
    groups_free(&groups);
    return true;
}

bool assign_folds(SplitAssignment *assignment) {
    int64_t turn = 0;
    for (int64_t row = 0; row < assignment->rows; row++)
        if (assignment->split_of[row] == SPLIT_VALID) assignment->split_of[row] = SPLIT_TRAIN;
    switch (fold_hold(assignment->request)->kind) {
    case HOLD_STRATIFIED: return assign_by_class(assignment);
    case HOLD_GROUP: return assign_by_group(assignment);
    default: assign_in_turn(assignment, NULL, &turn); return true;
    }
}

bool check_folds(const SplitAssignment *assignment, Span span) {
    const SplitRequest *request = assignment->request;
    if (assignment_count(assignment, SPLIT_VALID) && assignment_count(assignment, SPLIT_TRAIN))
        return true;
    diag_error(assignment->diag, STATUS_DATA, span, "fold %u of %u has %s", request->fold,
               request->folds, assignment_count(assignment, SPLIT_VALID) ? "all rows" : "no row");
    diag_help(assignment->diag, "there must be as many %s as folds",
              fold_hold(request)->kind == HOLD_GROUP ? "groups" : "rows");
    return false;
}
