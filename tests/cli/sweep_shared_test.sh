#!/usr/bin/env bash
# Trials of a sweep share data and compiled code. Their bits are those of mlc train with the same values.
source "$(dirname "$0")/common.sh"

small_model
cat >shared.mdl <<'END'
mdl 1
param lr = 0.01
param p = 0.2
param decay = 0.01
param hidden = 24

data {
    source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)
    field image = source.image / 255
    field label = source.label
}

model shared(image) -> logits {
    logits = image |> flatten |> dense(hidden) |> relu |> dropout(p) |> dense(10)
}

train {
    loss      = cross_entropy(logits, label)
    optimizer = adamw(lr = cosine(lr, warmup = 0.1), decay = decay)
    clip_norm = 5.0
    batch     = 50
    epochs    = 2
    seed      = 7
    metrics   = [accuracy(logits, label)]
}
END

# The --set options of a trial, one a line.
sets_of() {
    python3 - "$1" "$2" <<'END'
import json, sys
plan, trial = json.load(open(sys.argv[1] + "/sweep.json")), int(sys.argv[2])
print(*plan["settings"][trial // plan["seeds"]], sep="\n")
if plan["seeds"] > 1:
    print("train.seed=%d" % (plan["first_seed"] + trial % plan["seeds"]))
END
}

# as_alone SWEEP MODEL TRIAL...: mlc train gives the same bits for these trials.
as_alone() {
    local sweep=$1 model=$2 trial set sets
    shift 2
    for trial; do
        sets=()
        while read -r set; do sets+=(--set "$set"); done < <(sets_of "$sweep" "$trial")
        rm -rf alone
        expect 0 mlc train "$model" -q --out alone "${sets[@]}"
        same alone/last.safetensors "$sweep/trials/$(printf %06d "$trial")/last.safetensors"
        same alone/best.safetensors "$sweep/trials/$(printf %06d "$trial")/best.safetensors"
    done
}

compiled() { grep -c ' kernels, ' "$scratch/err"; }

# Numbers of the optimizer, of dropout, of clipping and of the schedule, the seed and the epochs need one set of programs:
# the steps and the evaluations of a full batch and of the last one.
expect 0 mlc sweep shared.mdl -v --out numbers --workers 1 --trials 8 --seeds 2 --set 'lr=log(1e-4, 1e-1)' --set 'p=0.1..0.5' \
    --set 'decay=1e-3..1e-1' --set 'train.clip_norm=0.5..5.0' --set 'train.epochs=1..3'
[[ $(compiled) == 4 ]] || fail "16 trials of one shape compiled $(compiled) programs: $(cat "$scratch/err")"
as_alone numbers shared.mdl 0 5 10 15

# A number that removes a part of the step, and another width, need further programs; each is compiled once.
expect 0 mlc sweep shared.mdl -v --out shapes --workers 1 --set 'p=0.0|0.2|0.3' --set 'hidden=8|16' --set 'decay=0.0|0.01' --set train.epochs=1
[[ $(compiled) -le 20 ]] || fail "12 trials of 8 shapes compiled $(compiled) programs"
as_alone shapes shared.mdl 0 5 10 11

# Code from the cache on disk serves other values as well.
expect 0 mlc sweep shared.mdl -v --out again --workers 1 --trials 2 --seed 5 --set 'lr=log(1e-4, 1e-1)' --set 'p=0.1..0.5' --set 'decay=1e-3..1e-1' \
    --set 'train.clip_norm=0.5..5.0'
[[ $(grep -c 'from the cache' "$scratch/err") == 4 ]] || fail "code in the cache was compiled again: $(cat "$scratch/err")"
as_alone again shared.mdl 1

# Data are read once for all seeds. A split that depends on the seed of the trial is read again.
seq 0 199 | awk 'BEGIN { print "x,y" } { print $1 / 100 "," $1 % 7 }' >rows.csv
cat >rows.mdl <<'END'
mdl 1
param lr = 0.01
data {
    source = csv("rows.csv")
    field x = source |> columns(["x"]) |> standardize
    field y = source.y
    test = 0.25
}
model rows(x) -> logits { logits = x |> dense(8) |> tanh |> dense(7) }
train {
    loss      = cross_entropy(logits, y)
    optimizer = sgd(lr = lr, momentum = 0.9)
    batch     = 32
    epochs    = 2
}
END
expect 0 mlc sweep rows.mdl -v --out rows --workers 1 --seeds 3 --set 'lr=0.1|0.01|0.02'
[[ $(grep -c 'data read' "$scratch/err") -le 3 ]] || fail "data were read too often: $(cat "$scratch/err")"
[[ $(compiled) -le 4 ]] || fail "9 trials compiled $(compiled) programs: $(cat "$scratch/err")"
as_alone rows rows.mdl 0 1 5 8

finish
