#!/usr/bin/env bash
# mlc sweep: many trainings, and one table that does not depend on the workers.
source "$(dirname "$0")/common.sh"

small_model
sed -i 's/param lr/param hidden = 24 in 1..512\nparam lr/; s/dense(24)/dense(hidden)/' small.mdl
sweep=(mlc sweep small.mdl -q --set 'hidden=8|16|24' --set 'lr=0.003|0.01' --set train.epochs=4 --seeds 2 --halving 2)

# The same bytes by one worker, by seven, and by workers that are killed again and again.
expect 0 "${sweep[@]}" --out one --workers 1 --csv one.csv
says out "6 settings with 2 seeds: " "rung 3 of 3" "+-"
expect 0 "${sweep[@]}" --out seven --workers 7 --csv seven.csv
same one.csv seven.csv
"${sweep[@]}" --out killed --workers 2 >/dev/null 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8; do
    sleep 0.$((RANDOM % 5 + 1))
    pkill -9 -P $pid
    kill -9 $pid
    wait $pid
    mlc sweep --join killed -q --workers 3 >/dev/null 2>&1 &
    pid=$!
done 2>/dev/null
wait $pid 2>/dev/null
expect 0 mlc sweep --join killed -q --csv killed.csv
expect 0 mlc sweep --status killed --csv -
same "$scratch/out" killed.csv
[[ ! -e - ]] || fail "--csv - has written a file"
same one.csv killed.csv
[[ -z $(find killed -name '*.claim*') ]] || fail "claims are left: $(find killed -name '*.claim*')"

# A trial is the training that mlc train does with the same values.
expect 0 mlc train small.mdl -q --out alone --set hidden=24 --set lr=0.01 --set train.epochs=4 --set train.seed=8
best=$(awk -F, '$4 == "24" && $5 == "0.01" && $3 == 8 && $7 == 2 { print $1 }' one.csv)
if [[ -n $best ]]; then same alone/last.safetensors "one/trials/$(printf %06d "$best")/last.safetensors"; fi
awk -F, 'NR > 1 && $7 == 2' one.csv | grep -q . || fail "no trial has reached the last rung"

# A signal stops and saves; --join continues.
"${sweep[@]}" --out stopped --workers 1 >"$scratch/stopped" 2>&1 &
pid=$!
until [[ -n $(find stopped/trials -name '*.json' 2>/dev/null) ]]; do sleep 0.02; done
kill -TERM $pid
wait $pid
status=$?
[[ $status == 143 ]] || fail "SIGTERM: status $status"
expect 0 mlc sweep --status stopped
says out " left"
expect 0 mlc sweep --join stopped -q --csv stopped.csv
same one.csv stopped.csv

# Claims: that of an ended process is taken over; that of another machine is respected until it is old.
expect 0 mlc sweep small.mdl -q --out claims --set 'hidden=8|16' --set train.epochs=1 --workers 1 --csv claims.csv
rm claims/trials/00000[01].0.json
echo "elsewhere/boot/pid:[1] 1 1" >claims/trials/000000.claim
echo "elsewhere/boot/pid:[1] 1 1" >claims/trials/000001.claim
touch -d '10 minutes ago' claims/trials/000001.claim
timeout 5 mlc sweep --join claims >/dev/null 2>waiting
[[ -e claims/trials/000001.0.json && ! -e claims/trials/000000.0.json ]] || fail "claims of another machine"
(($(grep -c "waiting for trial 0, which 'elsewhere' trains; if its worker has died, for 5 minutes" waiting) == 1)) || fail "who waits: $(cat waiting)"
rm claims/trials/000000.claim
expect 0 mlc sweep --join claims -q --csv again.csv
same claims.csv again.csv

# The same for a trial whose process was killed while it made the folder.
rm claims/trials/000000.0.json claims/trials/000000/{resolved.mdl,last.safetensors,best.safetensors}
expect 0 mlc sweep --join claims -q --csv again.csv
same claims.csv again.csv

# A trial with an infinite loss is a result; the sweep continues.
expect 0 mlc sweep small.mdl -q --out diverges --set 'train.optimizer=sgd(lr = 1e30)|sgd(lr = 0.1)' --set train.epochs=1 --csv bad.csv
grep -q nonfinite bad.csv && grep -q ',done,1,' bad.csv || fail "a loss that is not finite: $(cat bad.csv)"

# Random values are within their bounds and of the right kinds, the same in each run, and others with another seed.
expect 0 mlc sweep small.mdl -q --out drawn --trials 12 --set 'lr=log(1e-4, 1e-2)' --set 'hidden=4..7' --set train.epochs=1 --csv drawn.csv
awk -F, 'NR > 1 && ($4 < 1e-4 || $4 > 1e-2 || $5 < 4 || $5 > 7 || $5 != int($5)) { bad = 1 } END { exit bad || NR != 13 }' drawn.csv || fail "drawn values"
expect 0 mlc sweep small.mdl -q --out drawn2 --trials 12 --set 'hidden=4..7' --set 'lr=log(1e-4, 1e-2)' --set train.epochs=1 --csv drawn2.csv
[[ $(cut -d, -f4 drawn.csv | sort | tail -12) == "$(cut -d, -f5 drawn2.csv | sort | tail -12)" ]] || fail "a value depends on the order of names"
expect 0 mlc sweep small.mdl -q --out drawn3 --trials 12 --seed 2 --set 'lr=log(1e-4, 1e-2)' --set train.epochs=1 --csv drawn3.csv
[[ $(cut -d, -f4 drawn.csv) != "$(cut -d, -f4 drawn3.csv)" ]] || fail "another seed draws the same values"
expect 0 mlc sweep small.mdl -q --out even --trials 8 --search sobol --set 'hidden=1..8' --set train.epochs=1 --csv even.csv
[[ $(cut -d, -f4 even.csv | sort -n | tail -8 | tr '\n' ' ') == "1 2 3 4 5 6 7 8 " ]] || fail "Sobol's points are not even: $(cut -d, -f4 even.csv)"

# Wrong usage.
expect 2 mlc sweep
says err "needs a model file, or --join or --status"
expect 2 mlc sweep small.mdl --set 'lr=log(1e-4, 1e-2)'
says err "need --trials"
expect 3 mlc sweep small.mdl --set 'rate=1|2'
says err "the model has no param 'rate'"
expect 3 mlc sweep small.mdl --set 'hidden=8|1000' --out wrong
says err "1000"
[[ ! -e wrong ]] || fail "a sweep that cannot be trained has a folder"
expect 2 mlc sweep small.mdl --trials 3 --set 'lr=log(0, 1)'
says err "must be above 0"
expect 2 mlc sweep small.mdl --trials 3 --set 'lr=2..1'
says err "the first bound must be below the second one"
expect 2 mlc sweep small.mdl --set 'lr=1e-3|'
says err "a value is missing"
expect 2 mlc sweep small.mdl --set 'hidden=8|16' --set 'hidden=2'
says err "has been set before"
expect 2 mlc sweep small.mdl --set 'train.epochs=2|4' --halving 2
says err "--halving chooses the epochs"
expect 5 mlc sweep small.mdl --set 'hidden=8|16' --out one
says err "'one' already holds a sweep" "mlc sweep --join one"
expect 5 mlc sweep --join alone
says err "'alone' holds no sweep"
expect 2 mlc sweep --join one --trials 3
says err "belong to a new sweep"
cp -r one damaged && printf '{"version":1,"seeds":-3' >damaged/sweep.json
expect 5 mlc sweep --status damaged
says err "is not a sweep that this mlc can read"

# A full disk is not the trial's fault: the worker ends and leaves the trial to others.
expect 0 mlc sweep small.mdl -q --out readonly --set 'hidden=8|16' --set train.epochs=1 --workers 1
rm readonly/trials/000001.0.json && rm -r readonly/trials/000001 && : >readonly/trials/000001
expect 5 mlc sweep --join readonly -q --workers 1
says err "trial 1: "
rm readonly/trials/000001
expect 0 mlc sweep --join readonly -q --workers 1

finish
