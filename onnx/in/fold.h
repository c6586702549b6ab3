/* Folding: nodes that are computed while importing. Private to onnx/in; fold.c has the table. */
#ifndef MLC_ONNX_IN_FOLD_H
#define MLC_ONNX_IN_FOLD_H

#include "onnx/in/translate.h"

/* The largest number of elements that is computed. Larger results cannot be part of a shape or of a
 * small table. Elements of weights may only be moved. */
enum { FOLD_MAX = 1 << 24 };

/* Computes the output of a node whose inputs are constants; false after reporting an error. */
typedef bool Fold(Import *import, OpNode *node);
/* fold_moves.c: these move elements */
Fold fold_cast, fold_reshape, fold_unsqueeze, fold_squeeze, fold_flatten, fold_transpose,
    fold_gather, fold_concat, fold_slice;
/* fold_arithmetic.c: these compute numbers */
Fold fold_binary, fold_unary, fold_where, fold_trilu, fold_prod, fold_dequantize;

/* Makes this constant the output of the node; returns true. */
bool fold_give(OpNode *node, Tensor *constant);
/* A copy of a tensor that the caller may change. */
Tensor *fold_like(Import *import, const Tensor *from);
/* A new constant of whole numbers, which the caller fills. */
Tensor *fold_wholes(Import *import, int64_t count, int rank, const Dim *dims, Dim **wholes);
/* A new constant of `count` numbers of the kind of x, which the caller fills: *reals or *wholes,
 * the other is NULL. */
Tensor *fold_numbers(Import *import, const Tensor *x, int64_t count, float **reals, Dim **wholes);

#endif
