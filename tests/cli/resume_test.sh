#!/usr/bin/env bash
# A run that was stopped, killed, or done and then prolonged ends in the same bytes as one that was not.
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
for signal in INT TERM KILL; do
    interrupt "run_$signal" "$signal"
    case $signal-$status in
    INT-130 | TERM-143) says err "mlc train --resume run_$signal" ;;
    KILL-137) ;;
    *-0) echo "note: the run was over before SIG$signal reached it" ;;
    *) fail "SIG$signal ended with $status" ;;
    esac
    expect 0 mlc train --resume "run_$signal" --quiet
    same whole/last.safetensors "run_$signal/last.safetensors"
    [[ $(epochs "run_$signal") == $(epochs whole) ]] || fail "SIG$signal: the epochs are $(epochs "run_$signal")"
done

# A checkpoint of an mlc whose sums have another order: said, and evaluated as ever
cp -r whole older && sed -i 's/"numerics":"2"/"numerics":"1"/' older/last.safetensors
cmp -s whole/last.safetensors older/last.safetensors && fail "the checkpoint does not hold its version of the numerics"
expect 0 mlc eval older
expect 0 mlc train --resume older --set train.epochs=40 --quiet
says err "warning: 'older/last.safetensors' was written by an mlc that adds up long sums in another order (numerics version 1, here 2)"
grep -qF '"numerics":"2"' older/last.safetensors || fail "the new checkpoint is not of the new version"
expect 0 mlc train small.mdl --out adding --quiet --set train.accumulate=2 --set train.epochs=1
sed -i 's/"numerics":"2"/"numerics":"1"/' adding/last.safetensors
expect 5 mlc train --resume adding --set train.epochs=2
says err "adds up the gradients of several batches in another order" "--weights"

# What must not be resumed
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
