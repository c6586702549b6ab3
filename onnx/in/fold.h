/* Folding: nodes that are computed while importing. Private to onnx/in; fold.c has the table. */
#ifndef MLC_ONNX_IN_FOLD_H
#define MLC_ONNX_IN_FOLD_H

#include "onnx/in/translate.h"

/* The largest number of elements that is computed. Larger results cannot be part of a shape or of a
 * small table. Elements of weights may only be moved. */
enum { FOLD_MAX = 1 << 24 };
/* The largest constant that is made of a smaller one. */
enum { FOLD_SMALL = 1 << 16 };

/* Computes the output of a node whose inputs are constants; false after reporting an error. */
typedef bool Fold(Import *import, OpNode *node);
/* fold_moves.c: these give all elements another kind, shape or order */
Fold fold_cast, fold_reshape, fold_unsqueeze, fold_squeeze, fold_flatten, fold_transpose;
/* fold_parts.c: these take parts, repeat and join */
Fold fold_gather, fold_slice, fold_split, fold_pad, fold_tile, fold_expand, fold_concat;
/* fold_arithmetic.c: these compute numbers */
Fold fold_binary, fold_unary, fold_where, fold_trilu, fold_reduce, fold_cumsum, fold_nonzero,
    fold_dequantize;

/* Makes this constant the first output of the node; returns true. */
bool fold_give(OpNode *node, Tensor *constant);
void fold_give_output(OpNode *node, uint32_t which, Tensor *constant);
/* A copy of a tensor that the caller may change. */
Tensor *fold_like(Import *import, const Tensor *from);
/* A new constant of whole numbers, which the caller fills. */
Tensor *fold_wholes(Import *import, int64_t count, int rank, const Dim *dims, Dim **wholes);
/* A new constant of `count` numbers of the kind of x, which the caller fills: *reals or *wholes,
 * the other is NULL. */
Tensor *fold_numbers(Import *import, const Tensor *x, int64_t count, float **reals, Dim **wholes);
/* For each element of a padded axis the one that it comes from, -1: none. NULL after reporting
 * that there are too many. */
const int64_t *fold_pads(const Import *import, const OpNode *node, int64_t before, int64_t size,
                         int64_t after);
/* The number of elements of a shape, at most FOLD_MAX + 1. */
int64_t fold_elements(int rank, const Dim *dims);
/* The index in a broadcast tensor of the element that becomes element `at` of the result. */
int64_t fold_place(const Tensor *tensor, int rank, const Dim *dims, int64_t at);

#endif
