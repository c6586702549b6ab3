#!/usr/bin/env bash
# mlc train --find-lr tries rates from tiny to large and suggests one. It makes no run.
source "$(dirname "$0")/common.sh"
small_model

# 13 steps an epoch: eight passes make 104 steps, from 1e-7 to 10 by a constant factor, unless the loss rises before.
expect 0 mlc train small.mdl --find-lr -q --png rates.png
says out "suggested rate: 0.0" "up to which the loss is low" "mlc train small.mdl --set lr=0.0" "log10(rate)"
there rates.png
[[ $(ls) == $'images\nlabels\nrates.png\nsmall.mdl\ntest_images\ntest_labels' ]] || fail "files: $(ls)"
setting=$(sed -n 's/.*--set //p' "$scratch/out")
expect 0 mlc train small.mdl -q --set "$setting" --expect 'accuracy>=0.9'
expect 0 mlc train small.mdl --find-lr -q --json --threads 1
cp "$scratch/out" one
rate() { sed -n "$1p" one | grep -o '"rate":[^,]*' | cut -d: -f2; }
[[ $(rate 1) == 1e-7 ]] || fail "the first rate is $(rate 1)"
awk -v a="$(rate 1)" -v b="$(rate 40)" 'BEGIN { r = b / a / (1e8 ^ (39 / 103)); exit !(r > 0.9999 && r < 1.0001) }' || fail "the 40th rate is $(rate 40)"
says out '"event":"suggestion"' '"nonfinite":false' "\"set\":\"$setting\""

# The same bits on any number of threads, and no effect on a later training.
expect 0 mlc train small.mdl --find-lr -q --json --threads 3
same one "$scratch/out"

# Any optimizer; the suggested option replaces the rate in its place.
suggests() {
    expect 0 mlc train small.mdl --find-lr -q --set "train.optimizer=$1"
    says out "$2"
}
suggests "sgd(0.1, momentum = 0.9)" "--set 'train.optimizer=sgd("
suggests "adamw" "--set 'train.optimizer=adamw(lr = 0.0"
suggests "rmsprop(decay = 1e-4)" "--set 'train.optimizer=rmsprop(lr = 0.0"
suggests "adam(cosine(lr, warmup = 0.1))" "--set lr=0.0"
suggests "adagrad(lr = one_cycle(0.1))" "--set 'train.optimizer=adagrad(lr = one_cycle(0."
suggests "adam(lr * 0.5)" "the model computes its rate: make this the highest one"
expect 0 mlc train small.mdl --find-lr -q --set train.accumulate=4
says out "suggested rate"

# A loss that becomes NaN or infinite ends the test; one that never falls gives no suggestion.
expect 0 mlc train small.mdl --find-lr -q --json --set "train.loss=exp(exp(6.0 * mean(image * image)) * 0.0) * mse(logits, one_hot(label, 10)) ** 8"
says out '"event":"suggestion"'
expect 0 mlc train small.mdl --find-lr -q --set "train.loss=mse(logits, one_hot(label, 10)) ** 64 + 0.0"
expect 0 mlc train small.mdl --find-lr -q --set "train.loss=cross_entropy(logits * 1e-12, label)"
says out "the loss falls at no rate" "no rate is suggested"
expect 6 mlc train small.mdl --find-lr -q --set "train.loss=log(mean(logits) * 0.0 - 1.0)"
says err "the loss of the first step is not finite"

# Options that cannot be combined.
expect 2 mlc train small.mdl --find-lr --out run
says err "--find-lr and --out exclude each other: no run is made"
expect 2 mlc train --find-lr --resume run
expect 2 mlc train small.mdl --png curves.png
says err "--png draws the losses of --find-lr" "curves.png of its folder"
expect 5 mlc train small.mdl --find-lr -q --png nothing/rates.png
says err "nothing/rates.png"
finish
