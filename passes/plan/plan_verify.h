/* The rules that every plan keeps; pass_run checks them after every pass that makes or changes a
 * plan. A plan is right if running its kernels in order, on any number of threads, gives every
 * reader the value that it expects.
 *
 * After every such pass:
 * - the nodes of a kernel ascend; its root is among them; leaves are not; reductions, scans and
 *   products are roots of kernels;
 * - but reductions of a row kernel are along the rows of its space, and none is a root; and an
 *   argmax may be computed beside the root that is the largest of the same elements;
 * - a kernel's space is the shape of its root, and its kind is that of its root. Nodes after the
 *   root read it only at the same index;
 * - every operand is computed by the kernel itself, is a constant, or is in memory: in the slab, if
 *   some kernel stores it there; in a state form of its symbol; or as an input;
 * - every output is stored once; every form of a state that has an update is stored once, all of
 *   them by the same kernel, in the form's layout, with the value of the update;
 * - panels are for states only; a product for OpenBLAS has one plain store.
 *
 * After the pass `plan`, when values have places, kernels have an order and barriers are set, also:
 * - a value lies where its reader looks for it when it runs: nothing was stored over it in between;
 * - a barrier separates a store from a read, and a read from a store over it. There are two
 *   exceptions: one thread does both in order; or both kernels run by rows, and the reader needs
 *   only the rows that it computes;
 * - a state is read before its update; a kernel may update a state in place only if it reads it at
 *   the same index;
 * - kernels by rows have the same number of rows, a multiple of PLAN_ROWS, and update no state;
 * - replicated kernels read inputs only and store in the thread's own slab;
 * - every place is a multiple of 64 bytes and lies inside its slab or the output block. */
#ifndef MLC_PASSES_PLAN_PLAN_VERIFY_H
#define MLC_PASSES_PLAN_PLAN_VERIFY_H

#include "ir/ir.h"

enum { PLAN_FAULT = 256 }; /* bytes of a text that says what is wrong */

/* Whether the plan keeps the rules. If not, `fault` says which kernel breaks one, and how;
 * otherwise it is "". */
bool plan_verify(const Plan *plan, bool is_placed, char fault[PLAN_FAULT]);

#endif
