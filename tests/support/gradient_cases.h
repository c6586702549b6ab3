/* Functions of every differentiable op of ops.def, for tests of their gradients. */
#ifndef MLC_TESTS_SUPPORT_GRADIENT_CASES_H
#define MLC_TESTS_SUPPORT_GRADIENT_CASES_H

#include "ir/ir.h"

enum { MAX_INPUTS = 3 };

typedef struct {
    const char *name;
    Op op; /* the op whose rule the case exercises */
    uint32_t count;
    double low, high; /* the inputs are uniform in this range */
    Shape shapes[MAX_INPUTS];
    NodeId (*build)(Graph *graph, const NodeId *in);
    /* the gradient is piecewise constant, so its own gradient is not compared */
    bool once;
} GradientCase;

extern const GradientCase gradient_cases[];
extern const int gradient_case_count;

/* f of the inputs, for the conventions at kinks */
NodeId case_relu(Graph *graph, const NodeId *in);
NodeId case_abs(Graph *graph, const NodeId *in);
NodeId case_sqrt(Graph *graph, const NodeId *in);
NodeId case_log(Graph *graph, const NodeId *in);
NodeId case_max(Graph *graph, const NodeId *in);
NodeId case_min(Graph *graph, const NodeId *in);
NodeId case_pow(Graph *graph, const NodeId *in);

#endif
