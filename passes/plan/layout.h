/* Internal to the layout pass: which forms the states have (layout_states.c) and what they are used
 * for (layout.c). */
#ifndef MLC_PASSES_PLAN_LAYOUT_H
#define MLC_PASSES_PLAN_LAYOUT_H

#include "passes/passes.h"

typedef struct {
    Plan *plan;
    Arena *arena;     /* scratch */
    Layout *primary;  /* [state] */
    bool (*extra)[2]; /* [state][axis]: also needed in panels along that axis */
} Forms;

Layout panel_layout(Shape shape, int axis);
/* The state that an operand of a product is, or NULL. */
const Storage *matrix_state(const Plan *plan, const Storage *operand);

/* Chooses the primary layout of every state. What a weight looks like depends on its first use
 * alone, so that the graphs for training, evaluation and prediction, at all batch sizes, agree.
 * Optimizer moments look like their weight. */
void forms_choose_primary(Forms *forms);
/* Rewrites the plan: its states, where operands are read, what updates store. */
void forms_apply(Forms *forms);

#endif
