#!/usr/bin/env bash
# Stopped or killed at odd moments, a training with everything that has a state or random numbers continues bit for bit:
# dropout, augmentation, running statistics, gradients added up over batches and shares, a schedule, and counting towards an early stop.
source "$(dirname "$0")/common.sh"
"$MAKE_DATA" . 610 203
model_of_all 100 'dense(64) |> relu' 'one_cycle(0.01)' 'epochs = 30' 'stop_when = no_gain(loss, patience = 30)'

expect 0 mlc train all.mdl --quiet --out whole
expect 0 mlc train all.mdl --quiet --threads 3 --out threads
same whole/last.safetensors threads/last.safetensors

# Waits for the first checkpoint of run $1, and $3 seconds more, then sends signal $2.
interrupt() {
    mlc train ${4:-all.mdl} --quiet --out "$1" >"$scratch/out" 2>"$scratch/err" &
    local child=$!
    for ((i = 0; i < 1000; i++)); do
        [[ -s $1/last.safetensors ]] && break
        sleep 0.01
    done
    sleep "$3"
    kill "-$2" "$child" 2>/dev/null || echo "note: the run was over before SIG$2 reached it"
    wait "$child" 2>/dev/null
}
measured() { grep '"event":"epoch"' "$1/metrics.jsonl" | sed 's/,"seconds".*//'; }
number=0
for signal in INT KILL INT KILL; do
    run=run_$((number += 1))
    interrupt $run $signal 0.$((number * number * 3 % 29))
    if [[ $number == 3 ]]; then # twice
        mlc train --resume $run --quiet >/dev/null 2>&1 &
        sleep 0.3
        kill -INT $! 2>/dev/null
        wait $!
    fi
    expect 0 mlc train --resume $run --quiet
    same whole/last.safetensors $run/last.safetensors
    same whole/best.safetensors $run/best.safetensors
    [[ $(measured whole) == "$(measured $run)" ]] || fail "$run: the epochs differ from those of a run that was not stopped"
done

# A run with early stopping, stopped and resumed, ends at the same epoch, says so, and is done.
sed 's/patience = 30/patience = 2, min = 0.05/' all.mdl >early.mdl
expect 0 mlc train early.mdl --out early
says out "stopped early: the valid loss did not improve in 2 epochs" "best valid f1: epoch"
grep -q '"stopped_early":true,"best_epoch":[0-9]' early/metrics.jsonl || fail "the end of early is $(tail -n 1 early/metrics.jsonl)"
[[ $(measured early | wc -l) -lt 31 ]] || fail "no early stop: $(measured early)"
interrupt stopped INT 0.05 early.mdl
expect 0 mlc train --resume stopped --quiet
same early/last.safetensors stopped/last.safetensors
same early/best.safetensors stopped/best.safetensors
[[ $(measured early) == "$(measured stopped)" ]] || fail "the early stops differ"
cp early/last.safetensors before
expect 0 mlc train --resume early --quiet
same before early/last.safetensors
finish
