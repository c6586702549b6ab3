#!/usr/bin/env bash
# Regression in the units of the data: the transforms of a target are inverted, and the results are checked by arithmetic.
source "$(dirname "$0")/common.sh"
awk 'BEGIN { srand(5); print "a,b,price,rent"; for (i = 0; i < 120; i++) { a = rand() * 4; b = rand() - 0.5
     printf "%.4f,%.4f,%d,%.3f\n", a, b, 1000 + 900 * a + 400 * b + 30 * rand(), exp(a + b) } }' >homes.csv

# model LABEL [LOSS]: writes homes.mdl
model() {
    cat >homes.mdl <<END2
mdl 1
data {
    source = csv("homes.csv")
    field x = source |> columns(["a", "b"]) |> standardize
    field y = $1
    test = 40
    seed = 3
}
model m(x) -> guess { guess = x |> dense(8) |> tanh |> dense(1)${3-} }
train { loss = ${2-mse(guess, y)}; optimizer = adam(0.02); batch = 16; epochs = 6 }
END2
}

learnt() { mlc data homes.mdl --json | grep -o "\"y.standardize.$1\":\[[^]]*" | sed 's/.*\[//'; }

# agree COLUMN FORWARD LABEL [LOSS [SHAPE]]: the network's output is FORWARD of the prediction in the units of a column, and the truth is the
# cell of its line. M and S are the numbers that standardize is fitted to.
agree() {
    local column=$1 forward=$2 place
    shift 2
    model "$@"
    rm -rf run
    expect 0 mlc train homes.mdl --out run -q
    expect 0 mlc predict run --csv rows.csv
    place=$([[ $column == price ]] && echo 3 || echo 4)
    grep -q "^index,row,line,true $column,predicted $column,error $column\(,guess\|\)$" rows.csv || { fail "$1: columns"; sed 1q rows.csv; }
    awk -F, -v M="$(learnt mean)" -v S="$(learnt deviation)" -v place="$place" '
        function far(a, b) { d = a - b; return (d < 0 ? -d : d) > 2e-5 * (1 + (b < 0 ? -b : b)) }
        NR == FNR { cell[FNR] = $place; next }
        FNR == 1 { next }
        { rows++; x = $5; squares += $6 * $6; sizes += $6 < 0 ? -$6 : $6 }
        NF > 6 && far($7, '"$forward"') { print "line " $3 ": the network gives " $7 ", the prediction is " $5; bad = 1 }
        $4 + 0 != cell[$3] + 0 { print "line " $3 ": " $4 " is not " cell[$3]; bad = 1 }
        far($6, $5 - $4) { print "line " $3 ": error " $6; bad = 1 }
        $2 != $3 - 2 { print "line " $3 " is row " $2; bad = 1 }
        END { printf "%.5g %.5g\n", sqrt(squares / rows), sizes / rows; exit bad || rows != 40 }' homes.csv rows.csv >errors ||
        { fail "the predictions of $1 are no '$column'"; head -5 errors; }
    # The errors over all rows that eval, predict and the end of the training print.
    expect 0 mlc eval run --json
    grep -o '"rmse":[^,]*,"mae":[^,]*' "$scratch/out" | awk -F '[:,]' '{ printf "%.5g %.5g\n", $2, $4 }' >told
    same told <(tail -n 1 errors)
    grep -o '"test_units":.*' run/metrics.jsonl | grep -o '"rmse":[^,]*,"mae":[^,]*' | awk -F '[:,]' '{ printf "%.5g %.5g\n", $2, $4 }' >told
    same told <(tail -n 1 errors)
}

agree price '(x - M) / S' 'source |> columns("price") |> standardize'
agree price '(x - M) / S' 'source.price |> standardize' 'mse(guess[:, 0], y)' # the target is one number, the output a column of it
agree price '(x - M) / S' 'source.price |> standardize' 'mse(guess, y)' '|> reshape([N])'
agree price 'x / 1000' 'source.price / 1000' 'mean((guess - y) ** 2)' '|> reshape([N])'
agree price '(x / 1000 - M) / S' '(source |> columns("price")) / 1000 |> standardize' 'huber(guess, y)'
agree price '(log(x) - M) / S' 'log(source |> columns("price")) |> standardize' 'mae(guess, y)'
agree price 'log(x + 1)' 'log((source |> columns("price")) + 1)'
agree price '5 - x / 800' '5 - (source |> columns("price")) / 800'
agree price '2000 / x' '2000 / (source |> columns("price"))'
agree price 'sqrt(x) / 10' '(source |> columns("price")) ** 0.5 / 10'
agree price '(x - M) / S' 'concat([source |> columns("rent"), source |> columns("price")])[:, 1] |> standardize' 'mse(guess, y)' '|> reshape([N])'
agree rent 'x' 'source |> columns("rent")'
agree rent 'exp(x / 100)' 'exp((source |> columns("rent")) / 100)'
agree rent '(x - M) / S' 'source |> columns("rent") |> impute("mean") |> standardize' # a missing cell would have been filled in
agree rent '(log(x) - 1) * 2' 'source |> columns("rent")' 'mse(guess, (log(y) - 1) * 2)' # made in the loss

# A ratio of two columns is not inverted: it is the unit.
model '(source |> columns("price")) / (source |> columns("rent")) / 100'
rm -rf run
expect 0 mlc train homes.mdl --out run -q
expect 0 mlc predict run --csv rows.csv
awk -F, 'NR == FNR { ratio[FNR] = FNR > 1 ? $3 / $4 : 0; next } FNR == 1 { if ($4 != "true y") bad = 1; next }
    { d = $4 - ratio[$3]; if (d * d > 1e-8 * ratio[$3] ^ 2) { print; bad = 1 } e = $7 - $5 / 100; if (e * e > 1e-9) { print; bad = 1 } }
    END { exit bad }' homes.csv rows.csv || fail "the ratio of two columns"

# Several outputs, several columns of one output, columns with their own transforms, and a class beside them.
cat >more.mdl <<'END'
mdl 1
data {
    source = csv("homes.csv")
    field x = source |> columns(["a", "b"]) |> standardize
    field both = concat([log(source |> columns("rent")), source |> columns("price") |> standardize])
    field rent = source |> columns("rent")
    field dear = int(source.price > 2000)
    test = 40
    seed = 3
}
model m(x) -> (pair, split, dear_logits, free) {
    h = x |> dense(8) |> tanh
    pair = dense(h, 2)
    split = dense(h, 2)
    dear_logits = dense(h, 2)
    free = pair * 2
}
train {
    loss = mse(pair, both) + mse(split[:, 0:1], rent / 10) + mse(split[:, 1:2], both[:, 1:2]) + cross_entropy(dear_logits, dear)
    optimizer = adam(0.02); batch = 16; epochs = 3
}
END
expect 0 mlc train more.mdl --out more -q
expect 0 mlc predict more --csv rows.csv
sed 1q rows.csv >heads
same heads - <<'END'
index,row,line,pair.true rent,pair.predicted rent,pair.error rent,pair.true price,pair.predicted price,pair.error price,pair[0],pair[1],split.true rent,split.predicted rent,split.error rent,split.true price,split.predicted price,split.error price,split[0],split[1],dear_logits.true,dear_logits.predicted,dear_logits.probability,dear_logits.p(0),dear_logits.p(1),free[0],free[1]
END
awk -F, -v M="$(sed 's/field both/field y/;s/both/y/g' more.mdl >homes.mdl; learnt mean)" -v S="$(learnt deviation)" '
    function far(a, b) { d = a - b; return (d < 0 ? -d : d) > 2e-5 * (1 + (b < 0 ? -b : b)) }
    NR == FNR { price[FNR] = $3; rent[FNR] = $4; next }
    FNR == 1 { next }
    $4 + 0 != rent[$3] || $7 + 0 != price[$3] || $12 + 0 != rent[$3] || $15 + 0 != price[$3] { print "a truth", $0; bad = 1 }
    far($10, log($5)) || far($11, ($8 - M) / S) { print "pair", $0; bad = 1 }
    far($18, $13 / 10) || far($19, ($16 - M) / S) { print "split", $0; bad = 1 }
    END { exit bad || FNR != 41 }' homes.csv rows.csv || fail "numbers of several outputs"
expect 0 mlc predict more --index 1 --json
says out '"outputs":{"pair":{"output":[' '"columns":["rent","price"],"predicted":[' '"error":[' '"target":[' '"dear_logits":{"true":1,"predicted":' '"free":['
expect 0 mlc eval more --json
[[ $(grep -o '"output":"[a-z]*","column":"[a-z]*"' "$scratch/out" | wc -l) == 4 ]] || fail "not each of four columns has its errors"
printf 'b,a\n0.1,2\n' >new.csv
expect 0 mlc predict more new.csv --json
says out '"columns":["rent","price"],"predicted":['
! grep -q '"true"\|"error"\|"target"' "$scratch/out" || fail "rows without a label are compared with one"

# A series: the next two values, each under its name; for the last rows of a file they are unknown.
awk 'BEGIN { print "t,level"; for (i = 0; i < 200; i++) printf "%d,%.4f\n", i, 50 + 20 * sin(i / 6) }' >series.csv
cat >series.mdl <<'END'
mdl 1
data {
    source = csv("series.csv")
    field past = windows(source |> columns("level"), 8) |> standardize
    field next = ahead(source |> columns("level"), 1, 2) |> standardize
    test = last(0.2)
}
model m(past) -> y { y = past |> flatten |> dense(2) |> reshape([N, 2, 1]) }
train { loss = mse(y, next); optimizer = adam(0.02); batch = 16; epochs = 3 }
END
expect 0 mlc train series.mdl --out series -q
expect 0 mlc predict series --csv rows.csv
sed 1q rows.csv >heads
echo 'index,row,line,true level+1,predicted level+1,error level+1,true level+2,predicted level+2,error level+2,y[0],y[1]' | same - heads
awk -F, 'NR == FNR { level[FNR] = $2; next } FNR > 1 && ($4 + 0 != level[$3 + 1] + 0 || $7 + 0 != level[$3 + 2] + 0) { print; bad = 1 }
    END { exit bad || FNR < 30 }' series.csv rows.csv || fail "what is ahead is not in the lines that follow"
expect 0 mlc predict series series.csv --csv rows.csv
tail -n 1 rows.csv | grep -qE '^199,201,,[0-9.]+,,,[0-9.]+,,' || fail "the last row of a file: $(tail -n 1 rows.csv)"
expect 0 mlc eval series series.csv --json
says out '"column":"level+1"' '"column":"level+2"' '"rows":191,'

# A label that only some new rows have: known ones are scored, all rows are predicted.
printf 'a,b,price\n1,0.1,2000\n2,0.2,\n' >some.csv
model 'source.price |> standardize' 'mse(guess[:, 0], y)'
expect 0 mlc train homes.mdl --out some -q
expect 0 mlc predict some some.csv
says out "true price" "?" "of 1 value"
expect 0 mlc predict some some.csv --json
says out '"true":[2000' '"true":[null],"error":[null],"target":[null]'
# a column of whole numbers has a fraction in new rows
printf 'a,b,price\n1,0.1,272920.875\n1,0.1,2000\n' >fraction.csv # of its f32 272920.88 is the shortest text
expect 0 mlc predict some fraction.csv --json
says out '"true":[272920.875]' '"true":[2000.0]'
expect 0 mlc eval some fraction.csv --json
says out '"count":2,"rmse":191632.917'
model source.price 'mse(guess[:, 0], y * 1.0)'
expect 0 mlc train homes.mdl --out whole -q
expect 0 mlc predict whole fraction.csv --json
says out '"true":[272920.875]' '"true":[2000.0]'
model 'log(source.price)' 'mse(guess[:, 0], y)' # log reads 32 bits
expect 0 mlc train homes.mdl --out log -q
expect 4 mlc eval log fraction.csv
says err "column 'price' is 272920.875 in line 2 of 'fraction.csv', but the network was trained on whole numbers"

finish
