#!/usr/bin/env bash
# Series: windows of rows and rows ahead never cross the end of a split, a file or a series.
source "$(dirname "$0")/common.sh"

model() { # model FIELDS KEYS: of series.csv
    cat <<END
mdl 1
data {
    source = csv("series.csv")
    $1
    $2
}
model m(x) -> p { p = x |> flatten |> dense(1) }
train { loss = mse(p, y); optimizer = adam(0.01); epochs = 3; batch = 16 }
END
}

# Value t is t itself, so every element shows its row; 200 rows, of two stations in turn.
awk 'BEGIN { print "t,value,station,word"; for (t = 0; t < 200; t++) printf("%d,%d.0,%s,%s\n", t, t, t % 2 ? "a" : "b", t % 3 ? "x" : "y") }' >series.csv
sed -i 's/^\(1,1\).0/\1.5/' series.csv # so that value is no column of whole numbers
plain='field x = windows(source.value, 8); field y = ahead(source |> columns("value"), 1)'

# the last fifth: 160 - 8 windows to train on and 40 - 8 to test with; all of it without a split
model "$plain" 'test = last(0.2)' >last.mdl
expect 0 mlc data last.mdl --json
grep -q '"rows":{"train":152,"valid":0,"test":32}' "$scratch/out" || fail "a split has other rows"
grep -q '"first_rows":\[{"file":"series.csv","row":7,"line":9,.*"fields":{"x":\[0.0,1.5,2.0,3.0,4.0,5.0,6.0,7.0\],"y":\[8.0\]' "$scratch/out" || fail "the first window"
expect 0 mlc data last.mdl --json --split test
grep -q '"first_rows":\[{"file":"series.csv","row":167,"line":169,.*"fields":{"x":\[160.0,161.0,162.0,163.0,164.0,165.0,166.0,167.0\],"y":\[168.0\]' "$scratch/out" ||
    fail "the first window of the test"
model "$plain" '' >all.mdl
expect 0 mlc data all.mdl --rows 0
says out "192 train rows, 0 valid, 0 test"
model "${plain/8)/8, stride = 8)}" '' >strides.mdl
expect 0 mlc data strides.mdl --rows 0
says out "24 train rows"
model 'field x = windows(source.value, 1, stride = 8); field y = source |> columns("value")' '' >single.mdl
expect 0 mlc data single.mdl --rows 0
says out "25 train rows"
model "$plain" 'valid = last(20); test = last(0.2)' >both.mdl
expect 0 mlc data both.mdl --rows 0
says out "132 train rows, 12 valid, 32 test"

# two stations: rows of one follow each other
model "$plain" 'series = source.station' >stations.mdl
expect 0 mlc data stations.mdl --json --rows 1
says out '"rows":{"train":184,"valid":0,"test":0}' '"x":[0.0,2.0,4.0,6.0,8.0,10.0,12.0,14.0],"y":[16.0]'
model "$plain" 'test = group(source.station, 1)' >groups.mdl
expect 0 mlc data groups.mdl --rows 0
says out "92 train rows, 0 valid, 92 test"

# several columns, several rows ahead, text ahead as the class
model 'field x = windows(source |> columns(["t", "value"]), 3); field y = ahead(source.value, 2, 4)[:, 0:1]' '' >wide.mdl
expect 0 mlc data wide.mdl --json --rows 1
says out '"x":[0.0,0.0,1.0,1.5,2.0,2.0],"y":[4.0]' '"train":193'
cat >words.mdl <<'END'
mdl 1
data { source = csv("series.csv"); field x = windows(source.word, 3) |> one_hot; field next = ahead(source.word); test = last(0.2) }
model m(x) -> p { p = x |> flatten |> dense(2) }
train { loss = cross_entropy(p, next); optimizer = adam(0.1); epochs = 20; metrics = [accuracy(p, next)] }
END
expect 0 mlc train words.mdl --out words -q --expect 'accuracy>=1'
expect 0 mlc predict words --index 0..2
says out "x" "y"
expect 0 mlc eval words --confusion
says out "test split, 37 rows"

# one_hot of text or classes in a window: a column for each category, for each row of the window
printf 'word,k,other\na,3,x\nb,9,y\na,3,z\nb,4,x\n' >few.csv
cat >windows.mdl <<'END'
mdl 1
data { source = csv("few.csv"); field x = windows(source.word, 3) |> one_hot; field c = windows(classes(source.k), 2) |> one_hot
    field both = windows(source |> columns(["word", "other"]), 2) |> impute("mode") |> one_hot }
model m(x, c, both) -> p { p = dense(concat([flatten(x), flatten(c), flatten(both)]), 1) }
train { loss = mean(p); optimizer = sgd(0.1) }
END
expect 0 mlc data windows.mdl --json
says out '"x":[1.0,0.0,0.0,1.0,1.0,0.0],"c":[0.0,0.0,1.0,1.0,0.0,0.0],"both":[0.0,1.0,0.0,1.0,0.0,1.0,0.0,0.0,0.0,1.0]' \
    '"x":[0.0,1.0,1.0,0.0,0.0,1.0],"c":[1.0,0.0,0.0,0.0,1.0,0.0]'

# standardize is fitted to all training rows, each counted once: the mean of 0 to 159 without 1.5
model 'field x = windows(source.value, 8) |> standardize; field y = ahead(source |> columns("value"))' 'test = last(0.2)' >standard.mdl
expect 0 mlc data standard.mdl --rows 0
says out "x.standardize.mean" "79.5031"
expect 0 mlc train standard.mdl --out whole -q --set train.epochs=6
expect 0 mlc train standard.mdl --out part -q --set train.epochs=2
expect 0 mlc train --resume part -q --set train.epochs=6
same whole/last.safetensors part/last.safetensors
expect 0 mlc train standard.mdl --out plain -q --set train.epochs=6 -O 0 --threads 1
same whole/last.safetensors plain/last.safetensors
sed 's/last(0.2)/last(0.3)/' part/resolved.mdl >changed && cp changed part/resolved.mdl
expect 5 mlc train --resume part -q --set train.epochs=7

# hourly weather: the temperature of the next hour, chronological, in degrees
awk 'BEGIN { srand(7); print "time,temperature,pressure,hour"
    for (t = 0; t < 1000; t++) { w = 0.9 * w + rand() - 0.5
        printf("%d,%.2f,%.1f,%d\n", 1600000000 + 3600 * t, 12 + 6 * sin((t % 24 - 9) * 0.2618) + w, 1013 + 6 * sin(t / 37), t % 24) } }' >weather.csv
cat >weather.mdl <<'END'
mdl 1
data {
    source = csv("weather.csv")
    field past = windows(source |> columns(["temperature", "pressure"]), 24) |> standardize
    field hour = one_hot(source.hour, 24)
    field next = ahead(source |> columns("temperature"), 1) |> standardize
    valid = last(0.1)
    test  = last(0.2)
}
model forecast(past, hour) -> y { y = concat([flatten(past), hour]) |> dense(16) |> tanh |> dense(1) }
train { loss = mse(y, next); optimizer = adam(0.003); metrics = [r2(y, next)]; epochs = 15; keep_best = r2 }
END
expect 0 mlc train weather.mdl --out weather -q --expect 'r2>=0.9'
expect 0 mlc eval weather
says out "test split, 176 rows" "errors in the units of the data"
tail -30 weather.csv >rows && { sed 1q weather.csv && cat rows; } >tomorrow.csv
expect 0 mlc predict weather tomorrow.csv --json
[[ $(wc -l <"$scratch/out") == 7 ]] || fail "the forecasts: $(cat "$scratch/out")"
expect 0 mlc eval weather tomorrow.csv
says out "tomorrow.csv, 6 rows"

# Classes of the next rows: the last row has none, and neither has a missing cell.
awk 'BEGIN { print "v,k"; for (t = 0; t < 60; t++) print t * 7 % 11 "," t % 3 }' >next.csv
for label in 'ahead(source.k, 1)' 'int(ahead(source.v, 1) > source.v)' 'int(ahead(source.v, 2) > ahead(source.v, 1))' 'int(source.v > 5)'; do
    printf 'mdl 1\ndata { source = csv("next.csv"); field x = windows(source.k, 3) |> standardize; field y = %s; test = last(0.2) }\n' "$label" >next.mdl
    printf 'model m(x) -> c { c = dense(x, 3) }\ntrain { loss = cross_entropy(c, y); optimizer = sgd(0.1); epochs = 1 }\n' >>next.mdl
    expect 0 mlc train next.mdl --out next -q --set train.epochs=1
    { sed 9q next.csv && echo ,1; } >next_rows.csv
    expect 0 mlc predict next next_rows.csv --json
    [[ $(tail -1 "$scratch/out") != *'"true"'* ]] || fail "$label of the last row: $(tail -1 "$scratch/out")"
    [[ $(sed -n 2p "$scratch/out") == *'"true"'* ]] || fail "$label of the second row: $(sed -n 2p "$scratch/out")"
    rm -r next
done

# Unused fields that read other rows.
cat >unread.mdl <<'END'
mdl 1
data {
    source = csv("next.csv")
    field x = columns(source, ["v"]) |> standardize
    field w = windows(source.k, 4)
    field n = ahead(source.v, 1) |> standardize
    field d = ahead(source.v, 1) - source.v |> standardize
    field y = columns(source, ["k"])
}
model m(x) -> c { c = dense(x, 1) }
train { loss = mse(c, y); optimizer = sgd(0.01); epochs = 1 }
END
expect 0 mlc train unread.mdl --out unread -q
expect 0 mlc data unread.mdl
says out "56 train rows" "d.standardize.deviation"

# New rows: one prediction for every row with seven rows before it, the last one too.
awk 'BEGIN { print "value"; for (t = 300; t < 310; t++) print t }' >new.csv
expect 0 mlc predict whole new.csv --json
[[ $(wc -l <"$scratch/out") == 3 ]] || fail "predictions of ten new rows: $(cat "$scratch/out")"
head -8 new.csv >short.csv
expect 4 mlc predict whole short.csv
says err "'short.csv' has no row with a complete window: the model reads each row with 7 before and 0 after it"

expect 0 mlc train strides.mdl --out strides -q
expect 0 mlc predict strides new.csv --json
[[ $(wc -l <"$scratch/out") == 3 ]] || fail "new rows are left out by the stride of the training"

# new rows of new series
printf 'station,value\n' >stations.csv
for t in 1 2 3 4 5 6 7 8 9; do printf 'new,%d\nother,%d\n' $t $((t * 10)); done >>stations.csv
expect 0 mlc train groups.mdl --out groups -q
expect 0 mlc predict groups stations.csv --json
[[ $(wc -l <"$scratch/out") == 4 ]] || fail "predictions of two series of nine rows: $(cat "$scratch/out")"
sed -i 's/^other,50/,50/' stations.csv
expect 4 mlc predict groups stations.csv
says err "'station' is missing in line 11 of 'stations.csv', so this row belongs to no series"

# Errors.
wrong() {
    model "$1" "$2" >wrong.mdl
    expect "$3" mlc data wrong.mdl
    says err "$4"
}
wrong "$plain" 'test = 0.2' 4 "no test row has a complete window: the model reads each row with 7 before and 1 after it, in the same split and series"
says err "the split has 40 rows; a window needs 9 that follow each other: last(9) holds out such rows"
wrong 'field x = windows(source.value, 300); field y = source |> columns("value")' '' 4 "'series.csv' has no row with a complete window: the model reads each row with 299 before"
wrong 'field x = windows(log(source.value), 8); field y = source |> columns("value")' '' 3 "must be a field or columns of the source, unchanged"
wrong 'field x = windows(source.value, 8); field y = ahead(windows(source |> columns("value"), 8))[:, 0]' '' 3 "must be a field or columns of the source, unchanged"
wrong 'field x = windows(source.value, 8) + windows(source.t, 8, stride = 2); field y = source |> columns("value")' '' 3 "a stride of 2"
wrong "$plain" 'series = source.nothing' 3 "the source has no field 'nothing'"
wrong 'field x = windows(source.value, 0); field y = source |> columns("value")' '' 3 "it must be from 1 to 100000"
finish
