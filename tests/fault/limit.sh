#!/usr/bin/env bash
# A training with too little memory (ulimit -v): a known excess is refused with the sum, and any other failure ends with a
# documented status and one line, without leaving files behind.
source "$(dirname "$0")/../cli/common.sh"
small_model
sed 's/dense(24)/dense(20000) |> relu |> dense(20000)/' small.mdl >wide.mdl
sed 's/flatten |> dense(24)/conv(2048, 3)/; s/relu |>/relu |> flatten |>/; s/batch     = 50/batch     = 600/' small.mdl >long.mdl
limited() { bash -c "ulimit -v $1 && exec mlc train ${*:2}"; }

expect 5 limited 2500000 wide.mdl --out wide
says err "this needs 6.0" " GiB of memory (weights and optimizer state 6.00 GiB, activations " "), but only 2.38 GiB are available" \
    "a smaller network needs less, and so does an optimizer without moments, such as sgd"
expect 5 limited 900000 long.mdl --out long
says err "this needs " ", but only 878.91 MiB are available" "a smaller 'batch' needs less; 'accumulate' keeps the number of rows in a step"
[[ ! -e wide && ! -e long ]] || fail "a run that cannot be has a folder"

ended=
for ((limit = 90000; limit <= 420000; limit += 30000)); do
    status=0
    limited $limit small.mdl --out run --set train.epochs=1 -q >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    ended+=" $status"
    case $status in
    0) ;;
    4 | 5) [[ $(grep -c error "$scratch/err") == 1 ]] || fail "$limit KiB: $(cat "$scratch/err")" ;;
    127) ;; # the system cannot start the program
    *) fail "$limit KiB: ended with $status: $(cat "$scratch/err")" ;;
    esac
    [[ -z $(find . -name '*.tmp') ]] || fail "$limit KiB: a temporary file is left"
    rm -rf run
done
[[ $ended == *5*0 ]] || fail "no limit was too low, or none high enough:$ended"
finish
