#!/usr/bin/env bash
# A table with dates: from the text in a cell to predictions in units.
source "$(dirname "$0")/common.sh"

# Sales of 240 days, more at weekends and in December; two spellings of a missing cell, names with spaces and quotes.
sales() {
    echo 'when,"price (EUR)",city,"units, sold"'
    for ((i = 0; i < 240; i++)); do
        city=Bonn price=$((i % 3 + 2)).5
        ((i % 7 == 5)) && city=NA
        ((i % 11 == 3)) && price='?'
        printf '%s,%s,%s,%d\n' "$(date -u -d "2023-07-01 +$i days" +%d/%m/%Y)" "$price" "$city" $((100 + i % 7 * 30 + i / 8))
    done
}
sales >sales.csv
cat >sales.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = csv("sales.csv", missing = ["NA", "?"])
    field x = concat([
        columns(source, "price (EUR)") |> impute("median") |> standardize,
        columns(source, "city") |> one_hot,
        date(source.when, "%d/%m/%Y", ["month", "yearday", "seconds"]) |> standardize,
        one_hot(date(source.when, "%d/%m/%Y", "weekday"), 7)
    ])
    field y = columns(source, "units, sold") |> standardize
    valid = 0.1
    test = last(0.1)
}
model net(x) -> units { units = x |> dense(16) |> relu |> dense(1) }
train {
    loss = mse(units, y)
    optimizer = adam(1e-2)
    epochs = 40
    metrics = [r2(units, y)]
}
END_OF_MODEL
expect 0 mlc train sales.mdl --out run --quiet --expect 'r2>=0.5'
expect 0 mlc data sales.mdl
says out 'when                   date                  0   2023-07-01   2023-10-' '2024-02-'
grep -qF "classes of 'when'" "$scratch/out" && fail 'dates are told as classes'
grep -qE "identifier|unseen" "$scratch/out" && fail 'dates are told to be suspicious'
expect 0 mlc data sales.mdl --json
says out '"name":"when","type":"date","row":[],"format":"%d/%m/%Y"' '"min":1688169600' '"source":{"when":"01/07/2023"'
expect 0 mlc predict run --json
says out '"units, sold"'

# New rows with dates that no training row has give no warning; the label may be missing.
printf 'when,city,price (EUR)\n24/12/2031,Bonn,3.5\n29/02/2024,,?\n' >new.csv
expect 0 mlc predict run new.csv --csv answer.csv --quiet
[[ -s $scratch/err ]] && fail "predict says of new dates: $(cat "$scratch/err")"
[[ $(wc -l <answer.csv) == 3 ]] || fail 'two rows are not predicted'
printf 'when,city,price (EUR)\n29/02/2023,Bonn,1\n' >bad.csv
expect 4 mlc predict run bad.csv
says err "'when' in line 2 of 'bad.csv' is '29/02/2023', which is no date: February 2023 has 28 days"

# parts NAME EXPRESSION ROWS: the result of the data block for the cells in cells.csv, as JSON
parts() {
    cat >parts.mdl <<END_OF_MODEL
mdl 1
data { source = csv("cells.csv"); field a = $1; field x = columns(source, "y"); field y = source.y }
model m(x, a) -> p { p = dense(x, 1) + sum(a) * 0.0 }
train { loss = mse(sum(p), sum(y)); optimizer = sgd(0.1) }
END_OF_MODEL
    expect 0 mlc data parts.mdl --json
    says out "\"fields\":{\"a\":$2,"
}

# Every part of a date is exact, also before 1970 and far away. A missing date has missing parts.
printf 'c,y\n0001-01-01 00:00:00,1\n' >cells.csv
parts 'date(source.c, "%F %T")' '[1.0,1.0,1.0,0.0,1.0,-62135595008]'
parts 'date(source.c, "%F %T", "seconds") + 62135596800' 0.0
parts 'date(source.c, "%F %T", ["year", "hour"])' '[1.0,0.0]'
printf 'c,y\n1969-12-31 23:59:58.5,1\n' >cells.csv
parts 'date(source.c, "%F %T.%f", "seconds")' -1.5
parts 'int(date(source.c, "%F %T.%f", "second"))' 58
printf 'c,y\n2024-06-29 13:45:11,1\n' >cells.csv
parts '(date(source.c, "%F %T", "seconds") - 1719668710)' 1.0
parts 'date(source.c, "%F %T", "seconds") % 60' 11.0
printf 'c,y\n20240629,1\n' >cells.csv
parts 'date(source.c, "%Y%m%d", ["day", "month"])' '[29.0,6.0]'
printf 'c,y\n1022024,1\n' >cells.csv
parts 'date(source.c, "%d%m%Y", ["day", "month"])' '[1.0,2.0]'
printf 'c,y\n,1\n20240629,2\n' >cells.csv
parts 'date(source.c, "%Y%m%d", "day")' null
parts 'date(source.c, "%Y%m%d", "day") |> impute("mean")' 29.0
printf 'c,y\nx,1\n2024-06-29,2\n' >cells.csv
expect 4 mlc train parts.mdl --out none
says err "'c' in line 2 of 'cells.csv' is 'x', which does not fit the format"

# A missing weekday is no class.
printf 'c,y\n2024-06-29,1\n,2\n' >cells.csv
cat >parts.mdl <<'END_OF_MODEL'
mdl 1
data { source = csv("cells.csv"); field a = one_hot(date(source.c, "%F", "weekday"), 7); field y = source.y }
model m(a) -> p { p = dense(a, 1) }
train { loss = mse(sum(p), sum(y)); optimizer = sgd(0.1) }
END_OF_MODEL
expect 4 mlc train parts.mdl --out none
says err "'c' is missing in line 3 of 'cells.csv'"

# Windows of dates, and groups of the rows of a day.
for ((i = 0; i < 40; i++)); do printf '%s,%d\n' "$(date -u -d "2024-01-01 +$((i * 7)) hours" +%FT%TZ)" "$i"; done | sed '1i c,y' >hours.csv
cat >hours.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = csv("hours.csv")
    field past = windows(date(source.c, "%FT%T%z", "hour"), 3)
    field y = source.y
    test = last(0.2)
}
model m(past) -> p { p = dense(past, 1) }
train { loss = mse(p, unsqueeze(y, 1)); optimizer = sgd(0.001); epochs = 1 }
END_OF_MODEL
expect 0 mlc data hours.mdl --json
says out '"fields":{"past":[0.0,7.0,14.0]'
finish
