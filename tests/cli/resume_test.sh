#!/usr/bin/env bash
# A run that was stopped, killed, or prolonged after its end has the same bytes as an uninterrupted one.
source "$(dirname "$0")/common.sh"
small_model
long=(--set train.epochs=25 --quiet)

expect 0 mlc train small.mdl --quiet --set train.epochs=4 --out straight
expect 0 mlc train small.mdl --quiet --set train.epochs=2 --out parts
expect 0 mlc train --resume parts --quiet --set train.epochs=4
same straight/last.safetensors parts/last.safetensors
epochs() { grep -o '"event":"epoch","epoch":[0-9]*' "$1/metrics.jsonl" | cut -d : -f 3 | tr '\n' ' '; }
[[ $(epochs parts) == "0 1 2 3 4 " ]] || fail "the epochs of the resumed run are $(epochs parts)"
says_loss() { grep '"epoch":4' "$1/metrics.jsonl" | grep -o '"[a-z]*_loss":[^,]*' | tr '\n' ' '; }
[[ $(says_loss straight) == $(says_loss parts) ]] || fail "the losses differ: $(says_loss straight), $(says_loss parts)"
expect 0 mlc train small.mdl --resume parts --quiet --set train.epochs=4
says out "4 epochs"

# Starts a long run in folder $1, waits for its first checkpoint and sends it signal $2; its status is in $status.
interrupt() {
    mlc train small.mdl "${long[@]}" --out "$1" >"$scratch/out" 2>"$scratch/err" &
    local child=$!
    for ((i = 0; i < 500; i++)); do
        [[ -s $1/last.safetensors ]] && break
        sleep 0.01
    done
    kill "-$2" "$child"
    status=0
    wait "$child" 2>/dev/null || status=$?
}
expect 0 mlc train small.mdl "${long[@]}" --out whole
for signal in HUP INT TERM KILL; do
    interrupt "run_$signal" "$signal"
    case $signal-$status in
    HUP-129 | INT-130 | TERM-143) says err "mlc train --resume run_$signal" ;;
    KILL-137) ;;
    *-0) echo "note: the run was over before SIG$signal reached it" ;;
    *) fail "SIG$signal ended with $status" ;;
    esac
    expect 0 mlc train --resume "run_$signal" --quiet
    same whole/last.safetensors "run_$signal/last.safetensors"
    [[ $(epochs "run_$signal") == $(epochs whole) ]] || fail "SIG$signal: the epochs are $(epochs "run_$signal")"
done

# A checkpoint of an mlc with another order of sums: resuming is refused, evaluating works.
cp -r whole older && sed -i 's/"numerics":"3"/"numerics":"1"/' older/last.safetensors
cmp -s whole/last.safetensors older/last.safetensors && fail "the checkpoint does not hold its version of the numerics"
expect 0 mlc eval older
expect 0 mlc train --resume older --set train.epochs=40 --quiet
says err "warning: 'older/last.safetensors' was written by an older mlc, which adds sums in another order (numerics version 1, here 3)"
grep -qF '"numerics":"3"' older/last.safetensors || fail "the new checkpoint is not of the new version"
expect 0 mlc train small.mdl --out adding --quiet --set train.accumulate=2 --set train.epochs=1
sed -i 's/"numerics":"3"/"numerics":"1"/' adding/last.safetensors
expect 5 mlc train --resume adding --set train.epochs=2
says err "adds the gradients of several batches in another order" "--weights"

# SIGHUP comes twice when a terminal closes; under nohup it is ignored.
mlc train small.mdl --set train.epochs=100000 -q --out twice 2>"$scratch/err" &
for ((i = 0; i < 500; i++)); do [[ -s twice/last.safetensors ]] && break; sleep 0.01; done
kill -HUP $! && { kill -HUP $! 2>/dev/null || true; }
status=0 && wait $! || status=$?
[[ $status == 129 ]] || fail "two SIGHUP ended with $status"
nohup mlc train small.mdl --set train.epochs=40 --out nohup_run -q >"$scratch/out" 2>&1 &
for ((i = 0; i < 500; i++)); do [[ -s nohup_run/last.safetensors ]] && break; sleep 0.01; done
kill -HUP $! 2>/dev/null
wait $! || fail "SIGHUP ended a training that nohup began"

# Killed at any moment, also before its first checkpoint, a run can be begun again and ends in the same bytes.
for ((i = 0; i < 6; i++)); do
    mlc train small.mdl "${long[@]}" --out "early$i" >/dev/null 2>&1 &
    sleep "0.$((i * 25 + 10))" && kill -KILL $! && wait $! 2>/dev/null
    if [[ -e early$i/resolved.mdl ]]; then
        expect 0 mlc train --resume "early$i" --quiet
    else
        expect 0 mlc train small.mdl "${long[@]}" --out "early$i"
    fi
    same whole/last.safetensors "early$i/last.safetensors"
    [[ $(epochs "early$i") == $(epochs whole) ]] || fail "early$i: the epochs are $(epochs "early$i")"
done
mkdir begun && cp whole/resolved.mdl begun && sed -i "s#\"images\"#\"$PWD/images\"#" begun/resolved.mdl
: >begun/last.safetensors.123.tmp && rm begun/resolved.mdl
expect 0 mlc train small.mdl --out begun --set train.epochs=1 -q # only what a killed training leaves is in it
rm begun/last.safetensors begun/best.safetensors
expect 5 mlc train small.mdl --out begun
says err "mlc train --resume begun"
(exit 0) & gone=$! && wait $gone
for file in "last.safetensors.$gone-0" "last.safetensors.$$-0" notes; do echo x >"begun/$file.tmp"; done
expect 0 mlc train --resume begun
says err "begun: no checkpoint yet: the training starts from the beginning"
[[ $(grep -c '"event":"start"' begun/metrics.jsonl) == 1 ]] || fail "a run that was begun again has several start lines"
[[ ! -e begun/last.safetensors.$gone-0.tmp ]] || fail "the temporary file of a process that is no more is left"
there begun/last.safetensors.$$-0.tmp # its process lives
there begun/notes.tmp
[[ $(epochs begun) == "0 1 " ]] || fail "the epochs of the run that was begun again are $(epochs begun)"
rm begun/last.safetensors
expect 5 mlc train --resume begun # the best epoch is there: it is not begun anew
there begun/best.safetensors

# A schedule over the whole run changes in a longer run, which is reported.
sed 's/adam(lr = lr)/sgd(cosine(1.0))/' small.mdl >cosine.mdl
expect 0 mlc train cosine.mdl --quiet --set train.epochs=4 --out cosine
expect 0 mlc train --resume cosine --set train.epochs=8 --json
says err "now follows a schedule of 8 epochs instead of 4: it is 0.5 at the next step, and at the last one it was"
says out '"event":"schedule","step":52,"epochs_before":4,"epochs":8,"rate_before":0.0009' '"rate":0.49999997}'
expect 0 mlc train --resume parts --set train.epochs=5
! grep -q schedule "$scratch/err" || fail "a constant rate is told of as a schedule: $(cat "$scratch/err")"

# A checkpoint of another model, and damaged metadata.
cp parts/last.safetensors cosine/last.safetensors && cp -r cosine other
sed -i 's/sgd(cosine(1.0))/adam(lr = 0.5)/' other/resolved.mdl
expect 0 mlc eval other
says err "warning: 'other/last.safetensors' was written by another model than 'other/resolved.mdl'"
expect 0 mlc eval parts
[[ ! -s $scratch/err ]] || fail "eval of a sound run warns: $(cat "$scratch/err")"
damage() { # damage KEY VALUE FINDING: with as many digits as before
    cp -r parts damaged
    sed -i "s/\"$1\":\"[^\"]*\"/\"$1\":\"$2\"/" damaged/last.safetensors
    expect 5 mlc eval damaged
    says err "the metadata of 'damaged/last.safetensors' are damaged: $3"
    expect 5 mlc train --resume damaged --set train.epochs=9
    says err "the metadata of 'damaged/last.safetensors' are damaged: $3"
    rm -r damaged
}
damage best_epoch 9 "its best epoch is one that has not been trained"
damage best_epoch 0 "its best epoch and its best score do not fit together"
damage step -5 "step is '-5'"
damage step 03 "it has more epochs than steps"
damage epoch 7 "it has done more epochs than its run has"
damage waited 9 "it has waited for more epochs than it has done"
damage epochs x "epochs is 'x'"
cp -r parts damaged && sed -i 's/"step":"65"/"step":"99"/' damaged/last.safetensors
expect 5 mlc train --resume damaged --set train.epochs=9
says err "its seed, epoch or step do not fit the model"
rm -r damaged

# Runs that must not be resumed.
expect 2 mlc train
expect 2 mlc train small.mdl --resume whole --out other
expect 5 mlc train --resume nowhere
expect 5 mlc train --resume whole --set lr=0.5
says err "model"
head -c 1000 whole/last.safetensors >cut && mv cut whole/last.safetensors
expect 5 mlc train --resume whole
expect 5 mlc eval whole
echo "not a checkpoint" >whole/last.safetensors
expect 5 mlc eval whole
rm whole/last.safetensors
expect 5 mlc eval whole
finish
