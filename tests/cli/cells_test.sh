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

# Numbers as other countries write them, a remark at the top, empty columns at the end.
printf 'of 2004\nT;price;y;;\n22,8;1.830.322;0;;\n-1,5e1;999;1;;\n;12.345,5;1;;\n' >comma.csv
model comma 'csv("comma.csv", skip = 1, delimiter = ";", decimal = ",", thousands = ".")' '    field x = source |> columns(["T", "price"]) |> impute(0); field y = source.y'
expect 0 mlc data comma.mdl --json
says out '"source":{"T":22.8' '"price":1830322.0' '"source":{"T":-15.0' '"price":999.0' '"source":{"T":null' '"price":12345.5'
printf 'x,y\n"1,830,322",0\n"12,000",1\n' >many.csv
model many 'csv("many.csv", thousands = ",")' '    field x = source |> columns("x"); field y = source.y'
expect 0 mlc data many.mdl --json
says out '"source":{"x":1830322' '"source":{"x":12000'

# A table with another ending, and labels with a dot at the end.
printf '53, Private, <=50K\n63, Gov, >50K\n40, Private, <=50K\n41, ?, >50K\n' >adult.data
printf '|1x3 remark\n25, Private, <=50K.\n' >adult.test
printf '25, Privat, <=50K\n' >adult.new
model adult 'csv("adult.data", header = false, missing = "?")' '    field x = concat([source |> columns("column0") |> standardize, source |> columns("column1") |> one_hot]); field y = source.column2'
expect 0 mlc train adult.mdl --out adult -q
expect 0 mlc predict adult adult.new
says err "such as 'Privat'; did you mean 'Private'?"

finish
