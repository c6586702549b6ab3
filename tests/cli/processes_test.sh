#!/usr/bin/env bash
# One training on several processes: the same bits on any number of them, with any transport. A process that ends, is stopped, or has
# other files is named, and the run goes on from its checkpoint on another number of processes.
source "$(dirname "$0")/common.sh"
"$MAKE_DATA" . 300 101
cp "$root"/models/iris.{mdl,csv} .
cat >net.mdl <<END
mdl 1
$(data_of_digits 'augment = image |> random_flip |> random_shift(2)' 'valid = 80' 'seed = 1')
model net(image) -> logits {
    x = image |> flatten |> dense(31) |> batch_norm |> relu |> dropout(0.3)
    logits = x |> dense(10)
}
train {
    loss      = cross_entropy(logits, label)
    optimizer = adamw(lr = cosine(0.01, warmup = 3))
    batch     = 48
    replicas  = 12
    clip_norm = 1.0
    epochs    = 3
    seed      = 3
    log_every = 2
    metrics   = [accuracy(logits, label), confusion(logits, label)]
    keep_best = accuracy
}
END
# numbers RUN: the journal without times
numbers() { grep -v '"event":"\(start\|end\|warning\)' "$1/metrics.jsonl" | sed 's/"[a-z_]*seconds":[^,}]*//; s/"[a-z_]*per_second":[^,}]*//'; }
# equal RUN RUN: weights, moments, statistics, metrics and the gradient noise
equal() {
    same "$1/last.safetensors" "$2/last.safetensors"
    same "$1/best.safetensors" "$2/best.safetensors"
    [[ $(numbers "$1") == "$(numbers "$2")" ]] || fail "the metrics of $1 and $2 differ: $(diff <(numbers "$1") <(numbers "$2") | head -4)"
}

# 220 training rows: the last batch has 28, in shares of 3 and of 2 rows; only 5 epochs of iris end with fewer rows than shares.
expect 0 mlc train net.mdl -q --out net1
expect 0 mlc train net.mdl -q --out acc1 --set train.accumulate=3 --set train.replicas=3
expect 0 mlc train iris.mdl -q --out iris1 --set train.batch=29 --set train.replicas=29 --set train.epochs=5
for processes in 2 3 5 12; do
    expect 0 mlc train net.mdl -q --out "net$processes" --processes $processes --threads 1
    equal net1 "net$processes"
done
expect 0 mlc train net.mdl -q --out net3t --processes 3 --threads 2
equal net1 net3t
expect 0 mlc train net.mdl -q --out acc2 --set train.accumulate=3 --set train.replicas=3 --processes 2
equal acc1 acc2
expect 0 mlc train iris.mdl -q --out iris3 --set train.batch=29 --set train.replicas=29 --set train.epochs=5 --processes 3
equal iris1 iris3

# Every process updates its part of the weights, by each optimizer. With clip_norm, parts consist of whole weights here, and some of 12 are empty.
cat >small.mdl <<END
$(sed '/^model/,$d' iris.mdl)
model net(x) -> logits { logits = x |> dense(20) |> relu |> dense(3) }
train {
    loss      = cross_entropy(logits, species)
    optimizer = adam(0.01)
    batch     = 24
    replicas  = 12
    epochs    = 2
}
END
while IFS= read -r settings; do
    sets=()
    for setting in $settings; do sets+=(--set "train.$setting"); done
    rm -rf small*/
    for processes in 1 2 5 12; do
        expect 0 mlc train small.mdl -q --out small$processes "${sets[@]}" --processes $processes
        same small1/last.safetensors small$processes/last.safetensors
    done
done <<'END'
optimizer=adam(0.01,decay=0.1)
optimizer=sgd(0.1,momentum=0.9,nesterov=true)
optimizer=rmsprop(0.01,momentum=0.5)
optimizer=adagrad(0.1) clip_value=0.01
optimizer=sgd(0.1) clip_norm=0.3 clip_value=0.1
groups=[["dense1",sgd(0.1,momentum=0.5)]] clip_norm=0.1
freeze=["dense1"] clip_norm=0.1
END

# A run goes on with other numbers of processes, also from the middle of a step.
expect 0 mlc train net.mdl -q --out parts --set 'train.optimizer=adamw(0.01)' --set train.epochs=1 --processes 4
expect 0 mlc train -q --resume parts --set train.epochs=2
expect 0 mlc train -q --resume parts --set train.epochs=3 --processes 3
expect 0 mlc train net.mdl -q --out whole --set 'train.optimizer=adamw(0.01)'
same parts/best.safetensors whole/best.safetensors
expect 0 mlc export parts --to parts.safetensors
expect 0 mlc export whole --to whole.safetensors
same parts.safetensors whole.safetensors

# --continue begins a run, or goes on with it.
expect 0 mlc train net.mdl -q --continue --out go --set 'train.optimizer=adamw(0.01)' --set train.epochs=2 --processes 2
expect 0 mlc train net.mdl -q --continue --out go --set 'train.optimizer=adamw(0.01)'
expect 0 mlc train net.mdl -q --continue --out go --set 'train.optimizer=adamw(0.01)'
expect 0 mlc export go --to go.safetensors
same go.safetensors whole.safetensors
expect 2 mlc train net.mdl --continue
says err "--continue needs --out DIR"

# A training that would last for hours. begin ARGUMENTS...: starts it on 4 processes and waits for its first checkpoint;
# ${ranks[r]} is the process of rank r.
optimizer='sgd(0.01)'
begin() {
    long=(--set train.epochs=1000000 --set "train.optimizer=$optimizer" --processes 4 --threads 1)
    rm -rf long
    mlc train net.mdl -q --out long "${long[@]}" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    launcher=$!
    until [[ -s long/last.safetensors ]]; do kill -0 $launcher || break; sleep 0.05; done
    read -ra ranks <<<"$(cat /proc/$launcher/task/$launcher/children)"
}
ends() { # ends STATUS
    local got=0
    wait $launcher || got=$?
    [[ $got == "$1" ]] || fail "it ended with $got, expected $1: $(cat "$scratch/err")"
}
# goes_on: the checkpoint of `long` continues to the end of its epoch with the bits of a training that nothing has happened to.
goes_on() {
    local epoch
    epoch=$(($(mlc runs long --csv - | awk -F, 'NR == 2 { print $4 }') + 1))
    expect 0 mlc train -q --resume long --set train.epochs=$epoch --processes $((RANDOM % 5 + 1))
    expect 0 mlc train net.mdl -q --out "right$epoch" --set train.epochs=$epoch --set "train.optimizer=$optimizer"
    expect 0 mlc export long --to long.safetensors
    expect 0 mlc export "right$epoch" --to right.safetensors
    same long.safetensors right.safetensors
    rm -rf "right$epoch"
}
# Moments of a lost process are lost with it: the last checkpoint counts.
for optimizer in 'adamw(0.01)' 'sgd(0.01)'; do
    for victim in 0 2; do
        begin
        kill -KILL "${ranks[victim]}"
        ends 8
        says err "rank $victim (process ${ranks[victim]} on" "has ended without a word in" "rank $victim was ended by signal 9"
        goes_on
    done
done
says_resume() { says err "'mlc train --resume long' continues from the last checkpoint"; }
begin --rank-timeout 1
kill -STOP "${ranks[3]}"
ends 8
says err "rank 3 (process ${ranks[3]} on" "has not answered for 1 s in" "stopped, cut off, or too slow"
says_resume
goes_on
# All of them may be stopped and continued, for longer than they would wait for one another.
begin --rank-timeout 1
kill -STOP "${ranks[@]}"
sleep 4
kill -CONT "${ranks[@]}"
sleep 2
kill -STOP "${ranks[3]}"
ends 8
says err "has not answered for 1 s in"
goes_on
# A signal for one process stops all of them after the same step; so does one for the launcher.
for optimizer in 'adamw(0.01)' 'sgd(0.01)'; do
    begin
    kill -TERM "${ranks[2]}"
    ends 143
    says err "stopped and saved; to continue: mlc train --resume long"
    goes_on
done
# Also before its first step, and before it takes signals.
rm -rf long
mlc train net.mdl -q --out long "${long[@]}" --no-cache >"$scratch/out" 2>"$scratch/err" </dev/null &
launcher=$!
until read -ra ranks <<<"$(cat /proc/$launcher/task/$launcher/children)" && ((${#ranks[@]} == 4)); do sleep 0.01; done
kill -TERM "${ranks[1]}"
ends 143
goes_on
# If rank 0 is lost before the first step, rank 1 tells it.
rm -rf long
mlc train net.mdl -q --out long "${long[@]}" --no-cache --rank-timeout 1 >"$scratch/out" 2>"$scratch/err" </dev/null &
launcher=$!
until read -ra ranks <<<"$(cat /proc/$launcher/task/$launcher/children)" && ((${#ranks[@]} == 4)); do sleep 0.01; done
sleep 0.05
kill -STOP "${ranks[0]}"
ends 8
says err "error: rank 0" "not answered for"
begin
kill -INT $launcher
ends 130
says err "stopped and saved"
begin
kill -KILL $launcher # its processes stop by themselves
wait $launcher 2>/dev/null
until ! kill -0 "${ranks[@]}" 2>/dev/null; do sleep 0.05; done
goes_on

# A process that is lost after the last step, while rank 0 writes its files: the run is complete. Rank 0 is held where it says what it has sent,
# by a pipe that is full and that nobody reads.
late=(--set train.batch=24 --set train.replicas=8 --set train.epochs=300)
expect 0 mlc train iris.mdl -q --out right "${late[@]}"
for signal in KILL STOP; do
    rm -rf late pipe
    mkfifo pipe
    exec 3<>pipe
    mlc train iris.mdl -q --verbose --out late "${late[@]}" --processes 3 --threads 1 >"$scratch/out" 2>pipe </dev/null 3>&- &
    launcher=$!
    until [[ -s late/metrics.jsonl ]]; do kill -0 $launcher || break; sleep 0.02; done
    read -ra ranks <<<"$(cat /proc/$launcher/task/$launcher/children)"
    kill -STOP "${ranks[@]}"
    dd if=/dev/zero of=pipe bs=1 oflag=nonblock 2>"$scratch/err"
    kill -CONT "${ranks[@]}"
    for _ in {1..200}; do grep -qs pipe_write "/proc/${ranks[0]}/wchan" && break; sleep 0.1; done
    kill -$signal "${ranks[2]}"
    cat <&3 >held &
    reader=$!
    got=0
    wait $launcher || got=$?
    sleep 0.2
    kill $reader
    exec 3>&-
    tr -d '\0' <held >"$scratch/err"
    [[ $got == 8 ]] || fail "a process lost after the last step: status $got, $(cat "$scratch/err")"
    if [[ $signal == KILL ]]; then
        says err "rank 2 (process ${ranks[2]} on" "has ended without a word at the end" "'late' is complete: the training had come to its end"
    else
        says err "rank 2 (process ${ranks[2]}) has not ended 5 s after the others, and was killed; the run is complete"
    fi
    same late/last.safetensors right/last.safetensors
done

# A number that is not finite: the same report as on one process, once.
model_of_logarithms
expect 6 mlc train log.mdl --out nonfinite1
cp "$scratch/err" expected
expect 6 mlc train log.mdl --out nonfinite3 --processes 3
diff <(sed 's/nonfinite[13]//' expected) <(sed 's/nonfinite[13]//' "$scratch/err") || fail "another report of a number that is not finite"

# A moment that is not finite, although all weights and losses are.
sed 's/cross_entropy(logits, species)/1e24 * &/' small.mdl >huge.mdl
expect 6 mlc train huge.mdl --out huge1
says err "'adam.v." "is not finite after"
cp "$scratch/err" expected
expect 6 mlc train huge.mdl --out huge3 --processes 3
diff <(sed 's/huge[13]//' expected) <(sed 's/huge[13]//' "$scratch/err") || fail "another report of a moment that is not finite"

# What summary prints is what is sent, by the process that sends most: in 5 full batches. Two processes have equal parts of the gradients.
# With clip_norm they have not, but one of them sends in one exchange what the other one sends in the next.
sets=(--set train.batch=44 --set train.replicas=4 --set train.epochs=1)
sed '/clip_norm/d' net.mdl >unclipped.mdl
for settings in "net 2 1" "unclipped 2 1" "unclipped 2 5" "unclipped 3 1" "unclipped 4 5"; do
    read -r model processes accumulate <<<"$settings"
    expect 0 mlc summary $model.mdl "${sets[@]}" --set train.accumulate=$accumulate --processes $processes
    says out "exchange of $processes processes, which share the 4 replicas of a batch" "predicted for 10 Gb/s Ethernet"
    awk -v steps=$((5 / accumulate)) '{ gsub(",", "") } /messages a process sends/ { m = $NF } /a process sends in a step .* bytes/ { b = $7 }
        END { print m * steps, b * steps }' "$scratch/out" >predicted
    rm -rf counted
    expect 0 mlc train $model.mdl -q --verbose --out counted "${sets[@]}" --set train.accumulate=$accumulate --processes $processes
    says err "batches; its exchanges have taken "
    sed -n 's/,//g; s/.*rank 0 has sent \([0-9]*\) messages with \([0-9]*\) bytes for 5 batches.*/\1 \2/p' "$scratch/err" >sent
    awk -v equal=$((processes == 2)) 'NR == FNR { m = $1; b = $2; next } { exit !($1 == m && (equal ? $2 == b : $2 <= b && $2 > 0.6 * b)) }' predicted sent ||
        fail "$settings: predicted $(cat predicted), sent $(cat sent)"
done
# A process keeps the moments of its part.
expect 0 mlc summary small.mdl --processes 4
says out "optimizer state in a process                      384 bytes"
expect 2 mlc summary net.mdl --processes 13
says err "13 processes share the replicas of a batch, but the model has only 12"

# What does not fit.
expect 2 mlc train iris.mdl --processes 3
says err "3 processes share the replicas of a batch, but the model has only 1" "--set train.replicas=3"
[[ $(grep -c error: "$scratch/err") == 1 ]] || fail "an error is printed more than once: $(cat "$scratch/err")"
expect 3 mlc train net.mdl --processes 3 --set train.nothing=1
[[ $(grep -c error: "$scratch/err") == 1 ]] || fail "an error is printed more than once: $(cat "$scratch/err")"
expect 2 mlc train net.mdl --processes 2 --folds 3
says err "--folds does not go with several processes"
expect 2 mlc train net.mdl --processes 2 --find-lr
expect 5 mlc train net.mdl --processes 2 --out net1
says err "'net1' exists and is not an empty folder"
sed 's/dropout(0.3)/dropout(0.3) + mean(q)/; s/    x = image/    q = state([1], zeros)\n    if training { q2 = update(q, q + 1) }\n    x = image/' net.mdl >chained.mdl
expect 0 mlc check chained.mdl
expect 3 mlc train chained.mdl --processes 2
says err "the loss of a share depends on 'q', which the share before changes" "'--processes 1' trains it"
SLURM_STEP_NUM_TASKS=3 expect 2 mlc train net.mdl
says err "srun has started 3 processes, but without a way to find each other" "srun --mpi=pmix"
SLURM_STEP_NUM_TASKS=3 expect 0 mlc train net.mdl -q --out single --processes 1
equal net1 single
finish
