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

# GGUF: the header, the texts, and dense1.bias, whose 24 numbers are the first data
expect 0 mlc export run --to w.gguf
says out "w.gguf: 4 tensors, 3,730 numbers, hash "
hash_of() { mlc export run --to "$1" | sed 's/.*hash//'; }
[[ $(hash_of w.gguf) == "$(hash_of w.npz)" ]] || fail "the hash is of the file, not of the weights"
number() { od -An -v -t "u$2" -j "$1" -N "$2" w.gguf | tr -d ' '; }
[[ $(head -c 4 w.gguf) == GGUF && $(number 4 4) == 3 && $(number 8 8) == 4 && $(number 16 8) == 2 ]] || fail "the header of w.gguf"
grep -qa 'general.architecture.*mlc.*general.name.*small' w.gguf || fail "no texts in w.gguf"
begin=$(($(stat -c %s w.gguf) - 4 * 3730 - 24)) # 24 bytes align dense2.bias, which has 10 numbers
[[ $((begin % 32)) == 0 ]] || fail "the data of w.gguf are not aligned"
tail -c $((4 * 3730)) w.safetensors | head -c 96 >bias # the first data there, too
tail -c +$((begin + 1)) w.gguf | head -c 96 | cmp - bias || fail "dense1.bias of w.gguf has other bits"
sed 's/logits = image/a_weight_whose_name_is_very_long_and_goes_on_for_more_than_63_bytes = weight([1], init = ones)\n    &/
    s/dense(10)$/dense(10) |> multiply(a_weight_whose_name_is_very_long_and_goes_on_for_more_than_63_bytes)/' small.mdl >long.mdl
printf 'def multiply(x, by) = x * by\n' >>long.mdl
expect 0 mlc train long.mdl --out long --set train.epochs=1 -q
expect 5 mlc export long --to long.gguf
says err "has a name of more than 63 bytes" "weights.safetensors"
[[ ! -e long.gguf ]] || fail "a file is left"

# --checkpoint chooses; the same run gives the same bytes.
expect 0 mlc export run --to best.safetensors --checkpoint best
expect 0 mlc export run --to again.safetensors
expect 0 mlc export run --to again.npz
same w.safetensors again.safetensors
same w.npz again.npz
expect 0 mlc export run --to again.gguf
same w.gguf again.gguf

finish
