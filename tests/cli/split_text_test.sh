#!/usr/bin/env bash
# Splits by a column of text: eval, predict and --resume deal the rows as the training did, although the checkpoint has only
# the categories of the training rows.
source "$(dirname "$0")/common.sh"

# Clinics are not in the order of their names; the kind "rare" is in the last row only.
awk -v OFS=, 'BEGIN { print "a,clinic,part,kind,y"; split("Wien,Graz,Linz,Bregenz,Eisenstadt", name, ","); split("train,Train,val,test,train", part, ",")
    for (i = 0; i < 60; i++) print i % 7, name[int(i / 4) % 5 + 1], part[i % 5 + 1], i == 59 ? "rare" : i % 2 ? "odd" : "even", i % 3 }' >rows.csv

# deals KEYS TRAIN VALID TEST: the rows of each split, the same during the training and afterwards
deals() {
    cat >m.mdl <<END
mdl 1
data { source = csv("rows.csv"); field x = unsqueeze(source.a, 1); field y = source.y; $1; seed = 3 }
model m(x) -> p { p = dense(x, 3) }
train { loss = cross_entropy(p, y); optimizer = sgd(0.1); epochs = 2 }
END
    rm -rf run longer
    expect 0 mlc data m.mdl --rows 0
    says out "$2 train rows, $3 valid, $4 test"
    expect 0 mlc train m.mdl --out run -q
    local split=test rows=$4
    (($4)) || { split=valid; rows=$3; }
    expect 0 mlc eval run --split $split --json
    grep -qF "\"loss\":$(grep -o "\"${split}_loss\":[^,}]*" run/metrics.jsonl | tail -1 | cut -d: -f2)" "$scratch/out" ||
        fail "$1: eval has another loss than the training"
    expect 0 mlc predict run --split $split --json
    [[ $(wc -l <"$scratch/out") == "$rows" ]] || fail "$1: predict has other rows"
    expect 0 mlc train m.mdl --set train.epochs=4 --out longer -q
    expect 0 mlc train --resume run --set train.epochs=4 -q
    same run/last.safetensors longer/last.safetensors
}

deals 'test = column(source.part)' 36 12 12
deals 'valid = column(source.part)' 36 12 12
deals 'test = group(source.clinic, 2)' 36 0 24
deals 'valid = group(source.clinic, 1); test = group(source.clinic, 1)' 36 12 12
deals 'test = last(10); valid = group(source.clinic, 1)' 38 12 10
deals 'test = last(10); valid = stratified(source.kind, 0.2)' 38 12 10

finish
