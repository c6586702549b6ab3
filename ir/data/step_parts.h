/* The names by which the parts of a training step fit together, and the states of a step that is
 * not finished. frontend/model/model.h describes the graphs. */
#ifndef MLC_IR_DATA_STEP_PARTS_H
#define MLC_IR_DATA_STEP_PARTS_H

/* Outputs of a share and inputs of an update: the gradient of a weight, times rows. */
#define GRADIENT_PREFIX "gradient:"
/* Inputs and outputs of an update: what a process owns of a weight. */
#define WEIGHT_PREFIX "weight:"
/* Outputs of a share and inputs of the statistics. */
#define CARRIED_PREFIX "carried:"
/* An input of an update: the rows of the step. */
#define STEP_ROWS "step:rows"
/* With clip_norm: the largest gradient of each process, and the sums of the squares of blocks of
 * gradients. A process computes its own, and the update needs all of them. */
#define NORM_LARGEST "norm:largest"
#define NORM_SQUARES "norm:squares"

/* The state "accumulate.2.NAME" keeps the sum of 2^2 shares of the gradient of NAME that waits for
 * its partner. It does while bit 2 of accumulate.batches is set, the number of shares since the
 * last update of the weights; accumulate.rows are their rows. */
#define ACCUMULATE_PREFIX "accumulate."
#define ACCUMULATE_BATCHES ACCUMULATE_PREFIX "batches"
#define ACCUMULATE_ROWS ACCUMULATE_PREFIX "rows"

#endif
