#!/usr/bin/env bash
# Confusion matrices: every count is checked against the predictions.
source "$(dirname "$0")/common.sh"

awk 'BEGIN { print "a,b,kind,size"; for (i = 0; i < 61; i++) { a = i * 37 % 101 / 10; b = i * 53 % 97 / 10;
    printf "%s,%s,%s,%d\n", a, b, (a > b ? "more" : "less"), (a > 6) + (a + b > 9) } }' >table.csv
cat >table.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x = source |> columns(["a", "b"])
    field kind = source.kind
    field size = source.size
    field turned = int(2 - source.size)
}
model table(x) -> (sizes, kinds) { sizes = dense(x, 3); kinds = dense(x, 2) }
def right(logits, label) = sum(confusion(logits, label) * select(index([3, 3], 0) == index([3, 3], 1), 1.0, 0.0))
train {
    loss = cross_entropy(sizes, size) + cross_entropy(kinds, kind)
    optimizer = adam(0.1)
    epochs = 3
    batch = 7
    metrics = [confusion(sizes, size), accuracy(sizes, size), confusion(kinds, kind), confusion(sizes, turned), right(sizes, size)]
}
END

# counted OUTPUT CLASSES [turned]: the matrix of the train split as JSON, counted from the predictions
counted() {
    mlc predict run --split train --index 0..60 --json | grep -o "\"$1\":{\"true\":[0-9]*,[^}]*\"predicted\":[0-9]*" |
        sed 's/.*"true":\([0-9]*\),.*"predicted":/\1 /' | awk -v classes="$2" -v turned="${3-}" '
            { counts[turned ? 2 - $1 : $1, $2]++ }
            END { for (i = 0; i < classes; i++) { printf i ? ",[" : "[["; for (j = 0; j < classes; j++) printf "%s%d", j ? "," : "", counts[i, j]
                  printf "]" } print "]" }'
}
# numbers KEY FILE: the numbers of each matrix with this key
numbers() { grep -o "\"$1\":\[\[[^\"]*\]\]" "$2" | sed 's/^[^:]*://; s/[^0-9]\+/ /g'; }

expect 0 mlc train table.mdl --out run
! grep -q confusion "$scratch/err" || fail "a matrix in the line of an epoch"
[[ $(grep -c '^true ' "$scratch/out") == 0 ]] || fail "matrices of splits that have no rows"
expect 0 mlc eval run --split train --json
cp "$scratch/out" line
sizes=$(counted sizes 3) kinds=$(counted kinds 2) turned=$(counted sizes 3 turned)
says out "\"confusion\":$sizes," "\"confusion_2\":$kinds," "\"confusion_3\":$turned,"
right=$(numbers confusion "$scratch/out" | awk '{ print $1 + $5 + $9 }')
says out "\"right\":$right.0"

# The table of --confusion has the same counts, and classes by their names.
expect 0 mlc eval run --split train --confusion
grep -c '1 more' "$scratch/out" | grep -qx 2 || fail "no names of classes"
awk '/^true /{ n++ } /^ *[0-9]/ { print >"table" n }' "$scratch/out"
same table1 table4
same table2 table5
says out "confusion_2:" "kinds, compared with 'kind':"

# As csv: every count except zeros, classes by their names, in a file and on stdout.
expect 0 mlc eval run --split train --confusion --csv counts.csv
head -n 1 counts.csv | same /dev/stdin <(echo output,true,predicted,count)
awk -F, 'NR > 1 { n[$1] += $4; if ($4 < 1) exit 1 } END { exit n["sizes"] != 61 || n["kinds"] != 61 }' counts.csv || fail "not all rows are in the csv: $(cat counts.csv)"
[[ $(awk -F, '$1 == "sizes" && $2 == $3 { n += $4 } END { print n }' counts.csv) == "$right" ]] || fail "another number of right answers in the csv"
grep -q '^kinds,less,' counts.csv || fail "no names of classes in the csv"
expect 0 mlc eval run --split train --confusion --csv -
same counts.csv "$scratch/out"
expect 2 mlc eval run --csv counts.csv
says err "--csv writes the matrix of --confusion, which is not given"
expect 5 mlc eval run --split train --confusion --csv nowhere/counts.csv

# For many classes no matrix is printed, and JSON has no zeros; a resumed run reads its counts again.
awk 'BEGIN { print "a,y"; for (i = 0; i < 3000; i++) print i % 97 / 10 "," i * 7 % 1500 }' >many.csv
sed 's/table.csv/many.csv/; s/"a", "b"/"a"/; s/field kind = .*/field y = source.y/; /field size/d; /field turned/d; s/model table.*/model many(x) -> z { z = dense(x, 1500) }/
    s/loss = .*/loss = cross_entropy(z, y)/; s/metrics = .*/metrics = [confusion(z, y)]/; /^def/d; s/batch = 7/batch = 500/' table.mdl >many.mdl
expect 0 mlc train many.mdl --set data.test=300 --set train.epochs=1 --out many -q
[[ $(wc -l <"$scratch/out") -lt 60 && $(wc -L <"$scratch/out") -lt 110 ]] || fail "$(wc "$scratch/out") of 1,500 classes are printed"
says out "1,500 classes are too many for a matrix here" "most frequent mistakes" " more pairs of classes" "classes with the lowest recall"
[[ $(wc -L <many/metrics.jsonl) -lt 20000 ]] || fail "a line of the journal has $(wc -L <many/metrics.jsonl) bytes"
cells() { grep -o '"test_confusion":{"classes":1500,"cells":\[[^{}]*\]}' many/metrics.jsonl | tail -n 1; }
before=$(cells) && [[ $(grep -o '\[[0-9]*,[0-9]*,[0-9]*\]' <<<"$before" | awk -F'[],]' '{ n += $3 } END { print n }') == 300 ]] || fail "the cells do not add up to the rows"
mlc train --resume many --json | grep -q '"event":"end"' || fail "the run does not end again"
[[ $(cells) == "$before" ]] || fail "the counts of a run that went on are others"
expect 0 mlc eval many --confusion --json
says out '"confusion":{"classes":1500,"cells":[['
expect 0 mlc eval many --confusion --csv many_counts.csv
[[ $(awk -F, 'NR > 1 { n += $4 } END { print n }' many_counts.csv) == 300 ]] || fail "the csv of 1,500 classes does not add up to the rows"
expect 2 mlc eval many --confusion --png many.png
says err "a matrix of 1500 classes cannot be drawn: at most 1000 can" "--csv FILE writes its counts"

# Held-out rows after every epoch, in metrics.jsonl and at the end, also of a run that is resumed after its last epoch.
expect 0 mlc train table.mdl --set data.valid=20 --set data.test=11 --out held
says out "test confusion:" "valid confusion:" "valid confusion_3:" "test right "
sed -n '/^test confusion:/,$p' "$scratch/out" >tables
expect 0 mlc train --resume held
sed -n '/^test confusion:/,$p' "$scratch/out" >again
same tables again
for split in valid:20 test:11; do
    numbers "${split%:*}_confusion" held/metrics.jsonl >of_sizes
    numbers "${split%:*}_confusion_3" held/metrics.jsonl | awk '{ print " " $7, $8, $9, $4, $5, $6, $1, $2, $3 " " }' >turned
    same of_sizes turned
    awk '{ print $1 + $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' of_sizes | sort | uniq -c | grep -q " 4 ${split#*:}$" ||
        fail "${split%:*}: not the counts of all rows after four epochs"
done
expect 0 mlc train --resume held --set train.epochs=4 --json
says out '"test_confusion":[[' '"valid_confusion_2":[['
there held/curves.png

# Elements of sequences with labels in the columns of a field, and a class without elements.
cat >sequence.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns(["a", "b"]); field y = int(columns(source, ["size", "size"])) }
model sequence(x) -> logits { logits = reshape(dense(x, 8), [N, 2, 4]) }
train {
    loss = cross_entropy(reshape(logits, [N * 2, 4]), reshape(y, [N * 2]))
    optimizer = adam(0.1)
    batch = 16
    epochs = 1
    metrics = [confusion(reshape(logits, [N * 2, 4]), reshape(y, [N * 2]))]
}
END
expect 0 mlc train sequence.mdl --out sequence -q
expect 0 mlc eval sequence --split train --json
numbers confusion "$scratch/out" | awk '{ for (i = 1; i <= NF; i++) of[int((i - 1) / 4)] += $i } END { print of[0], of[1], of[2], of[3] }' >found
awk -F, 'NR > 1 { of[$4] += 2 } END { print of[0] + 0, of[1] + 0, of[2] + 0, of[3] + 0 }' table.csv >wanted
same found wanted
expect 0 mlc eval sequence --split train
says out "   -"

# Classes without a column: the label is computed, and another loss is used.
sed -e 's/cross_entropy(.*))/mean(logits ** 2)/' -e 's/metrics = .*/metrics = [confusion(logits[:, 0], int(fma(y[:, 0], 1, 2)))]/' sequence.mdl >outside.mdl
expect 0 mlc train outside.mdl --out outside -q --set data.test=20
outside=$(mlc eval outside --json | grep -o '"confusion":.*' | sed 's/"confusion"://' | tr -c '0-9\n' ' ' | awk '{ for (i = 1; i <= NF; i++) n += $i; print 20 - n }')
[[ $outside -gt 0 ]] || fail "all labels have a column"
expect 0 mlc eval outside
says out "$outside of 20 have a class without a column"
! grep -q "without a column" tables || fail "labels of the source have a column"

# Metrics that have the name of a key of the line.
cat >names.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns(["a", "b"]); field kind = source.kind }
def rows(logits, label) = accuracy(logits, label)
def epoch(logits) = mean(logits) + 10
def metrics(logits) = mean(logits) + 20
def outputs(logits) = mean(logits) + 30
def accuracy_standard_error(logits) = mean(logits) + 40
model names(x) -> logits { logits = 0 * dense(x, 2) }
train {
    loss = cross_entropy(logits, kind)
    optimizer = adam()
    epochs = 1
    metrics = [rows(logits, kind), epoch(logits), metrics(logits), outputs(logits), accuracy(logits, kind), accuracy_standard_error(logits), confusion(logits, kind)]
}
END
expect 0 mlc train names.mdl --out names -q --set data.test=10
expect 0 mlc eval names --split train --confusion --json
share=$(grep -o '"accuracy":[0-9.]*' "$scratch/out") share=${share#*:}
error=$(grep -o '"rows_standard_error":[0-9.]*' "$scratch/out") error=${error#*:}
says out '"epoch":1,' '"rows":51,' '"accuracy_standard_error":40.0,' \
    "\"metrics\":{\"rows\":$share,\"epoch\":10.0,\"metrics\":20.0,\"outputs\":30.0,\"accuracy_standard_error\":$error}" \
    "\"outputs\":{\"logits\":{\"confusion\":$(grep -o '"confusion":[^"]*,"' "$scratch/out" | sed '1s/.*:\(.*\),"/\1/;q'),"

finish
