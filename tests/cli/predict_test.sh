#!/usr/bin/env bash
# Predictions as text, JSON and pictures; pictures as input.
source "$(dirname "$0")/common.sh"
small_model
expect 0 mlc train small.mdl --quiet --out run

expect 0 mlc predict run
says out "predicted" "of 50 correct"
says out "the first 50 of 203 test rows; --all shows all"
expect 0 mlc predict run --all
[[ $(grep -c '%' "$scratch/out") == 203 ]] || fail "--all does not show 203 rows"
! grep -q 'the first' "$scratch/out" || fail "--all leaves rows out"
expect 0 mlc predict run --json
[[ $(wc -l <"$scratch/out") == 203 ]] || fail "--json does not print a line for each of 203 rows"
expect 2 mlc predict run --all --index 3
says err "--index and --all exclude each other"
expect 0 mlc predict run --index 3..5 --json
[[ $(wc -l <"$scratch/out") == 3 ]] || fail "--index 3..5 prints another number of lines than 3"
says out '"index":3' '"true"' '"predicted"' '"probabilities":['
expect 0 mlc predict run --index 7
says out "%" "true"
expect 2 mlc predict run --index 200..203
says err "rows 0 to 202"
expect 2 mlc predict run --index 5..3
expect 2 mlc predict run --index x

expect 0 mlc predict run --png grid.png --index 0..29
there grid.png
# mlc reads its own drawing: any picture is converted to the model's input.
expect 0 mlc predict run grid.png --json
says err "converted to 12x12 grey" "light"
says out '"file":"grid.png"' '"predicted"'
expect 0 mlc predict run run/curves.png --png one.png
there one.png
expect 2 mlc predict run small.mdl
says err "not a picture, and its name is not that of a table or array"
cp small.mdl text.png
expect 4 mlc predict run text.png
says err "it is not a picture"
head -c 300 grid.png >cut.png
expect 4 mlc predict run cut.png
expect 4 mlc predict run nothing.png
expect 5 mlc predict nowhere
says err "not the folder of a run"
expect 5 mlc predict run --png nowhere/grid.png

# A picture that cannot be read is an error, and other data are not taken for those of the run.
mkdir pictures && ln -s nothing pictures/1.png
expect 4 mlc predict run pictures
says err "cannot read 'pictures/1.png': No such file or directory"
rm run/metrics.jsonl && mkdir run/metrics.jsonl
expect 5 mlc predict run
says err "cannot read 'run/metrics.jsonl': Is a directory"
finish
