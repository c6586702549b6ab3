#!/usr/bin/env bash
# Threads, levels and backends never change a bit.
source "$(dirname "$0")/common.sh"
small_model

hash_of() { mlc run small.mdl --seed 3 --steps 5 "$@" 2>"$scratch/err" | grep '^hash' || cat "$scratch/err"; }
reference=$(hash_of --backend ref)
[[ $reference == "hash "* ]] || fail "ref prints no hash: $reference"
for arguments in "-O 0" "-O 1" "-O 2" "-O 3" "--threads 1" "--threads 2" "--threads 3" "--skip simplify" "--skip layout"; do
    # shellcheck disable=SC2086
    hash=$(hash_of $arguments)
    [[ $hash == "$reference" ]] || fail "mlc run $arguments: '$hash', the reference is '$reference'"
done
for cpu in x86-64 x86-64-v2 x86-64-v3 x86-64-v4; do # as far as this machine can
    hash=$(hash_of --cpu "$cpu")
    [[ $hash == "$reference" || $hash == *"cannot run code"* ]] || fail "code for $cpu: '$hash', the reference is '$reference'"
done
[[ $(hash_of --seed 4) != "$reference" ]] || fail "the hash does not depend on the seed"
expect 0 mlc run small.mdl --backend f64
says out "loss"

for arguments in "--threads 1" "--threads 2" "--threads 3" "-O 0"; do
    # shellcheck disable=SC2086
    expect 0 mlc train small.mdl --quiet $arguments --out "run ${arguments// /}"
    same "run --threads1/last.safetensors" "run ${arguments// /}/last.safetensors"
done

# A graph in text form is the same graph.
mlc dump-ir small.mdl >small.ir || fail "dump-ir"
[[ $(mlc run small.ir --seed 3 --steps 5 | grep '^hash') == "$reference" ]] || fail "the graph in text form has another hash"
finish
