/* Internal to the layout pass: the forms of states. layout.c chooses them for each product,
 * layout_states.c writes them into the plan. */
#ifndef MLC_PASSES_PLAN_LAYOUT_H
#define MLC_PASSES_PLAN_LAYOUT_H

#include "passes/passes.h"

typedef struct {
    Plan *plan;
    Arena *arena;     /* scratch */
    bool no_vectors;  /* as in PassOptions */
    Layout *primary;  /* [state] */
    bool (*extra)[2]; /* [state][axis]: also needed in panels along that axis */
} Forms;

/* Panels of a state along an axis, as wide as the code of a product computes columns side by
 * side. */
Layout panel_layout(const Forms *forms, const Symbol *symbol, int axis);
/* The state that an operand of a product is, or NULL. */
const Storage *matrix_state(const Plan *plan, const Storage *operand);

/* Chooses the primary layout of every state. That of a weight depends on its first use alone. So
 * the graphs for training, evaluation and prediction agree at all batch sizes. The moments of an
 * optimizer have the layout of their weight. */
void forms_choose_primary(Forms *forms);
/* Rewrites the plan: its states, the storage of operands, and the stores of updates. */
void forms_apply(Forms *forms);

#endif
