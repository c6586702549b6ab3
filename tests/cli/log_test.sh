#!/usr/bin/env bash
# log_every: lines about steps in metrics.jsonl; none is lost or doubled when a run is interrupted.
source "$(dirname "$0")/common.sh"
small_model
logged=(--set train.log_every=3 --set "train.optimizer=adam(cosine(0.01, warmup = 10))" --quiet)

# The content of a line without its time.
steps() { grep '"event":"step"' "$1/metrics.jsonl" | sed 's/,"seconds".*//'; }

# 13 batches an epoch: the count of steps continues across epochs. The rate is that of the step.
expect 0 mlc train small.mdl "${logged[@]}" --out short
[[ $(steps short | cut -d, -f2 | tr -dc '0-9\n' | tr '\n' ' ') == "3 6 9 12 15 18 21 24 27 30 33 36 39 " ]] || fail "steps: $(steps short)"
[[ $(steps short | sed -n 5p) == *'"step":15,"epoch":2,'* ]] || fail "epoch of step 15: $(steps short)"
steps short | sed -n 1p | grep -qF '"rate":0.003' || fail "the third of ten steps of warmup: $(steps short | sed -n 1p)"

# The loss is the mean over all rows since the previous line: with one line an epoch, it is that of the epoch.
expect 0 mlc train small.mdl -q --set train.log_every=13 --out epochs
value() { grep "\"event\":\"$1\"" epochs/metrics.jsonl | grep -o "\"$2\":[0-9.]*" | cut -d: -f2 | grep . | tr "\n" " "; }
[[ $(value step loss) == $(value epoch train_loss) ]] || fail "$(value step loss) and $(value epoch train_loss) differ"

# It changes no weight. With accumulate, a step is one change of the weights.
expect 0 mlc train small.mdl -q --out plain
for run in plain epochs; do mlc export $run --to $run.npz >/dev/null || fail "export of $run"; done
same plain.npz epochs.npz
expect 0 mlc train small.mdl -q --set train.log_every=1 --set train.accumulate=4 --set train.epochs=2 --out parts
[[ $(steps parts | cut -d, -f2 | tr -dc '0-9\n' | tr '\n' ' ') == "1 2 3 4 5 6 7 8 " ]] || fail "accumulated steps: $(steps parts)"

# A run in two halves, and runs that are stopped or killed, have the same lines and end in the same bytes.
long=("${logged[@]}" --set train.epochs=60)
expect 0 mlc train small.mdl "${long[@]}" --out whole
for signal in TERM KILL; do
    mlc train small.mdl "${long[@]}" --out "run_$signal" >/dev/null 2>&1 &
    for ((i = 0; i < 500; i++)); do [[ -s run_$signal/last.safetensors ]] && break; sleep 0.01; done
    kill "-$signal" $!
    wait $! 2>/dev/null
    expect 0 mlc train --resume "run_$signal" --quiet
    [[ $(steps "run_$signal") == "$(steps whole)" ]] || fail "SIG$signal: other lines than without it"
    same whole/last.safetensors "run_$signal/last.safetensors"
done
expect 0 mlc train small.mdl -q --set train.log_every=4 --set train.epochs=2 --out halves
expect 0 mlc train --resume halves -q --set train.epochs=4
expect 0 mlc train small.mdl -q --set train.log_every=4 --set train.epochs=4 --out unbroken
[[ $(steps halves) == "$(steps unbroken)" ]] || fail "two halves: other lines"
same halves/last.safetensors unbroken/last.safetensors
sed 's/"log_rows":"[0-9]*"/"log_rows":"-1"/' <(cat run_TERM/last.safetensors) >damaged
grep -qa log_rows damaged && { cp damaged run_TERM/last.safetensors; expect 5 mlc train --resume run_TERM --set train.epochs=61; says err "damaged" "log_rows"; }

# The curves have the steps, also those before an interruption.
mkdir once twice without
(cd once && mlc train ../small.mdl -q --out r --set train.log_every=2 >/dev/null)
(cd twice && mlc train ../small.mdl -q --out r --set train.log_every=2 --set train.epochs=2 && mlc train --resume r -q --set train.epochs=3) >/dev/null
(cd without && mlc train ../small.mdl -q --out r >/dev/null)
same once/r/curves.png twice/r/curves.png
cmp -s once/r/curves.png without/r/curves.png && fail "the curves do not have the steps"

# Commands that read runs accept lines of both kinds; --json prints them.
expect 0 mlc runs short parts
says out "short  small  done      3/3"
expect 0 mlc compare short epochs
says out "test_loss after epoch"
expect 0 mlc eval short
expect 0 mlc train small.mdl -q --json --set train.log_every=20 --set train.epochs=2 --out told
says out '{"event":"step","step":20,"epoch":2,"loss":' '"rate":0.01,'
finish
