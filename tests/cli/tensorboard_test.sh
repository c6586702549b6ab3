#!/usr/bin/env bash
# mlc train --tensorboard: the event files, read by another program (event_lines.c), and by TensorBoard itself where $PYTHON has it.
source "$(dirname "$0")/common.sh"
EVENT_LINES=$(realpath -m "${EVENT_LINES:-$root/build/release/tests/event_lines}")
small_model

events() { "$EVENT_LINES" "$1"/events.out.tfevents.*.mlc || fail "event files of $1"; }
values() { events "$1" | grep ' .* '; }

# An epoch has its losses, metrics and rate, at its last step.
expect 0 mlc train small.mdl -q --tensorboard --out plain
[[ $(events plain | head -2 | tr '\n' ';') == "0 version;0 _hparams_/session_start_info 0;" ]] || fail "$(events plain | head -2)"
[[ $(events plain | grep -c "loss/test") == 4 ]] || fail "losses of four epochs"
[[ $(values plain | grep "loss/train" | cut -d' ' -f1 | tr '\n' ' ') == "13 26 39 " ]] || fail "$(values plain)"
events plain | grep -q "^39 rate 0.01$" || fail "rate: $(events plain)"
events plain | grep -q "^39 accuracy/test 1$" || fail "accuracy: $(events plain)"
for i in 1 2 3; do
    said=$(sed -n "s/.*\"epoch\":$i,\"train_loss\":\([0-9.]*\).*/\1/p" plain/metrics.jsonl)
    events plain | grep -q "^$((13 * i)) loss/train $(printf %.6g "$said")$" || fail "train loss $said of epoch $i"
done
expect 0 mlc train small.mdl -q --out without
[[ -z $(ls without | grep events) ]] || fail "event files without --tensorboard"

# Lines about steps become events of their steps.
logged=(--set train.log_every=3 --set train.epochs=40 -q)
expect 0 mlc train small.mdl "${logged[@]}" --tensorboard --out whole
[[ $(values whole | grep -c "loss/train") == 173 ]] || fail "$(values whole | grep -c "loss/train") steps"
same <(mlc export whole --to whole.npz >/dev/null; cat whole.npz) <(mlc train small.mdl "${logged[@]}" --out other >/dev/null 2>&1; mlc export other --to other.npz >/dev/null; cat other.npz)

# Stopped, killed and prolonged runs have no step twice; a resumed run continues its events without the option.
for signal in TERM KILL; do
    mlc train small.mdl "${logged[@]}" --tensorboard --out "run_$signal" >/dev/null 2>&1 &
    for ((i = 0; i < 500; i++)); do [[ -s run_$signal/last.safetensors ]] && break; sleep 0.01; done
    kill "-$signal" $!
    wait $! 2>/dev/null
    [[ $signal == KILL ]] && printf 'half a record' >>"$(ls run_KILL/events*)"
    expect 0 mlc train --resume "run_$signal" -q
    same <(values "run_$signal") <(values whole)
done
expect 0 mlc train --resume whole -q --set train.epochs=41
[[ $(values whole | cut -d' ' -f1,2 | sort | uniq -d) == "" ]] || fail "steps are there twice"
[[ $(values whole | grep -c "loss/test") == 42 ]] || fail "losses of 42 epochs"

# A run that was killed before its first checkpoint starts over, and so do its events.
rm run_TERM/*.safetensors
expect 0 mlc train --resume run_TERM -q
same <(values run_TERM | grep -v hparams) <(values run_KILL | grep -v hparams)

# TensorBoard's own reader finds the same points.
PYTHON=${PYTHON:-python3}
if "$PYTHON" -c 'import tensorboard' 2>/dev/null; then
    cat >read.py <<'END'
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
for tag in events.Tags()["scalars"]:
    for point in events.Scalars(tag):
        print(point.step, tag, f"{point.value:.6g}")
for tag in events.Tags()["tensors"]:
    for point in events.Tensors(tag):
        print(point.step, tag, f"{point.tensor_proto.float_val[0]:.6g}")
END
    for run in whole run_TERM plain; do
        "$PYTHON" read.py $run >"$run.points" 2>"$scratch/err" || fail "TensorBoard cannot read $run: $(tail -1 "$scratch/err")"
        same <(sort "$run.points") <(values $run | sort)
    done
else
    echo "skipped in part: $PYTHON has no tensorboard"
fi

# Nothing is written beside an event file that cannot be read.
mkdir plain/events.out.tfevents.0000000007.mlc
expect 5 mlc train --resume plain --set train.epochs=4 -q
says err "plain/events.out.tfevents.0000000007.mlc"
finish
