#!/usr/bin/env bash
# Training from a text file to a run folder, and the commands that read it afterwards.
source "$(dirname "$0")/common.sh"
small_model

expect 0 mlc train small.mdl
says out "test accuracy" "epochs" "runs/1"
says err "untrained" " 1/3 " " 3/3 " "rows/s"
there runs/1/{resolved.mdl,metrics.jsonl,last.safetensors,curves.png}
[[ $(grep -c '"event":"epoch"' runs/1/metrics.jsonl) == 4 ]] || fail "metrics.jsonl holds another number of epochs than 0 to 3"
[[ $(head -n 1 runs/1/metrics.jsonl) == '{"event":"start"'* ]] || fail "metrics.jsonl does not begin with the start"
[[ $(tail -n 1 runs/1/metrics.jsonl) == '{"event":"end","result":"done"'* ]] || fail "metrics.jsonl does not end with the end"

# The resolved text is a complete model, and the next run gets the next number.
expect 0 mlc train small.mdl --json --quiet --set lr=0.02 --set train.epochs=1
[[ ! -s $scratch/err ]] || fail "--quiet is not quiet: $(cat "$scratch/err")"
[[ $(grep -c '^{.*}$' "$scratch/out") == $(wc -l <"$scratch/out") ]] || fail "--json prints something else than JSON lines"
[[ $(grep -c '"event":"epoch"' "$scratch/out") == 2 ]] || fail "--json prints another number of epochs than 0 and 1"
same "$scratch/out" runs/2/metrics.jsonl
grep -q 'lr *= *0.02' runs/2/resolved.mdl || fail "resolved.mdl does not hold the value that was set"
cp runs/2/resolved.mdl again.mdl && expect 0 mlc check again.mdl

# --out and --expect
expect 0 mlc train small.mdl --quiet --out named --expect 'accuracy>=0.9' --expect 'loss<=1'
there named/last.safetensors
expect 7 mlc train small.mdl --quiet --set train.epochs=1 --expect 'accuracy>=1.01'
says err "expected at least 1.01"
expect 2 mlc train small.mdl --expect 'acuracy>=0.9'
says err "did you mean 'accuracy'?"
expect 2 mlc train small.mdl --expect accuracy
expect 5 mlc train small.mdl --out named
says err "mlc train --resume named"

# eval
expect 0 mlc eval named --confusion
says out "test split, 203 rows" "accuracy" "standard error" "recall"
expect 0 mlc eval named --split train --json
says out '"split":"train"' '"rows":610' '"accuracy_standard_error"'
expect 2 mlc eval named --split valid
expect 0 mlc eval named --checkpoint best
says out "best.safetensors"
expect 0 mlc eval named --json
evaluated=$(grep -o '"loss":[0-9.e-]*' "$scratch/out" | cut -c 8-)
trained=$(grep -o '"test_loss":[0-9.e-]*' named/metrics.jsonl | tail -n 1 | cut -d : -f 2)
[[ $evaluated == "$trained" ]] || fail "eval finds the loss $evaluated, train found $trained"

# Facts that are known before the training.
expect 0 mlc check small.mdl
says out "small.mdl: ok" "3,730 weights" "image f32[1,12,12] -> logits f32[10]"
expect 0 mlc summary small.mdl
says out "dense1" "f32[50,24]" "3,480" "6,936" "14,920 bytes" "29,840 bytes" "117,885 bytes" "activations" "total on" "kernels" "barrier"

# A run that was moved still finds its data; without data there is an error.
mkdir elsewhere && mv named elsewhere/moved
cd elsewhere && expect 0 mlc eval moved && cd ..
mv test_images hidden
expect 4 mlc eval elsewhere/moved
says err "test_images"
mv hidden test_images
# The picture of the curves has a panel for the loss and for each metric that is a number, three in a row.
size_of() { od -An -tu1 -j16 -N8 "$1" | awk '{ print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4, $5 * 16777216 + $6 * 65536 + $7 * 256 + $8 }'; }
metrics='accuracy(logits, label), top_k(logits, label, 2), top_k(logits, label, 3), f1(logits, label)'
expect 0 mlc train small.mdl --set "train.metrics=[$metrics]" --set train.epochs=1 --out five -q
expect 0 mlc train small.mdl --set 'train.metrics=[accuracy(logits, label)]' --set train.epochs=1 --out two -q
read -r five_width five_height <<<"$(size_of five/curves.png)"
read -r two_width two_height <<<"$(size_of two/curves.png)"
((2 * five_width == 3 * two_width && five_height > two_height * 3 / 2)) ||
    fail "curves of five values: $five_width x $five_height, of two: $two_width x $two_height"

finish
