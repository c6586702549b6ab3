#!/usr/bin/env bash
# mlc export writes a trained network in files of other formats.
source "$(dirname "$0")/common.sh"

small_model
expect 0 mlc train small.mdl --out run -q

# The weights have the bits of the checkpoint, and the optimizer's states are left out.
expect 0 mlc export run --to w.safetensors
says out "w.safetensors: 4 tensors, 3,730 numbers, hash "
expect 0 mlc export run --to w.npz
says out "w.npz: 4 tensors, 3,730 numbers"
grep -q '"dense2.bias"' w.safetensors || fail "no dense2.bias in w.safetensors"
! grep -q 'adam' w.safetensors || fail "w.safetensors has states of the optimizer"
sed 's/epochs    = 3/epochs = 1/; s/adam(lr = lr)/sgd(lr = 0.0)/' small.mdl >still.mdl
expect 0 mlc train still.mdl --weights run --out from_run -q
expect 0 mlc train still.mdl --weights w.safetensors --out from_file
says err "weights: 4 of 4 tensors taken from w.safetensors"
same from_run/last.safetensors from_file/last.safetensors

# --checkpoint chooses; the same run gives the same bytes.
expect 0 mlc export run --to best.safetensors --checkpoint best
expect 0 mlc export run --to again.safetensors
expect 0 mlc export run --to again.npz
same w.safetensors again.safetensors
same w.npz again.npz

finish
