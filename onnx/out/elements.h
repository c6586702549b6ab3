/* Operations on elements: their operands may have been written smaller than they are, and so is the
 * result then. */
#ifndef MLC_ONNX_OUT_ELEMENTS_H
#define MLC_ONNX_OUT_ELEMENTS_H

#include "onnx/out/out.h"

/* The name of an operand, as it was written. */
const char *element_operand(const Out *out, const Form *form, uint32_t i);
/* The value that the operands give together, without a name: sizes are aligned at the last axis. */
Value element_spread(const Out *out, const Form *form);
/* The name of the node's result, whose sizes are those of `value`: only in full size it has the
 * name of an output. */
const char *element_name(Out *out, NodeId id, const Value *value, const char *op);

/* The operation that gives the result of the node; b NULL: of one operand. Each returns true. */
bool element_result(Out *out, NodeId id, const Form *form, const char *op, const char *a,
                    const char *b);
bool element_where(Out *out, NodeId id, const Form *form, const char *condition, const char *a,
                   const char *b);
bool element_cast(Out *out, NodeId id, const Form *form, const char *x, OnnxType type);

#endif
