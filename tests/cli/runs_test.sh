#!/usr/bin/env bash
# mlc runs prints a table of runs.
source "$(dirname "$0")/common.sh"

small_model
expect 0 mlc train small.mdl -q --set train.epochs=1
expect 0 mlc train small.mdl -q --set train.epochs=2 --set lr=0.02
expect 0 mlc train small.mdl -q --out deep/er/run --set train.epochs=2 --set lr=0.02

# Runs are found in runs/, and below other folders.
expect 0 mlc runs
says out "runs/1  small  done      1/1" "train.epochs=2 lr=0.02"
expect 0 mlc runs runs deep/
says out "runs/2 " "deep/er/run "

# Equal trainings have equal hashes, different ones do not.
expect 0 mlc runs runs deep --csv table.csv
[[ $(cut -d, -f9 table.csv | tail -2 | sort -u | wc -l) == 1 ]] || fail "equal runs with different hashes"
[[ $(cut -d, -f9 table.csv | sort -u | wc -l) == 3 ]] || fail "different runs with equal hashes"

expect 0 mlc runs runs deep --csv -
same "$scratch/out" table.csv
[[ ! -e - ]] || fail "--csv - has written a file"

# Sorting: by number, downwards, and by name with numbers by value.
mkdir -p many && for i in 2 10 1; do cp -r runs/1 many/$i; done
expect 0 mlc runs many --json
[[ $(grep -o '"run":"[^"]*"' "$scratch/out" | tr '\n' ' ') == '"run":"many/1" "run":"many/2" "run":"many/10" ' ]] || fail "order of numbers"
expect 0 mlc runs runs --sort -epoch --json
[[ $(head -1 "$scratch/out") == '{"run":"runs/2"'* ]] || fail "--sort -epoch"
expect 2 mlc runs --sort accuracy
says err "no run has a column 'accuracy'" "'test_accuracy'"

# States: running while a process holds the folder, killed after it has died, stopped after a signal.
mlc train small.mdl -q --out long --set train.epochs=100000 >"$scratch/long" 2>&1 &
until [[ -s long/metrics.jsonl ]]; do sleep 0.02; done
expect 0 mlc runs long
says out "running"
kill -9 $!
wait $! 2>/dev/null
expect 0 mlc runs long
says out "killed"
mlc train --resume long -q >"$scratch/long" 2>&1 &
until [[ $(grep -c '"event":"start"' long/metrics.jsonl) == 2 ]]; do sleep 0.02; done
kill -TERM $!
wait $! 2>/dev/null
expect 0 mlc runs long
says out "stopped"

# A damaged line, an empty file, a folder without runs, a folder that is not there.
printf '{"event":"epo' >>runs/1/metrics.jsonl
expect 0 mlc runs
says out "runs/1  small  done      1/1"
mkdir -p empty/run && : >empty/run/metrics.jsonl
expect 0 mlc runs empty
expect 5 mlc runs many/../nothing
says err "there is no folder 'many/../nothing'"
mkdir hollow
expect 5 mlc runs hollow
says err "'hollow' holds no runs" "mlc train FILE.mdl"

finish
