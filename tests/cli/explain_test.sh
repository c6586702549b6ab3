#!/usr/bin/env bash
# mlc explain on the functions of the language.
source "$(dirname "$0")/common.sh"

expect 0 mlc explain
says out "Layers" "batch_norm" "cross_entropy" "orthogonal" "one_cycle"
expect 0 mlc explain dense
says out "dense(x: tensor, width: int" "formula: y = x @ transpose(weight) + bias" "example: dense(x, 3)    # x f32[N,8] -> f32[N,3]" \
    "built in; its ops are" "matmul"
expect 0 mlc explain silu
says out "example: silu(x)" "def silu(x) = x * sigmoid(x)"
expect 0 mlc explain exp
says out "e to the power x" "example: exp(x)"
expect 0 mlc explain mnist
says out "handwritten digits"
expect 2 mlc explain layer_norn
says err "the library has no function 'layer_norn'" "did you mean 'layer_norm'?"
expect 2 mlc explain zzzzzzzz
says err "'mlc explain' lists all of them"
expect 2 mlc explain one two
# Helpers of the library are explained, but are neither in the list nor in the manual.
expect 0 mlc explain of_class
says out "helper: losses are made with it"
expect 0 mlc explain
grep -qw of_class "$scratch/out" && fail "the list has a helper"
grep -q '^### of_class' "$root/docs/library.md" && fail "the manual has a helper"
expect 0 mlc explain --manual
same "$scratch/out" "$root/docs/library.md"
finish
