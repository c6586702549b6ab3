#!/usr/bin/env bash
# Tables as people have them: which file is read, and what stands in its cells.
source "$(dirname "$0")/common.sh"

# model NAME SOURCE FIELDS: NAME.mdl, which learns y from x by classes
model() {
    cat >"$1.mdl" <<END_OF_MODEL
mdl 1
data {
    source = $2
$3
}
model m(x) -> logits { logits = dense(x, ${4-2}) }
train { loss = cross_entropy(logits, y); optimizer = adam(0.05); batch = 16; epochs = 3; metrics = [accuracy(logits, y)] }
END_OF_MODEL
}

# The file of the name that is given, where both forms are there.
printf 'x,y\n1,0\n2,1\n' >t.csv
printf 'x,y\n1,0\n2,1\n3,1\n' | gzip >t.csv.gz
model plain 'csv("t.csv")' '    field x = source |> columns("x"); field y = source.y'
model packed 'csv("t.csv.gz")' '    field x = source |> columns("x"); field y = source.y'
expect 0 mlc data plain.mdl
says out "2 train rows"
expect 0 mlc data packed.mdl
says out "3 train rows"
mkdir other && mv t.csv other
expect 0 mlc data plain.mdl
says out "3 train rows"
MLC_DATA=other expect 0 mlc data plain.mdl
says out "2 train rows"

# Several spellings of a missing cell.
printf 'x,y\n1,0\nNA,1\n?,1\n,0\n' >gaps.csv
model gaps 'csv("gaps.csv", missing = ["NA", "?"])' '    field x = source |> columns("x") |> impute(0); field y = source.y'
expect 0 mlc data gaps.mdl --json
says out '"missing":3'

finish
