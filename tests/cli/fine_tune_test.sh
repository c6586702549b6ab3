#!/usr/bin/env bash
# A training that begins with the weights of another, some of which stay as they are: `weights`, `freeze`, --weights, --map.
source "$(dirname "$0")/common.sh"

# Four squares of the plane are four classes; for the second network the upper ones are one class, and there are few rows.
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 400; i++) { a = i * 37 % 101 / 50 - 1; b = i * 53 % 97 / 48 - 1; print a "," b "," (a > 0) + 2 * (b > 0) } }' >many.csv
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 40; i++) { a = i * 41 % 101 / 50 - 1; b = i * 59 % 97 / 48 - 1; print a "," b "," (b > 0) } }' >few.csv
model() { # NAME DATA LAYERS TRAIN
    cat >"$1.mdl" <<END
mdl 1
data { source = csv("$2"); field x = columns(source, ["a", "b"]); field y = source.y }
model net(x) -> logits { logits = x |> $3 }
train { loss = cross_entropy(logits, y); batch = 16; metrics = [accuracy(logits, y)]; $4 }
END
}
body='dense(16) |> batch_norm |> relu |> dense(16) |> relu'
model base many.csv "$body |> dense(4)" 'optimizer = adam(0.01); epochs = 20'
model new few.csv "$body |> dense(2)" 'optimizer = adam(0.02); epochs = 30; weights = "base"; freeze = [dense1, "batch*", "dense2"]'
expect 0 mlc train base.mdl --out base -q
expect 0 mlc train new.mdl --out new
says err "weights: 8 of 10 tensors taken from base/last.safetensors" \
    "starts anew: dense3.weight is f32[2,16] here and f32[4,16] there" "starts anew: dense3.bias is f32[2] here and f32[4] there"

# The bits of a tensor, from a checkpoint.
tensor() { # FILE NAME
    local header length begin end
    length=$(od -An -tu8 -N8 "$1") header=$(head -c $((8 + length)) "$1" | tail -c +9)
    read -r begin end <<<"$(grep -oP "\"$2\":\{[^}]*\"data_offsets\":\[\K[0-9,]+" <<<"$header" | tr , ' ')"
    tail -c +$((9 + length + begin)) "$1" | head -c $((end - begin)) | od -An -tx4
}
kept="dense1.weight dense1.bias batch_norm1.weight batch_norm1.bias batch_norm1.running_mean batch_norm1.running_var dense2.weight dense2.bias"
for name in $kept; do
    [[ $(tensor base/last.safetensors "$name") ]] || fail "$name is not in the checkpoint"
    [[ $(tensor base/last.safetensors "$name") == "$(tensor new/last.safetensors "$name")" ]] || fail "$name has changed"
done
expect 0 mlc eval new --split train --json
accuracy=$(grep -o '"accuracy":[0-9.]*' "$scratch/out" | cut -d: -f2)
awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.95) }' || fail "accuracy of the new head: $accuracy"

# Frozen layers have no moments, no gradients, and the summary says how many weights stay.
expect 0 mlc summary new.mdl
says out "not trained" "352"
! grep -q 'adam.m.dense1' new/last.safetensors || fail "a frozen weight has moments"

# The command line instead of the key: the same bits; a resumed run goes on with its own weights.
sed 's/weights = "base"; //' new.mdl >option.mdl
expect 0 mlc train option.mdl --weights base --out option -q
expect 0 mlc train option.mdl --weights base/last.safetensors --set train.epochs=20 --out resumed -q
expect 0 mlc train --resume resumed --set train.epochs=30 -q
for name in dense3.weight dense3.bias; do
    [[ $(tensor new/last.safetensors "$name") == "$(tensor option/last.safetensors "$name")" ]] || fail "--weights: other bits"
    [[ $(tensor new/last.safetensors "$name") == "$(tensor resumed/last.safetensors "$name")" ]] || fail "--resume: other bits"
done

# A frozen random layer changes nothing else: its values are those of the seed.
expect 0 mlc train base.mdl --set 'train.freeze="dense2.weight"' --set train.epochs=1 --out partly -q
expect 0 mlc train base.mdl --set 'train.freeze="dense2.weight"' --set train.epochs=2 --out partly2 -q
[[ $(tensor partly/last.safetensors dense2.weight) == "$(tensor partly2/last.safetensors dense2.weight)" ]] || fail "dense2.weight is trained"
[[ $(tensor partly/last.safetensors dense2.bias) != "$(tensor partly2/last.safetensors dense2.bias)" ]] || fail "dense2.bias is not trained"

# Names of layers and tensors can be given.
model turned many.csv "dense(16) |> relu |> dense(4)" 'optimizer = adam(0.01); epochs = 1'
expect 0 mlc train turned.mdl --weights base --map dense3=dense2 --out turned
says err "weights: 4 of 4 tensors taken" "not used: dense2.weight f32[16,16]" "not used: batch_norm1.running_var f32[16]"
expect 0 mlc train turned.mdl --weights base --map dense3.bias=dense2.bias --out turned2
says err "weights: 3 of 4 tensors taken" "starts anew: dense2.weight is f32[4,16] here and f32[16,16] there"

# What cannot be
expect 2 mlc train new.mdl --map nothing=dense1 --out bad
says err "base/last.safetensors has no tensor or layer 'nothing'"
expect 2 mlc train new.mdl --map dense1=nothing --out bad
says err "the model has no tensor or layer 'nothing'"
expect 2 mlc train new.mdl --map dense1 --out bad
says err "--map takes OLD=NEW, not 'dense1'"
expect 2 mlc train option.mdl --map dense1=dense2 --out bad
says err "--map has no file"
expect 2 mlc train --resume new --weights base
says err "exclude each other"
expect 5 mlc train new.mdl --weights nowhere --out bad
says err "cannot read 'nowhere'"
expect 5 mlc train new.mdl --weights . --out bad
says err "cannot read './last.safetensors'"
expect 5 mlc train new.mdl --weights many.csv --out bad
says err "not a sound safetensors file"
model other many.csv "dense(5) |> relu |> dense(4)" 'optimizer = adam(0.01)'
expect 5 mlc train other.mdl --weights base --out bad
says err "nothing in 'base/last.safetensors' fits the model by name and shape"
[[ ! -e bad ]] || fail "a failed start left a folder"

finish
