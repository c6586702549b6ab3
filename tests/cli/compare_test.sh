#!/usr/bin/env bash
# mlc compare shows runs side by side.
source "$(dirname "$0")/common.sh"

small_model
expect 0 mlc train small.mdl -q --out a --set train.epochs=2
expect 0 mlc train small.mdl -q --out b --set train.epochs=15 --set lr=0.02

expect 0 mlc compare a b --png both.png
there both.png
line() { grep -E "^$1 " "$scratch/out" | tr -s ' '; }
[[ $(line lr) == "lr - 0.02" ]] || fail "settings: $(line lr)"
[[ $(line train.epochs) == "train.epochs 2 15" ]] || fail "settings: $(line train.epochs)"
[[ $(line state) == "state done done" ]] || fail "states: $(line state)"
[[ $(line test_accuracy | wc -w) == 3 ]] || fail "metrics: $(line test_accuracy)"
says out "best epoch" "test_loss after epoch"

# At most twelve epochs are shown, always with the last one; the shorter run has no values there.
[[ $(sed '1,/after epoch/d' "$scratch/out" | grep -cE '^[0-9]') == 12 ]] || fail "epochs: $(cat "$scratch/out")"
[[ $(line 15 | wc -w) == 2 ]] || fail "the last epoch: $(line 15)"

# For runs of different models, the metrics of both are shown.
sed 's/metrics   = .*/metrics   = [f1(logits, label)]/' small.mdl >other.mdl
expect 0 mlc train other.mdl -q --out c --set train.epochs=1
expect 0 mlc compare a b c
says out "test_accuracy" "test_f1"

expect 5 mlc compare a nothing
says err "'nothing' is not the folder of a run" "mlc runs"
expect 2 mlc compare a
expect 2 mlc compare a b a b a b a b a
expect 5 mlc compare a b --png no/such/folder.png

finish
