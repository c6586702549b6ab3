/* Facts about ops and dtypes, from ops.def. */
#ifndef MLC_IR_OPS_OPS_H
#define MLC_IR_OPS_OPS_H

#include "ir/ops/node.h"

const char *op_name(Op op);
const char *op_doc(Op op);
OpClass op_class(Op op);
AttrsKind op_attrs(Op op);
size_t attrs_bytes(AttrsKind kind); /* the bytes of its member of Attrs; 0: ATTRS_NONE */
int op_arity(Op op);                /* -1: any number from 1 */
/* Whether an element of the result needs only the element of the operand at the same index in
 * row-major order. */
bool op_stays_in_place(Op op);
uint32_t op_steps(Op op); /* the cost of an element: 1 is that of an addition */
ZeroRule op_zero(Op op);
/* false: the expansion pass must rewrite it before code is generated */
bool op_is_primitive(Op op);
bool op_is_differentiable(Op op); /* false: a gradient through it is zero */
bool op_from_name(const char *name, size_t length, Op *op);
const char *dtype_name(DType dtype);
bool dtype_from_name(const char *name, size_t length, DType *dtype);
size_t dtype_bytes(DType dtype);
double dtype_element(DType dtype, const void *data, int64_t at); /* as a number */

#endif
