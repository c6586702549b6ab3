#!/usr/bin/env bash
# mlc predict and mlc eval with --ensemble: means over several runs.
source "$(dirname "$0")/common.sh"
small_model
for seed in 1 2 3; do
    expect 0 mlc train small.mdl -q --set train.seed=$seed --set data.seed=1 --set train.epochs=1 --out runs/$seed
    expect 0 mlc predict runs/$seed --csv $seed.csv
done

# Probabilities are averaged; the predicted class has the highest mean.
expect 0 mlc predict runs/1 runs/2 runs/3 --ensemble mean --csv mean.csv
[[ $(head -1 mean.csv) == "$(head -1 1.csv)" && $(wc -l <mean.csv) == 204 ]] || fail "head or lines of the csv file"
awk -F, 'FNR == 1 { next }
    FILENAME != "mean.csv" { for (c = 6; c <= 15; c++) p[FNR, c] += $c / 3; next }
    { best = 6; for (c = 6; c <= 15; c++) { d = p[FNR, c] - $c; if (d > 1e-7 || d < -1e-7) bad++; if ($c > $best) best = c }
      if ($4 != best - 6) wrong++ }
    END { if (bad + wrong || FNR != 204) { print bad + 0 " means and " wrong + 0 " classes differ"; exit 1 } }' 1.csv 2.csv 3.csv mean.csv || fail "means of probabilities"

# The same bits on any number of threads; the mean of copies of one run is that run.
expect 0 mlc predict runs/1 runs/2 runs/3 --ensemble mean --csv one.csv --threads 1
same mean.csv one.csv
expect 0 mlc predict runs/2 runs/2 runs/2 --ensemble mean --csv copies.csv
same copies.csv 2.csv
expect 0 mlc predict runs/2 --json
cp "$scratch/out" single
expect 0 mlc predict runs/2 runs/2 --ensemble mean --json
same "$scratch/out" single

# A folder of runs, and the best runs, the best one first.
expect 0 mlc predict runs --ensemble mean --out folder.csv
same folder.csv mean.csv
order=$(for i in 1 2 3; do echo "$(mlc runs runs --json | sed -n ${i}p | grep -o '"test_loss":[^,}]*' | cut -d: -f2) runs/$i"; done | sort -g | cut -d' ' -f2 | head -2 | tr '\n' ' ')
read -ra best <<<"$order"
expect 0 mlc predict runs --ensemble best:2 --csv best.csv
expect 0 mlc predict "${best[@]}" --ensemble mean --csv named.csv
same best.csv named.csv

# Loss and metrics of the mean: for copies of a run those of the run, for all runs as computed from the csv file.
metrics() { grep -o '"loss":[^,]*,"accuracy":[^,]*' "$scratch/out"; }
expect 0 mlc eval runs/2 --json
alone=$(metrics)
expect 0 mlc eval runs/2 runs/2 --ensemble mean --json
[[ $(metrics | cut -c1-14) == "${alone:0:14}" && $(metrics | cut -d, -f2) == "$(cut -d, -f2 <<<"$alone")" ]] || fail "copies: $(metrics), alone $alone"
expect 0 mlc eval runs --ensemble mean --json
loss=$(awk -F, 'NR > 1 { sum -= log($(6 + $3)); right += $3 == $4 } END { printf "%.5f %.5f", sum / (NR - 1), right / (NR - 1) }' mean.csv)
[[ $(metrics | tr -c '0-9.\n' ' ' | awk '{ printf "%.5f %.5f", $1, $2 }') == "$loss" ]] || fail "eval says $(metrics), the csv file $loss"
says out '"runs":["runs/1","runs/2","runs/3"]'
expect 0 mlc eval runs --ensemble mean --confusion
says out "mean of 3 runs, last.safetensors, test split, 203 rows" "recall"

# Numbers: means in the units of the data, with the deviation over the runs; two classes from one number.
awk -v OFS=, 'BEGIN { srand(3); print "x,z,price,sold"; for (i = 0; i < 120; i++) { x = rand(); z = rand(); print x, z, 1000 + 500 * x, (x + z > 1 ? "yes" : "no") } }' >flats.csv
cat >flats.mdl <<'MDL'
mdl 1
data {
    source = csv("flats.csv")
    field x = source |> columns(["x", "z"])
    field price = source |> columns("price") |> standardize
    field sold = source.sold
    test = 0.2
    seed = 4
}
model flats(x) -> (cost, deal) {
    h = x |> dense(8) |> relu
    cost = h |> dense(1)
    deal = dense(h, 1)[:, 0]
}
train {
    loss = mse(cost, price) + bce_logits(deal, sold)
    optimizer = adam(0.02)
    epochs = 4
    metrics = [rmse(cost, price)]
}
MDL
for seed in 1 2 3; do
    expect 0 mlc train flats.mdl -q --set train.seed=$seed --out f/$seed
    expect 0 mlc predict f/$seed --csv f$seed.csv
done
[[ $(head -1 f1.csv) == "index,row,line,cost.true price,cost.predicted price,cost.error price,cost,deal.true,deal.predicted,deal.probability,deal.p(no),deal.p(yes)" ]] || fail "$(head -1 f1.csv)"
expect 0 mlc predict f --ensemble mean --csv f.csv
[[ $(head -1 f.csv) == "index,row,line,cost.true price,cost.predicted price,cost.deviation price,cost.error price,deal.true,deal.predicted,deal.probability,deal.p(no),deal.p(yes)" ]] || fail "$(head -1 f.csv)"
awk -F, 'FNR == 1 { next }
    FILENAME != "f.csv" { n[FNR]++; v[FNR, n[FNR]] = $5; p[FNR] += $12 / 3; next }
    { m = (v[FNR, 1] + v[FNR, 2] + v[FNR, 3]) / 3; s = 0
      for (i = 1; i <= 3; i++) s += (v[FNR, i] - m) ^ 2
      d = ($5 - m) ^ 2 + ($6 - sqrt(s / 2)) ^ 2 + ($12 - p[FNR]) ^ 2
      if (d > 1e-12 || ($9 == "yes") != ($12 > 0.5)) bad++ }
    END { if (bad || FNR != 25) { print bad + 0 " rows differ"; exit 1 } }' f1.csv f2.csv f3.csv f.csv || fail "means of numbers"
expect 0 mlc predict f --ensemble mean --index 0 --json
says out '"deviation":[' '"columns":["price"]'
expect 0 mlc predict f flats.csv --ensemble mean
says out "deviation"
expect 0 mlc eval f/1 f/1 --ensemble mean --json
cp "$scratch/out" twice
expect 0 mlc eval f/1 --json
[[ $(grep -o '"rmse".*' twice) == "$(grep -o '"rmse".*' "$scratch/out")" ]] || fail "eval of copies: $(cat twice) and $(cat "$scratch/out")"
expect 0 mlc eval f --ensemble mean
says out "errors in the units of the data" "price  rmse"
rmse=$(awk -F, 'NR > 1 { s += $7 ^ 2 } END { printf "%.4f", sqrt(s / (NR - 1)) }' f.csv)
expect 0 mlc eval f --ensemble mean --json
[[ $(grep -o '"units".*' "$scratch/out" | grep -o '"rmse":[^,]*' | cut -d: -f2 | awk '{ printf "%.4f", $1 }') == "$rmse" ]] || fail "rmse $rmse: $(cat "$scratch/out")"

# The best trials of a sweep.
expect 0 mlc sweep small.mdl -q --set 'lr=0.1|0.01|0.001' --set train.epochs=1 --out sweep
expect 0 mlc predict sweep --ensemble best:2
says out "of 50 correct"

# Runs that do not fit together, and wrong arguments.
expect 0 mlc train small.mdl -q --set train.epochs=1 --set 'data.valid=10' --out valid
expect 2 mlc predict runs/1 runs/2 f/1 --ensemble mean
says err "the runs 'runs/1' and 'f/1' do not fit into an ensemble: they have another number of outputs"
sed 's/logits = image/score = image/; s/-> logits/-> score/; s/(logits,/(score,/g' small.mdl >other.mdl
expect 0 mlc train other.mdl -q --set train.epochs=1 --out other
expect 2 mlc predict runs/1 other --ensemble mean
says err "their outputs are 'logits' and 'score'"
sed 's/classes = 10/classes = 11/; s/dense(10)/dense(11)/' small.mdl >eleven.mdl
expect 0 mlc train eleven.mdl -q --set train.epochs=1 --out eleven
expect 2 mlc eval runs/1 eleven --ensemble mean
says err "'logits' has 10 classes and 11 classes"
expect 0 mlc train flats.mdl -q --set data.seed=5 --out moved
expect 2 mlc predict f/1 moved --ensemble mean
says err "they hold out other rows" "data.seed"
expect 2 mlc eval f/1 moved flats.csv --ensemble mean
says err "measure their targets in different scales" "data.seed"
expect 0 mlc predict f/1 moved flats.csv --ensemble mean
expect 2 mlc predict runs/1 runs/2
says err "'runs/2' is a run, not a file with new rows" "--ensemble mean"
expect 2 mlc predict runs --ensemble best:4
says err "--ensemble best:4: 'runs' has 3 runs with a score" "best:3 takes all of them"
expect 2 mlc predict runs --ensemble median
says err "--ensemble takes mean or best:N, not 'median'"
expect 5 mlc predict flats.csv --ensemble mean
says err "'flats.csv' is no run, and no folder that holds runs" "the runs come before the files"
expect 5 mlc predict nothing --ensemble best:1
finish
