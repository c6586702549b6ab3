/* Operations on elements. Operands may have been written smaller than their nodes; then the result
 * is smaller too. */
#ifndef MLC_ONNX_OUT_ELEMENTS_H
#define MLC_ONNX_OUT_ELEMENTS_H

#include "onnx/out/out.h"

/* The name of an operand, in the size in which it was written. */
const char *element_operand(const Out *out, const Form *form, uint32_t i);
/* The common sizes of the operands, aligned at the last axis, as a value without a name. */
OutValue element_spread(const Out *out, const Form *form);
/* The name of the node's result with the sizes of `value`. Only a result in full size has the name
 * of an output. */
const char *element_name(Out *out, NodeId id, const OutValue *value, const char *op);

/* Writes the operation that computes the node; `b` is NULL if it has one operand. Each function
 * returns true. */
bool element_result(Out *out, NodeId id, const Form *form, const char *op, const char *a,
                    const char *b);
bool element_where(Out *out, NodeId id, const Form *form, const char *condition, const char *a,
                   const char *b);
bool element_cast(Out *out, NodeId id, const Form *form, const char *x, OnnxType type);

#endif
