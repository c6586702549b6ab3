#!/usr/bin/env bash
# bench/sweep.sh [FOLDER...]: one sweep of 60 settings with 3 seeds and halving, in each folder (default: a temporary one).
# The table must have the same bytes with 1, 2 and 7 workers, and if workers are killed KILLS times (default 50).
# Prints the trials a minute, for workers of one thread and for one worker of two threads, and what a trial costs beside its
# training. $MLC and $MAKE_DATA are the programs, by default those of build/release.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
MLC=${MLC:-$root/build/release/mlc}
MAKE_DATA=${MAKE_DATA:-$root/build/release/tests/make_data}
kills=${KILLS:-50}
failures=0

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

# sweep OUT OPTIONS...: the sweep in a new folder, with its table in OUT.csv.
sweep() {
    local out=$1
    shift
    "$MLC" sweep model.mdl -q --out "$out" --trials 60 --seeds 3 --halving 3 --set 'lr=log(1e-4, 1e-1)' --set 'p=0.05..0.5' \
        --set 'decay=1e-4..1e-1' --csv "$out.csv" "$@" >"$out.txt" 2>&1
}

# timed OUT OPTIONS...: prints seconds, trials a minute, and the cost of a trial beside its epochs.
timed() {
    local begin seconds trials training
    begin=$(now)
    TIMEFORMAT='%U %S'
    { time sweep "$@"; } 2>"$1.time" || { echo "sweep $* failed: $(tail -1 "$1.txt")"; failures=$((failures + 1)); }
    seconds=$(since "$begin")
    trials=$(ls "$1"/trials/*.json | wc -l)
    training=$(cat "$1"/trials/*/metrics.jsonl | grep -o '"event":"epoch".*"seconds":[0-9.e-]*' | awk -F'"seconds":' '{ sum += $2 } END { print sum }')
    echo "$2 $3 ${4:-} ${5:-}: $seconds s, $(awk -v n="$trials" -v s="$seconds" 'BEGIN { printf "%.0f trials a minute", n / s * 60 }'), $(awk '{ print $1 + $2 }' "$1.time") s of processors, $training s of them in epochs"
}

kill_some() {
    local left=$1 pid victim
    "$MLC" sweep --join killed -q --workers 7 >/dev/null 2>&1 &
    pid=$!
    while ((left > 0)); do
        sleep 0.0$((RANDOM % 40 + 10))
        victim=$(pgrep -P $pid | shuf -n 1)
        if [[ -z $victim ]]; then
            grep -q '^State:.[^Z]' /proc/$pid/status && continue
            "$MLC" sweep --status killed | grep -q ' left' || break
        elif ((RANDOM % 4)); then # a worker, or a training of one
            ((RANDOM % 2)) && victim=$(pgrep -P "$victim" | head -1)
            [[ -n $victim ]] && kill -9 "$victim" && left=$((left - 1))
            continue
        else
            kill -9 $pid && left=$((left - 1))
        fi
        wait $pid
        "$MLC" sweep --join killed -q --workers 7 >/dev/null 2>&1 &
        pid=$!
    done 2>/dev/null
    wait $pid 2>/dev/null
    echo "killed $(($1 - left)) processes"
}

(($#)) || set -- "$(mktemp -d)"
for folder; do
    work=$(mktemp -d "$folder/sweep.XXXXXX") && cd "$work" || exit 1
    echo "== $(stat -f -c %T .), $(nproc) cores"
    "$MAKE_DATA" . 4000 1000
    cp "$root/bench/sweep.mdl" model.mdl
    timed one --workers 1 --threads 1
    timed wide --workers 1 --threads 2
    timed two --workers 2 --threads 1
    timed seven --workers 7 --threads 1
    "$MLC" sweep model.mdl -q --out killed --trials 60 --seeds 3 --halving 3 --set 'lr=log(1e-4, 1e-1)' --set 'p=0.05..0.5' --set 'decay=1e-4..1e-1' --slurm >/dev/null
    kill_some "$kills"
    "$MLC" sweep --join killed -q --csv killed.csv >/dev/null 2>&1
    for other in wide two seven killed; do
        cmp one.csv $other.csv && continue
        echo "the table of '$other' differs"
        failures=$((failures + 1))
    done
    echo "$(wc -l <one.csv) lines in each table, $(sha256sum one.csv | cut -c1-16)"
    cd / && rm -rf "$work"
done
exit $((failures > 0))
