#!/usr/bin/env bash
# Folds: mlc train --folds, mlc sweep --folds, and the settings data.folds and data.fold.
source "$(dirname "$0")/common.sh"

seq 0 102 | awk 'BEGIN { print "x,y,who,note" } { printf "%g,%d,%d,\"a, \"\"%d\"\"\"\n", sin($1), (sin($1) > 0), int($1 / 4), $1 }' >rows.csv
cat >rows.mdl <<'END'
mdl 1
param lr = 0.01
data {
    source = csv("rows.csv")
    field x = source |> columns(["x"])
    field y = source.y
    test = last(0.1)
    seed = 3
}
model rows(x) -> logits { logits = x |> dense(8) |> tanh |> dense(2) }
train {
    loss      = cross_entropy(logits, y)
    optimizer = adam(lr = lr)
    batch     = 16
    epochs    = 3
    metrics   = [accuracy(logits, y)]
}
END

# Every row that is not tested is predicted once, in the order of the file, by a network that was not trained on it.
expect 0 mlc train rows.mdl --folds 5 --out cv -q --set lr=0.02
says out "fold  " "valid_accuracy" "mean  " "deviation  " "cv: folds.csv, predictions.csv"
[[ $(cut -d, -f2 cv/predictions.csv | tail -n +2) == "$(seq 0 92)" ]] || fail "rows of the predictions: $(cut -d, -f2 cv/predictions.csv | tr '\n' ' ')"
[[ $(head -1 cv/predictions.csv) == fold,row,line,true,predicted,* ]] || fail "columns: $(head -1 cv/predictions.csv)"
[[ $(tail -n +2 cv/predictions.csv | cut -d, -f1 | sort | uniq -c | awk '{ print $1 }' | sort -u | tr '\n' ' ') == "18 19 " ]] || fail "sizes of folds"
mean=$(awk -F, 'NR > 1 { sum += $13 } END { printf "%.4f", sum / (NR - 1) }' cv/folds.csv)
expect 0 mlc train rows.mdl --folds 5 --out cv1 -q --set lr=0.02 --threads 1
grep '^mean' "$scratch/out" | grep -qF "$mean" || fail "the mean is not $mean: $(cat "$scratch/out")"
same cv/folds.csv cv1/folds.csv
same cv/predictions.csv cv1/predictions.csv

# A fold is the training with data.folds and data.fold, and its validation rows are those of its predictions.
expect 0 mlc train rows.mdl -q --out alone --set lr=0.02 --set data.folds=5 --set data.fold=4
same alone/last.safetensors cv/trials/000003/last.safetensors
expect 0 mlc predict alone --split valid --csv alone.csv -q
[[ $(cut -d, -f2- alone.csv | tail -n +2) == "$(grep '^4,' cv/predictions.csv | cut -d, -f2-)" ]] || fail "predictions of fold 4"

# Groups stay together.
expect 0 mlc train rows.mdl -q --folds 3 --out groups --set 'data.valid=group("who", 0.1)' --set train.epochs=1
awk -F, 'NR > 1 { who = int($2 / 4); if (who in fold && fold[who] != $1) exit 1; fold[who] = $1 }' groups/predictions.csv || fail "a group is in two folds"

# In a sweep the folds are repeats of a setting, for any number of workers.
sweep=(mlc sweep rows.mdl -q --set 'lr=0.01|0.1|0.3' --folds 3 --seeds 2 --halving 3 --set train.epochs=3)
expect 0 "${sweep[@]}" --out one --workers 1 --csv one.csv
says out "3 settings with 2 seeds and 3 folds: 24 trials finished" "+-"
expect 0 "${sweep[@]}" --out five --workers 5 --csv five.csv
same one.csv five.csv
[[ $(cut -d, -f1-5 one.csv | sed -n 6p) == "4,0,1,2,0.01" ]] || fail "the line of a fold: $(sed -n 6p one.csv)"
expect 0 mlc train rows.mdl -q --out again --set lr=0.1 --set train.epochs=3 --set train.seed=1 --set data.folds=3 --set data.fold=2
best=$(awk -F, '$5 == "0.1" && $3 == 1 && $4 == 2 && $7 == 1 { print $1 }' one.csv)
if [[ -n $best ]]; then same again/last.safetensors "one/trials/$(printf %06d "$best")/last.safetensors"; fi

# Wrong usage.
expect 3 mlc train rows.mdl --folds 5 --set 'data.valid=last(0.1)'
says err "folds are drawn by chance"
expect 4 mlc train rows.mdl -q --folds 100 --out many
says err "fold 100 of 100 has no row" "as many rows as folds"
[[ ! -e many ]] || fail "folds that cannot be dealt have a folder"
expect 3 mlc train rows.mdl --set data.fold=2
says err "'fold' needs 'folds'"
expect 3 mlc train rows.mdl --set data.folds=3 --set data.fold=4
says err "from 1 to 'folds'"
expect 2 mlc train rows.mdl --folds 5 --resume cv
says err "--folds and --resume exclude each other" "mlc sweep --join"
expect 2 mlc sweep rows.mdl --folds 5 --set 'data.fold=1|2'
says err "'data.fold' cannot be set as well"
expect 5 mlc train rows.mdl --folds 5 --out cv
says err "cv"

finish
