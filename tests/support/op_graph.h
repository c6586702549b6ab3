/* Each elementwise op alone, on f32 numbers. */
#ifndef MLC_TESTS_SUPPORT_OP_GRAPH_H
#define MLC_TESTS_SUPPORT_OP_GRAPH_H

#include "ir/ir.h"

/* The op on as many tensors of numbers, f32 of one shape, as it has operands. Ops of whole numbers get
 * their bits as i32; convert makes i32 of them. */
NodeId op_on_numbers(Graph *graph, Op op, const NodeId numbers[3]);

#endif
