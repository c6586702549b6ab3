#!/usr/bin/env bash
# mlc watch shows the curves of a run, while it is trained and afterwards.
source "$(dirname "$0")/common.sh"
small_model
expect 0 mlc train small.mdl -q --out plain
expect 0 mlc train small.mdl -q --out logged --set train.log_every=2

# A picture of 80 columns with losses and the metric, in marks that need no UTF-8.
expect 0 mlc watch plain --once
says out "plain  small  done  epoch 3/3" "loss  * train  o test" "accuracy  o test" "epoch 3" "test_accuracy" "best: test_loss"
[[ $(wc -L <"$scratch/out") -le 80 ]] || fail "wider than 80 columns"
LC_ALL=C grep -q '[^ -~]' "$scratch/out" && fail "not ASCII"
dots() { grep '^loss\|[|+]' "$scratch/out" | tr -dc '*' | wc -c; }
few=$(dots)
[[ $few == 4 ]] || fail "three epochs and the legend are $few marks"
expect 0 mlc watch logged --once
[[ $(dots) -gt 12 ]] || fail "lines of steps are not drawn: $(dots) marks"
expect 0 env LC_ALL=C.UTF-8 mlc watch plain --once
says out "┤" "└─" "⠉⠉"

# Without a terminal it prints a line for every line of the run.
expect 0 mlc watch logged
says out "epoch 1  step 2  loss " "rate 0.0100" "epoch 3  train_loss" "logged  small  done  epoch 3/3"
[[ $(grep -c "^epoch" "$scratch/out") == $((19 + 4)) ]] || fail "$(grep -c "^epoch" "$scratch/out") lines"

# A running training is followed to its end, and watching does not disturb it.
long=(--set train.epochs=100000 --set train.log_every=500)
mlc train small.mdl -q "${long[@]}" --out long >"$scratch/long" 2>&1 &
training=$!
until [[ -s long/metrics.jsonl ]] && grep -q '"epoch":9,' long/metrics.jsonl; do sleep 0.02; done
expect 0 mlc watch long --once
says out "long  small  running"
mlc watch long >followed 2>&1 &
watching=$!
mlc watch long >left 2>&1 &
until grep -q "step 500 " left; do sleep 0.02; done
kill -INT $! && wait $!
[[ $? == 130 ]] || fail "SIGINT ends with another status than 130"
kill -TERM $training && wait $training
[[ $? == 143 ]] || fail "the training was disturbed: $(cat "$scratch/long")"
wait $watching || fail "watch ended with $?"
tail -1 followed | grep -q "^long  small  stopped  epoch" || fail "the last line is $(tail -1 followed)"
[[ $(sed -n 's/.*step \([0-9]*\) .*/\1/p' followed | sort -cnu 2>&1) == "" ]] || fail "steps are printed twice or not in order"
cp -r long killed && sed -i '/"event":"end"/d' killed/metrics.jsonl
expect 0 mlc watch killed --once
says out "killed  small  killed"

# Lines that no training writes: no control character reaches the terminal, and no number is too large.
mkdir odd
printf '%s\n' '{"event":"start","model":5,"epochs":"x","epoch_steps":-3,"best":"\u001b[31m_loss"}' '{"event":"step","step":-5,"loss":1e400}' \
    '{"event":"epoch","epoch":-3,"train_loss":1e308,"test_\u001b[2J":3}' '{"event":"epoch","epoch":4000000000,"train_loss":-1e308}' '[1]' '' >odd/metrics.jsonl
for once in --once ''; do
    expect 0 mlc watch odd $once
    LC_ALL=C grep -q $'\e' "$scratch/out" && fail "an escape sequence of the file is printed"
    says out "killed"
done

# A watcher that looks at the lock is not taken for a training.
flock -s plain sleep 0.02 &
expect 0 mlc train --resume plain -q --set train.epochs=4

# Without an operand: the run in runs/ that was written last; in a terminal, a picture.
expect 0 mlc train small.mdl -q
expect 0 mlc train small.mdl -q
touch runs/1/metrics.jsonl
expect 0 mlc watch --once
says out "runs/1  small  done"
if script -qec true /dev/null </dev/null >"$scratch/out" 2>&1; then # not where there are no pseudo-terminals
    expect 0 env -u NO_COLOR TERM=xterm LC_ALL=C.UTF-8 script -qc "stty cols 60 rows 20; mlc watch runs/1" typescript
    says out $'\e[?25l' $'\e[?25h' "● train" "⠉⠉"
fi

# There is no run.
expect 5 mlc watch nothing
says err "'nothing' is not the folder of a run: it has no metrics.jsonl" "'mlc runs' lists the runs"
mkdir empty && cd empty || exit 1
expect 5 mlc watch
says err "there is no folder 'runs'" "mlc train FILE.mdl"
finish
