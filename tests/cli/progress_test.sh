#!/usr/bin/env bash
# The progress lines of a training: columns under a head, at most 80 columns or the width of the terminal. On a terminal, lines of quick epochs are thinned out.
source "$(dirname "$0")/common.sh"
awk 'BEGIN { srand(4); print "a,b,y,kind"; for (i = 0; i < 120; i++) { a = rand(); b = rand(); print a "," b "," 2 * a - b "," (a > b) } }' >table.csv
# model EPOCHS METRIC...
model() {
    local epochs=$1
    shift
    cat >m.mdl <<END2
mdl 1
data { source = csv("table.csv"); field x = source |> columns(["a", "b"]); field y = source |> columns("y"); field kind = source.kind
       valid = 20; test = 20 }
model m(x) -> (p, logits) { p = dense(x, 1); logits = dense(x, 2) }
train { loss = mse(p, y) + cross_entropy(logits, kind); optimizer = sgd(0.1); batch = 32; epochs = $epochs; metrics = [$*] }
END2
}
widest() { awk '{ n = length($0); if (n > most) most = n } END { print most }' "$1"; }

model 12 "accuracy(logits, kind), mae(p, y)"
expect 0 mlc train m.mdl --out two
says err "untrained" "12/12"
grep -qE '^ +train +valid +test$' "$scratch/err" || fail "no line names the splits"
grep -qE '^ +epoch +loss +loss +accuracy +mae +loss +accuracy +mae$' "$scratch/err" || fail "no line names the columns"
[[ $(grep -cE '^ *[0-9]+/12 ' "$scratch/err") == 12 ]] || fail "not every epoch has a line"
(($(widest "$scratch/err") <= 80)) || fail "lines are wider than 80 columns"
# the numbers of the last line are those of the last epoch, in the order of the head
grep '"epoch":12' two/metrics.jsonl | sed 's/[{}"]//g; s/,/\n/g' | awk -F: '{ v[$1] = $2 } END {
    printf "12/12 %.4f %.4f %.2f %% %.4f %.4f %.2f %% %.4f\n", v["train_loss"], v["valid_loss"], 100 * v["valid_accuracy"],
    v["valid_mae"], v["test_loss"], 100 * v["test_accuracy"], v["test_mae"] }' >numbers
tail -n 1 "$scratch/err" | sed 's/^ *//; s/  */ /g' >line
same line numbers

# Columns that do not fit are left out, with a note.
model 2 "accuracy(logits, kind), mae(p, y), mse(p, y), rmse(p, y), r2(p, y)"
expect 0 mlc train m.mdl --out five
says err "only in metrics.jsonl: r2, rmse, mse"
(($(widest "$scratch/err") <= 80)) || fail "lines of five metrics are wider than 80 columns"
grep -q '"valid_r2":.*"test_r2":' five/metrics.jsonl || fail "metrics.jsonl has no r2"
model 2 ""
expect 0 mlc train m.mdl --out none
grep -qE ' seconds +rows/s$' "$scratch/err" || fail "there is room for seconds and rows"

# on a terminal
on_terminal() { # COLUMNS COMMAND: its screen, every state of a line in a line of its own, without colours
    env -u NO_COLOR TERM=xterm script -qec "stty cols $1; $2" /dev/null </dev/null >raw
    tr '\r' '\n' <raw | sed 's/\x1b\[[0-9;]*[mK]//g' >screen
}
if script -qec true /dev/null </dev/null >"$scratch/out" 2>&1; then # not where there are no pseudo-terminals
    model 600 "accuracy(logits, kind)"
    on_terminal 80 "mlc train m.mdl --out quick"
    lines=$(grep -cE '^ *[0-9]+/600 ' screen)
    ((lines >= 6 && lines < 600)) || fail "600 quick epochs have $lines lines"
    grep -qE '^ *600/600 ' screen || fail "the last epoch has no line"
    [[ $(grep -c "the epochs are short" screen) == 1 ]] || fail "that epochs are left out is not said once"
    [[ $(grep -c '"event":"epoch"' quick/metrics.jsonl) == 601 ]] || fail "metrics.jsonl leaves epochs out"
    (($(grep -E '^ *[0-9]+/600 |^epoch ' screen | widest /dev/stdin) <= 80)) || fail "lines are wider than the terminal"
    model 30 "accuracy(logits, kind)"
    on_terminal 50 "mlc train m.mdl --out narrow"
    (($(grep -E '^ *[0-9]+/30 |^epoch ' screen | widest /dev/stdin) <= 50)) || fail "lines are wider than a narrow terminal"
fi
finish
