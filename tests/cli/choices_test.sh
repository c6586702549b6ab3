#!/usr/bin/env bash
# Computed class numbers without a column of a one_hot, or without a row of an embedding, are reported with their row by every command.
source "$(dirname "$0")/common.sh"
awk 'BEGIN { print "n,grade,y"; for (i = 0; i < 40; i++) print i / 7 "," i % 3 + 1 "," i % 2 }' >good.csv
# model EXPRESSION [MODEL]: x is computed from the table
model() {
    cat >m.mdl <<END2
mdl 1
data { source = csv("${3-good.csv}"); field n = source |> columns("n") |> standardize; field y = source.y
    field x = $1
    test = 10 }
model m(n, x) -> logits { logits = dense(concat([n, ${2-x}]), 2) }
train { loss = cross_entropy(logits, y); optimizer = sgd(0.1); epochs = 1; batch = 8 }
END2
}
told="the whole number computed here is"
printf 'n,grade\n3,7\n1,2\n2,0\n' >new.csv

model 'one_hot(int(fma(source.grade, 1, -1)), 3)'
expect 0 mlc train m.mdl --out run -q
! grep -q "$told" "$scratch/err" || fail "grades that have their column are told"
expect 0 mlc eval run
! grep -q "$told" "$scratch/err" || fail "grades that have their column are told by eval"
expect 0 mlc data m.mdl
! grep -q "outside" "$scratch/out" || fail "grades that have their column are suspicious"
expect 0 mlc predict run new.csv
says err "run/resolved.mdl:3:" "$told 6 in line 2 of 'new.csv', but only 0 to 2 have a column" "2 rows have such a number"
expect 0 mlc predict run new.csv --json
says err "$told 6"

# The commands train, eval and data report it.
model 'one_hot(int(fma(source.grade, 1, -2)), 3)'
expect 0 mlc train m.mdl --out low -q
says err "m.mdl:3:" "$told -1 in line "
expect 0 mlc eval low --split train
says err "low/resolved.mdl:3:" "$told -1 in line "
expect 0 mlc data m.mdl
says out "outside: the whole number computed in line 3 of the model is -1 in line "
expect 0 mlc data m.mdl --json
says out '"kind":"outside","field":null,"count":'

# Numbers in the model block, of a fitted field, and of parts of a row. Numbers that depend on weights are not checked.
model 'source |> columns("grade") |> impute("median")' 'one_hot(int(fma(x[:, 0], 1, -1)), 3)'
expect 0 mlc train m.mdl --out block -q
expect 0 mlc predict block new.csv
says err "block/resolved.mdl:5:" "$told 6 in line 2 of 'new.csv'"
model 'int(fma(source |> columns(["grade", "grade"]), 1, -1))' 'reshape(embedding(x, 3, 2), [N, 4])'
expect 0 mlc train m.mdl --out pairs -q
printf 'n,grade\n1,2\n3,7\n' >second.csv
mlc predict pairs second.csv >"$scratch/out" 2>"$scratch/err"
says err "pairs/resolved.mdl:5:" "$told 6 in line 3 of 'second.csv'"

# Columns of the table, and what is computed from them with numbers, are checked when the data are read: these are errors.
model 'one_hot(int(source.grade - 1), 3)'
expect 0 mlc train m.mdl --out known -q
expect 4 mlc predict known new.csv
says err "'int(grade - 1)' has class 6 in line 2 of 'new.csv', but there are columns for 0 to 2 only"
model 'one_hot(int((source.grade |> impute("median")) - 1), 3)'
expect 0 mlc train m.mdl --out imputed -q
expect 4 mlc predict imputed new.csv
says err "'int(impute(grade, @x.impute) - 1)' has class 6 in line 2 of 'new.csv', but there are columns for 0 to 2 only"
model 'one_hot(int(source.grade - 2), 3)'
expect 4 mlc train m.mdl --out known_low -q
says err "'int(grade - 2)' has class -1 in line "
model 'source |> columns("grade")' 'one_hot(int(dense(n, 1)[:, 0] * 100), 3)'
expect 0 mlc train m.mdl --out free -q
! grep -q "$told" "$scratch/err" || fail "numbers that depend on weights are told"
finish
