#!/usr/bin/env bash
# Tables as people have them: which file is read, and what its cells may hold.
source "$(dirname "$0")/common.sh"

# model NAME SOURCE FIELDS: writes NAME.mdl, which learns y from x by classes
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

# If both forms of a file exist, the one of the given name is read.
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

# Several marks of a missing cell.
printf 'x,y\n1,0\nNA,1\n?,1\n,0\n' >gaps.csv
model gaps 'csv("gaps.csv", missing = ["NA", "?"])' '    field x = source |> columns("x") |> impute(0); field y = source.y'
expect 0 mlc data gaps.mdl --json
says out '"missing":3'

# Numbers with other signs, a remark at the top, and empty columns at the end.
printf 'of 2004\nT;price;y;;\n22,8;1.830.322;0;;\n-1,5e1;999;1;;\n;12.345,5;1;;\n' >comma.csv
model comma 'csv("comma.csv", skip = 1, delimiter = ";", decimal = ",", thousands = ".")' '    field x = source |> columns(["T", "price"]) |> impute(0); field y = source.y'
expect 0 mlc data comma.mdl --json
says out '"source":{"T":22.8' '"price":1830322.0' '"source":{"T":-15.0' '"price":999.0' '"source":{"T":null' '"price":12345.5'
printf 'x,y\n"1,830,322",0\n"12,000",1\n' >many.csv
model many 'csv("many.csv", thousands = ",")' '    field x = source |> columns("x"); field y = source.y'
expect 0 mlc data many.mdl --json
says out '"source":{"x":1830322' '"source":{"x":12000'

# A table with another ending, and labels that end with a dot.
printf '53, Private, <=50K\n63, Gov, >50K\n40, Private, <=50K\n41, ?, >50K\n' >adult.data
printf '|1x3 remark\n25, Private, <=50K.\n44, Gov., >50K.\n' >adult.test
printf '25, Privat, <=50K\n' >adult.new
model adult 'csv("adult.data", header = false, missing = "?")' '    field x = concat([source |> columns("column0") |> standardize, source |> columns("column1") |> one_hot]); field y = source.column2'
expect 0 mlc train adult.mdl --out adult -q
expect 0 mlc predict adult adult.new
says err "such as 'Privat'; did you mean 'Private'?"

# The test rows are in another file, with other texts as labels. The error says how to read them.
apart='csv("adult.data", header = false, missing = "?", test = "adult.test", test_skip = 1'
fields='    field x = concat([source |> columns("column0") |> standardize, source |> columns("column1") |> one_hot]); field y = source.column2'
model apart "$apart)" "$fields"
expect 4 mlc train apart.mdl --out apart -q
says err "'column2' is '<=50K.' in line 2 of 'adult.test', which no training row has" "did you mean '<=50K'?" \
    "csv(..., trim = \".\") takes '.' off the ends of text"
model apart "$apart, trim = \".\")" "$fields"
expect 0 mlc train apart.mdl --out apart -q
expect 0 mlc data apart.mdl --json
says out '"rows":{"train":4,"valid":0,"test":2}' '"name":"<=50K","rows":{"train":2,"valid":0,"test":1}' '"name":"Gov","rows":{"train":1,"valid":0,"test":1}'
tail -n +2 adult.test >rows.test
expect 0 mlc eval apart rows.test --json
says out '"rows":2'
model apart "$apart, trim = \"·\")" "$fields"
expect 3 mlc check apart.mdl
says err "'trim' of csv() must be ASCII characters"

# A text that marks a missing cell in one column is a number in another one.
printf 'a,price,kind,y\n-200,-200,x,0\n1,5,none,1\n2,?,?,1\n3,7,x,0\n' >columns.csv
model columns 'csv("columns.csv", missing = ["?", ["price", "-200"], ["kind", "none"]])' '    field x = concat([source |> columns(["a", "price"]) |> impute("mean"), source |> columns("kind") |> one_hot]); field y = source.y'
expect 0 mlc train columns.mdl --out columns -q
expect 0 mlc data columns.mdl --json
says out '"name":"a","type":"i32","row":[],"train":{"count":4,"missing":0' '"name":"price","type":"f32","row":[],"train":{"count":2,"missing":2' \
    '"name":"kind","type":"text","row":[],"train":{"count":2,"missing":2'
printf 'a,price,kind\n-200,-200,none\n' >columns_new.csv
expect 0 mlc predict columns columns_new.csv
model columns 'csv("columns.csv", missing = ["?", ["price", "-200"]], drop_missing = "price")' '    field x = source |> columns(["a", "price"]); field y = source.y'
expect 0 mlc data columns.mdl
says out "2 train rows"
model columns 'csv("columns.csv", missing = [["prize", "-200"]])' '    field x = source |> columns("a"); field y = source.y'
expect 4 mlc check columns.mdl
says err "it has no column 'prize', which 'missing' names" "did you mean 'price'?"
model columns 'csv("columns.csv", missing = [["price"]])' '    field x = source |> columns("a"); field y = source.y'
expect 3 mlc check columns.mdl
says err "'missing' of csv() must be a string or a list of strings" '["NA", ["price", "-200"]]'

finish
