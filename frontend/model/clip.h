/* Gradients of weights, and how they are limited before the optimizer sees them (lower_clip.c). */
#ifndef MLC_FRONTEND_MODEL_CLIP_H
#define MLC_FRONTEND_MODEL_CLIP_H

#include "ir/graph/graph.h"

/* A weight that is trained, or a piece of it. */
typedef struct {
    NodeId weight, gradient;
    const char *name;
} Trained;

/* min(max(gradient, -limit), limit), element by element. */
void clip_each(Graph *graph, Trained *trained, uint32_t count, double limit);
/* Multiplies all gradients by the same factor, so that their norm is at most `limit`. */
void clip_to_norm(Graph *graph, Trained *trained, uint32_t count, double limit);

/* -- the steps of clip_to_norm -- */

/* The absolute value of the largest element; 0 if there is none. */
NodeId clip_largest(Graph *graph, const Trained *trained, uint32_t count);
/* Powers of two by which gradients are multiplied before squaring, and back. */
typedef struct {
    NodeId up, down;
} ClipScale;
ClipScale clip_scale(Graph *graph, NodeId largest);
/* The sums of the squares of each block of NORM_BLOCK elements, a vector. */
NodeId clip_squares(Graph *graph, NodeId gradient, const ClipScale *scale);
/* The sum of such a vector. */
NodeId clip_sum(Graph *graph, NodeId squares);
/* total: the sum over all gradients. */
void clip_by(Graph *graph, Trained *trained, uint32_t count, const ClipScale *scale, NodeId total,
             double limit);

#endif
