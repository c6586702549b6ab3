#!/usr/bin/env bash
# mlc sweep --optuna: a study chooses the values. With Optuna itself where its program is installed, and with a program in its place.
source "$(dirname "$0")/common.sh"
small_model
sweep=(mlc sweep small.mdl -q --set 'lr=log(1e-3, 1e-1)' --set 'train.epochs=1..3' --set 'train.optimizer=adam(lr = lr)|sgd(lr = lr)' --set train.batch=61)

# What does not go together is refused before anything is asked.
study=(--optuna sqlite:///study.db --study nets)
expect 2 "${sweep[@]}" --out no --trials 3 --optuna sqlite:///study.db
says err "a study needs --optuna, --study and --trials"
expect 2 "${sweep[@]}" --out no "${study[@]}"
says err "a study needs --optuna, --study and --trials"
for other in "--halving 3" "--search sobol" "--seed 4"; do
    expect 2 "${sweep[@]}" --out no --trials 3 "${study[@]}" $other
    says err "${other% *} does not go with --optuna"
done
[[ ! -e no && ! -e study.db ]] || fail "a refused sweep has written something"

if command -v optuna >/dev/null && command -v python3 >/dev/null; then
    # Workers that are killed: every trial of the sweep is one of the study, told once with the score in the table.
    "${sweep[@]}" --out killed --trials 10 "${study[@]}" --workers 2 >/dev/null 2>&1 &
    pid=$!
    until [[ -e killed/sweep.json ]]; do sleep 0.1; kill -0 $pid || break; done
    for _ in 1 2 3 4; do
        sleep 1.$((RANDOM % 9))
        pkill -9 -P $pid
        kill -9 $pid
        wait $pid
        mlc sweep --join killed -q --workers 2 >/dev/null 2>&1 &
        pid=$!
    done 2>/dev/null
    wait $pid 2>/dev/null
    expect 0 mlc sweep --join killed -q --csv killed.csv
    expect 0 mlc sweep --status killed --csv again.csv
    same killed.csv again.csv
    optuna trials --storage sqlite:///study.db --study-name nets -f json >trials.json 2>/dev/null || fail "the study cannot be read"
    python3 - <<'END' || fail "the study and the table differ"
import csv, json
told = {trial["number"]: trial for trial in json.load(open("trials.json"))}
rows = list(csv.DictReader(open("killed.csv")))
assert len(rows) == 10 and {row["state"] for row in rows} == {"done"}, rows
for row in rows:
    asked = json.load(open(f"killed/trials/{int(row['trial']):06}.asked"))
    trial = told.pop(asked["number"])
    values = dict(text.split("=", 1) for text in asked["setting"])
    assert trial["state"] == "COMPLETE" and abs(trial["value"] - float(row["score"])) < 1e-6, (trial, row)
    assert all(str(value) == values[name] for name, value in trial["params"].items()), (trial, values)
    assert all(row[name] == value for name, value in values.items()), (row, values)
# a worker that is killed between the answer of Optuna and its own file leaves a trial that nobody has
assert all(trial["state"] == "RUNNING" for trial in told.values()), told
END
    # A trial is the training that mlc train does with the same values.
    mapfile -t sets < <(python3 -c 'import json; [print("--set", text, sep="\n") for text in json.load(open("killed/trials/000003.asked"))["setting"]]')
    expect 0 mlc train small.mdl -q --out alone "${sets[@]}"
    same alone/last.safetensors killed/trials/000003/last.safetensors

    # With seeds and folds, the study learns the mean of a setting once, whichever worker is killed.
    repeats=(--optuna sqlite:///study.db --study repeats)
    "${sweep[@]}" --out repeats --trials 3 --seeds 2 --folds 2 "${repeats[@]}" --workers 3 >/dev/null 2>&1 &
    pid=$!
    until [[ -e repeats/sweep.json ]]; do sleep 0.1; kill -0 $pid || break; done
    for _ in 1 2; do
        sleep 1.$((RANDOM % 9))
        pkill -9 -P $pid
        kill -9 $pid
        wait $pid
        mlc sweep --join repeats -q --workers 3 >/dev/null 2>&1 &
        pid=$!
    done 2>/dev/null
    wait $pid 2>/dev/null
    expect 0 mlc sweep --join repeats -q
    says out "3 settings with 2 seeds and 2 folds: 12 trials finished"
    expect 0 mlc sweep --status repeats --csv repeats.csv
    optuna trials --storage sqlite:///study.db --study-name repeats -f json >trials.json 2>/dev/null || fail "the study cannot be read"
    python3 - <<'END' || fail "the study and the table with seeds and folds differ"
import csv, json
told = {trial["number"]: trial for trial in json.load(open("trials.json"))}
rows = list(csv.DictReader(open("repeats.csv")))
assert len(rows) == 12 and {row["state"] for row in rows} == {"done"}, rows
assert [(row["setting"], row["seed"], row["fold"]) for row in rows[:5]] == [("0", "7", "1"), ("0", "7", "2"), ("0", "8", "1"), ("0", "8", "2"), ("1", "7", "1")], rows
for setting in range(3):
    mine = [row for row in rows if int(row["setting"]) == setting]
    asked = json.load(open(f"repeats/trials/{4 * setting:06}.asked"))
    trial = told.pop(asked["number"])
    mean = sum(float(row["score"]) for row in mine) / 4
    assert trial["state"] == "COMPLETE" and abs(trial["value"] - mean) < 1e-6, (trial, mean)
    values = dict(text.split("=", 1) for text in asked["setting"])
    assert all(row[name] == value for row in mine for name, value in values.items()), (mine, values)
assert all(trial["state"] == "RUNNING" for trial in told.values()), told
END

    # The study goes on in another sweep; one that looks for high scores is another one.
    expect 0 "${sweep[@]}" --out more --trials 2 "${study[@]}"
    [[ $(grep -o '"number":[0-9]*' more/trials/*.asked | grep -vc ':"number":[0-9]$') == 2 ]] || fail "the study began anew: $(cat more/trials/*.asked)"
    expect 2 "${sweep[@]}" --out high --trials 2 "${study[@]}" --set train.keep_best=accuracy
    says err "the study 'nets' has another direction: the scores of this model want MAXIMIZE"
    expect 0 "${sweep[@]}" --out high --trials 2 --optuna sqlite:///study.db --study high --set train.keep_best=accuracy
    expect 5 "${sweep[@]}" --out none --trials 2 --optuna nonsense://x --study a
    says err "optuna create-study fails: "
    # The folder of another model: a sweep is in it already.
    expect 5 "${sweep[@]}" --out more --trials 2 "${study[@]}"
    says err "'more' already holds a sweep"
else
    echo "skipped in part: the program optuna is missing (Debian: python3-optuna)"
fi

# A program in the place of Optuna, which fails or answers nonsense at one of its commands.
cat >"$scratch/bin/optuna" <<'END'
#!/bin/bash
echo "$*" >>calls
case $BROKEN-$1 in
    "$1-$1") echo "Traceback" >&2; echo "ValueError: no $1 today" >&2; exit 1 ;;
    hang-ask | linger-tell) echo $$ >asker; exec sleep 100 ;;
    nonsense-ask) echo '{"number": 1, "params": {"lr": 0.01}}' ;;
    *-ask) echo "{\"number\": $$, \"params\": {\"lr\": 0.0123, \"train.epochs\": ${EPOCHS:-1}, \"train.optimizer\": \"adam(lr = lr)\"}}" ;;
    *-studies) echo '[{"name": "other", "direction": ["MAXIMIZE"]}, {"name": "nets", "direction": ["MINIMIZE"]}]' ;;
esac
END
chmod +x "$scratch/bin/optuna"
for broken in create-study studies ask tell; do
    BROKEN=$broken expect 5 "${sweep[@]}" --out "broken-$broken" --trials 2 --workers 1 "${study[@]}"
    says err "optuna $broken fails: ValueError: no $broken today"
done
[[ ! -e broken-create-study && ! -e broken-studies ]] || fail "a sweep without a study has a folder"
BROKEN=nonsense expect 5 "${sweep[@]}" --out nonsense --trials 2 --workers 1 "${study[@]}"
says err "optuna ask answers '{\"number\": 1, \"params\": {\"lr\": 0.01}}"
# The program does not outlive a worker that is killed, and another worker goes on.
runs() { grep -qs '^State:.[^Z]' "/proc/$asker/status"; } # nobody may have taken the result of an ended one
for broken in hang linger; do
    rm -f asker calls
    BROKEN=$broken mlc sweep small.mdl -q --set 'lr=log(1e-3, 1e-1)' --out $broken --trials 1 --seeds 2 --workers 1 "${study[@]}" >/dev/null 2>&1 &
    pid=$!
    until [[ -s asker ]]; do sleep 0.05; kill -0 $pid || break; done
    asker=$(cat asker)
    kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$asker/status")"
    wait $pid 2>/dev/null
    for i in {1..100}; do runs || break; sleep 0.05; done
    if runs; then
        kill "$asker"
        fail "optuna outlives its worker"
    fi
    expect 0 mlc sweep --status $broken
    [[ $broken == hang ]] || says out "1 settings with 2 seeds: 2 trials finished, 1 score not told to the study"
    expect 0 mlc sweep --join $broken -q --workers 1
    says out "1 settings with 2 seeds: 2 trials finished"
    [[ $(tail -1 calls) == tell* && $(ls $broken/trials | grep -c '\(asking\|telling\|claim\)$') == 0 ]] || fail "$(cat calls; ls $broken/trials)"
done
# One worker asks for the values of a setting, and one tells the mean of its scores.
rm calls
expect 0 "${sweep[@]}" --out mean --trials 5 --seeds 3 --workers 4 "${study[@]}" --csv mean.csv
[[ $(grep -c ^ask calls) == 5 && $(grep -c ^tell calls) == 5 ]] || fail "calls: $(cat calls)"
score=$(head -1 mean.csv | tr , '\n' | grep -nx score | cut -d: -f1)
for setting in {0..4}; do
    number=$(grep -o '"number":[0-9]*' "mean/trials/$(printf %06u $((3 * setting))).asked" | cut -d: -f2)
    told=$(sed -n "s/^tell .* --trial-number $number --values //p" calls)
    right=$(awk -F, -v setting=$setting -v score="$score" 'NR > 1 && $2 == setting { sum += $score; n++ } END { printf "%.9g", sum / n }' mean.csv)
    awk -v a="$told" -v b="$right" 'BEGIN { exit !(a != "" && (a - b) ^ 2 < 1e-12) }' || fail "setting $setting: told $told, and the mean is $right"
done
# The trial that was asked, but not told, is told without being asked again; then the other one has its turn.
rm calls
expect 0 mlc sweep --join broken-tell -q --workers 1 --csv told.csv
[[ $(cut -d' ' -f1 calls | tr '\n' ' ') == "tell ask tell " ]] || fail "calls: $(cat calls)"
grep -q "^tell --skip-if-finished --storage sqlite:///study.db --study-name nets --trial-number [0-9]* --values 0*[0-9.]*$" calls || fail "$(cat calls)"
awk -F, 'NR > 1 && $4 != "0.0123"' told.csv | grep -q . && fail "other values: $(cat told.csv)"
# A trial without a score fails in the study as well; the sweep goes on.
rm calls
expect 0 "${sweep[@]}" --out inf --trials 2 --workers 1 "${study[@]}" --set 'data.seed=1' --set 'train.loss=mean(logits) * 1e38 * 1e38'
[[ $(grep -c "^tell .* --state fail$" calls) == 2 ]] || fail "calls: $(cat calls)"
# Without rows for keep_best, the score is the training loss, whatever the study looks for.
sed 's/direction": \["MINIMIZE/direction": ["MAXIMIZE/' "$scratch/bin/optuna" >other && cat other >"$scratch/bin/optuna"
sed 's/, test_images = "test_images", test_labels = "test_labels"//' small.mdl >all.mdl
expect 4 mlc sweep all.mdl -q --set 'lr=log(1e-3, 1e-1)' --set train.epochs=1 --set train.keep_best=accuracy --out all --trials 1 --workers 1 "${study[@]}"
says err "trial 0 has the score train_loss, but the study looks for high scores"
# Without the program.
rm "$scratch/bin/optuna"
PATH=$scratch/bin expect 5 "${sweep[@]}" --out none --trials 2 "${study[@]}"
says err "cannot run optuna" "python3-optuna"
finish
