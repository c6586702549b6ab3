#!/usr/bin/env bash
# Stopped or killed at odd moments, a training with everything that has a state or random numbers continues bit for bit:
# dropout, augmentation, running statistics, gradients added up over batches and shares, a schedule, and counting towards an early stop.
source "$(dirname "$0")/common.sh"
"$MAKE_DATA" . 610 203
cat >all.mdl <<'END'
mdl 1
data {
    source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)
    field image = source.image / 255
    field label = source.label
    augment = image |> random_flip |> random_shift(2)
    valid = 100
}

def centred(x: f32[N, W]) -> y {
    seen = state([W])
    y = x - seen
    if training {
        now = mean(x, axis = 0)
        kept = update(seen, 0.9 * seen + 0.1 * now)
        y = x - now
    }
}

model all(image) -> logits {
    logits = image |> flatten |> centred |> dense(64) |> relu |> dropout(0.4) |> dense(10)
}

train {
    loss       = cross_entropy(logits, label)
    optimizer  = adamw(lr = one_cycle(0.01))
    batch      = 9
    replicas   = 3
    accumulate = 4
    clip_norm  = 1.0
    epochs     = 30
    seed       = 3
    metrics    = [accuracy(logits, label), f1(logits, label), rmse(softmax(logits), one_hot(label, 10))]
    keep_best  = f1
    stop_when  = no_gain(loss, patience = 30)
}
END

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
